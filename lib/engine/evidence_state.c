/* What a waiting thread waits for and holds: a slot of the file, written in place. */
#include "engine/evidence.h"
#include "engine/evidence_parts.h"
#include "engine/lifecycle.h"
#include "platform/memory.h"
#include "platform/system.h"
#include "record/writer.h"

/* Slots that nobody uses any more, in the file of that lge_evidence_generation. */
static struct {
    struct lgr_thread_state **items;
    size_t count, room;
    uint32_t generation;
} free_states;

static void put_free(struct lgr_thread_state *state) {
    if (free_states.generation != lge_evidence_generation)
        free_states.count = 0;
    free_states.generation = lge_evidence_generation;
    if (free_states.count == free_states.room) {
        size_t room = free_states.room ? free_states.room * 2 : 16;
        struct lgr_thread_state **items =
            lgp_resize(free_states.items, free_states.room * sizeof *items, room * sizeof *items);
        if (items == NULL)
            return;
        free_states.items = items;
        free_states.room = room;
    }
    free_states.items[free_states.count++] = state;
}

static struct lgr_thread_state *take_free(void) {
    if (free_states.generation != lge_evidence_generation || free_states.count == 0)
        return NULL;
    return free_states.items[--free_states.count];
}

/* A slot in the file: this thread's own, a free one, or a new one. */
static struct lgr_thread_state *obtain_state(struct lge_thread *thread) {
    if (thread->state != NULL && thread->state_generation == lge_evidence_generation)
        return thread->state;
    struct lgr_thread_state *state = take_free();
    if (state == NULL) {
        state = lgr_begin(LGR_THREAD_STATE, sizeof *state, true);
        if (state != NULL)
            lgr_commit(state);
    }
    thread->state = state;
    thread->state_generation = lge_evidence_generation;
    return state;
}

/* Before the sequence is odd: a kill in there loses the state. */
static void write_state_parts(const struct lge_thread *thread) {
    size_t depth = lge_depth(thread);
    for (size_t i = 0; i < LGR_STATE_HELD && i < depth; i++) {
        lge_put_lock(thread->base[i + 1].id);
        lge_put_context(thread->base[i + 1].context);
    }
}

static void put_held(struct lgr_thread_state *state, const struct lge_thread *thread) {
    state->held_count = (uint32_t)lge_depth(thread);
    for (uint32_t i = 0; i < LGR_STATE_HELD && i < state->held_count; i++) {
        const struct lge_held *held = &thread->base[i + 1];
        state->held[i] = (struct lgr_held){held->id, held->context, held->mode};
    }
}

/* Odd sequence while it is written: pairs with the reader's two loads. */
static void begin_state(struct lgr_thread_state *state) {
    uint32_t sequence = atomic_load_explicit(&state->sequence, memory_order_relaxed);
    atomic_store_explicit(&state->sequence, sequence + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}
static void end_state(struct lgr_thread_state *state) {
    uint32_t sequence = atomic_load_explicit(&state->sequence, memory_order_relaxed);
    atomic_store_explicit(&state->sequence, sequence + 1, memory_order_release);
}

static uint64_t since(const struct lge_thread *thread) {
    uint64_t since = lge_wait_since(thread);
    if (since != 0)
        return since;
    return atomic_load_explicit(&thread->wait.since_ns, memory_order_relaxed);
}

void lge_evidence_state(struct lge_thread *thread, uint32_t owner_serial) {
    lgp_lock(&lge_evidence_lock);
    lge_put_thread(thread);
    lge_put_own_name(thread);
    uint32_t kind = lge_wait_kind(thread);
    uint64_t target = lge_wait_target(thread);
    uint32_t context = atomic_load_explicit(&thread->wait.context, memory_order_relaxed);
    lge_put_context(context);
    if (kind == LGR_WAIT_ONCE)
        target = owner_serial; /* who runs the routine */
    if (kind == LGR_WAIT_LOCK)
        lge_put_lock(target);
    write_state_parts(thread);
    struct lgr_thread_state *state = obtain_state(thread);
    if (state != NULL && owner_serial != 0 && state->owner != owner_serial)
        lge_put_thread(lge_thread_of_serial(owner_serial));
    if (state != NULL) {
        begin_state(state);
        state->serial = lge_thread_serial(thread);
        state->wait_kind = kind;
        state->wait_context = context;
        state->target = target;
        state->since_realtime_ns = since(thread);
        state->owner = owner_serial;
        put_held(state, thread);
        end_state(state);
    }
    lgp_unlock(&lge_evidence_lock);
}

void lge_evidence_state_clear(struct lge_thread *thread) {
    lgp_lock(&lge_evidence_lock);
    struct lgr_thread_state *state = thread->state;
    if (state != NULL && thread->state_generation == lge_evidence_generation) {
        begin_state(state);
        state->serial = 0;
        state->wait_kind = LGR_WAIT_NONE;
        state->held_count = 0;
        end_state(state);
        put_free(state);
    }
    thread->state = NULL;
    lgp_unlock(&lge_evidence_lock);
}

void lge_evidence_states_reset(void) {
    lgp_free(free_states.items, free_states.room * sizeof(struct lgr_thread_state *));
    free_states.items = NULL;
    free_states.count = free_states.room = 0;
}

struct lgp_part lge_evidence_part(void) {
    return (struct lgp_part){&lge_evidence_lock, (void *)&free_states, sizeof free_states};
}
