/* Executes random programs: feeds the engine, and keeps every dependency with
 * its vector clock for the oracle. */
#include <string.h>

#include "oracle.h"

#define BARRIER_PARTIES 2

/* True when there was something new in it. */
static bool learn(struct clock *to, const struct clock *from) {
    bool news = false;
    for (size_t i = 0; i < THREADS; i++) {
        news = news || from->times[i] > to->times[i];
        to->times[i] = from->times[i] > to->times[i] ? from->times[i] : to->times[i];
    }
    return news;
}

static void start(struct machine *machine, unsigned thread, struct lge_thread *parent) {
    struct random_thread *started = &machine->threads[thread];
    started->engine = lge_thread_new(parent, 0, 0);
    lge_thread_begin(started->engine, 100 + thread, 0, 0);
    started->serial = lge_thread_serial(started->engine);
}

/* ---- locks ---- */

/* One context for each lock, mode and way of asking. */
static unsigned place_of(const struct random_step *step) {
    return (step->object + 1) << 3 | (unsigned)step->shared << 2 | (unsigned)step->kind;
}

static struct lge_request request_for(const struct machine *machine, const struct random_step *step) {
    uintptr_t frame = 0x5000 + 16 * (machine->program->one_place ? place_of(step) & 7 : place_of(step));
    struct lge_request request = {
        .address = &machine->ids[step->object], .id = machine->ids[step->object], .site = frame};
    request.context = lge_context_intern(&frame, 1, false);
    request.mode = step->shared ? LGR_SHARED : LGR_EXCLUSIVE;
    request.kind = (uint8_t)machine->program->kinds[step->object];
    request.flags = (uint8_t)((step->kind == RANDOM_TIMED ? LGE_TIMED : 0u) |
                              (machine->program->prefer_writer[step->object] ? LGE_WRITER_PREFERRED : 0u));
    return request;
}

/* ---- which repeats leave no trace ---- */

/* Adds the dependency's edges to the graph; true when locks that were not on a
 * cycle with each other are now. */
static bool connect(struct machine *machine, const struct dependency *dependency) {
    unsigned before[LOCKS];
    bool merged = false;
    memcpy(before, machine->leads_to, sizeof before);
    for (unsigned from = 0; from < LOCKS; from++) {
        if (dependency->held & 1u << from) {
            machine->after[from] |= 1u << dependency->request;
        }
    }
    memcpy(machine->leads_to, machine->after, sizeof before);
    for (unsigned over = 0; over < LOCKS; over++) {
        for (unsigned from = 0; from < LOCKS; from++) {
            machine->leads_to[from] |= machine->leads_to[from] & 1u << over ? machine->leads_to[over] : 0;
        }
    }
    for (unsigned i = 0; i < LOCKS * LOCKS; i++) {
        unsigned from = i / LOCKS, to = i % LOCKS;
        bool together = machine->leads_to[from] & 1u << to && machine->leads_to[to] & 1u << from;
        merged = merged || (together && !(before[from] & 1u << to && before[to] & 1u << from));
    }
    return merged;
}

/* Some edge of the dependency could be part of a cycle. */
static bool watched(const struct machine *machine, const struct dependency *dependency) {
    return (machine->leads_to[dependency->request] & dependency->held) != 0;
}

static bool has_chain(const struct chains *chains, uint64_t chain) {
    for (size_t i = 0; i < chains->count; i++) {
        if (chains->at[i] == chain) {
            return true;
        }
    }
    return false;
}

/* A chain that its thread made before costs the engine one compare, unless an
 * edge of it could be part of a cycle, or some became so since, or the thread
 * created another one or learnt something from a join. */
static bool repeats(struct machine *machine, const struct random_step *step,
                    const struct dependency *dependency) {
    struct chains *known = &machine->threads[step->thread].known;
    uint64_t chain = machine->threads[step->thread].stack << 6 | place_of(step);
    bool repeated = has_chain(known, chain);
    if (!repeated && connect(machine, dependency)) {
        for (size_t i = 0; i < THREADS; i++) {
            machine->threads[i].known.count = 0;
        }
    }
    if (!repeated && !watched(machine, dependency)) {
        known->at[known->count++] = chain;
    }
    return repeated;
}

static void depend(struct machine *machine, const struct random_step *step) {
    struct random_thread *self = &machine->threads[step->thread];
    if (machine->program->kinds[step->object] == LGR_LOCK_RWLOCK && !step->shared) {
        machine->written |= 1u << step->object;
        machine->written_for_long |= step->kind == RANDOM_TIMED ? 0 : 1u << step->object;
    }
    if (self->held == 0) {
        return;
    }
    self->clock.times[step->thread]++;
    struct dependency *dependency = &machine->dependencies[machine->dependency_count++];
    *dependency = (struct dependency){
        .thread = step->thread,
        .request = step->object,
        .held = self->held,
        .owned = self->owned,
        .handed = self->handed,
        .shared = step->shared,
        .timed = step->kind == RANDOM_TIMED,
        .clock = self->clock,
    };
    dependency->traceless = repeats(machine, step, dependency);
}

/* ---- steps ---- */

/* Nobody ever waits here, and nobody takes a lock twice. */
static bool is_free(const struct machine *machine, const struct random_step *step) {
    for (size_t i = 0; i < THREADS; i++) {
        const struct random_thread *other = &machine->threads[i];
        unsigned hinders = step->shared && i != step->thread ? other->owned : other->held;
        if (hinders & 1u << step->object) {
            return false;
        }
    }
    return true;
}

static bool lock(struct machine *machine, const struct random_step *step) {
    struct random_thread *self = &machine->threads[step->thread];
    if (!is_free(machine, step)) {
        return false;
    }
    struct lge_request request = request_for(machine, step);
    if (step->kind != RANDOM_TRY) {
        depend(machine, step);
        lge_check(self->engine, &request);
    }
    lge_acquired(self->engine, &request);
    self->held |= 1u << step->object;
    self->owned |= step->shared ? 0 : 1u << step->object;
    self->stack = self->stack << 6 | place_of(step);
    self->handed &= ~(1u << step->object);
    return true;
}

/* Semaphores taken after the lock that is given up. */
static void leave_under(struct machine *machine, struct random_thread *self, unsigned lock) {
    for (unsigned shift = 0; (self->stack >> shift & 63) >> 3 != lock + 1; shift += 6) {
        unsigned newer = ((unsigned)(self->stack >> shift & 63) >> 3) - 1;
        bool single = machine->program->kinds[newer] == LGR_LOCK_SEMAPHORE && (self->owned & 1u << newer);
        self->handed |= single ? 1u << newer : 0;
    }
}

/* The stack without a lock, in either mode. */
static uint64_t without(uint64_t stack, unsigned lock) {
    uint64_t newer = 0;
    for (unsigned shift = 0; stack >> shift; shift += 6) {
        if ((stack >> shift & 63) >> 3 == lock + 1) {
            return stack >> shift >> 6 << shift | newer;
        }
        newer |= stack & (uint64_t)63 << shift;
    }
    return stack;
}

static bool unlock(struct machine *machine, const struct random_step *step) {
    struct random_thread *self = &machine->threads[step->thread];
    if (!(self->held & 1u << step->object)) {
        return false;
    }
    lge_released(self->engine, &machine->ids[step->object]);
    leave_under(machine, self, step->object);
    self->held &= ~(1u << step->object);
    self->owned &= ~(1u << step->object);
    self->stack = without(self->stack, step->object);
    return true;
}

static bool post(struct machine *machine, const struct random_step *step) {
    machine->posted[step->object]++;
    learn(&machine->flowed[step->object], &machine->threads[step->thread].clock);
    lge_sync_release(machine->threads[step->thread].engine, machine->syncs[step->object]);
    return true;
}

static bool wait(struct machine *machine, const struct random_step *step) {
    if (machine->posted[step->object] == 0) {
        return false;
    }
    machine->posted[step->object]--;
    learn(&machine->threads[step->thread].clock, &machine->flowed[step->object]);
    lge_sync_acquire(machine->threads[step->thread].engine, machine->syncs[step->object],
                     LGR_REASON_SEMAPHORE);
    return true;
}

static bool barrier(struct machine *machine, const struct random_step *step) {
    struct random_thread *parties[BARRIER_PARTIES] = {&machine->threads[step->thread],
                                                      &machine->threads[step->object]};
    if (!parties[1]->engine || parties[0] == parties[1]) {
        return false;
    }
    struct lge_sync *sync = lge_sync_new();
    learn(&parties[0]->clock, &parties[1]->clock);
    learn(&parties[1]->clock, &parties[0]->clock);
    for (size_t i = 0; i < BARRIER_PARTIES; i++) {
        lge_sync_release(parties[i]->engine, sync);
    }
    for (size_t i = 0; i < BARRIER_PARTIES; i++) {
        lge_sync_acquire(parties[i]->engine, sync, LGR_REASON_BARRIER);
    }
    lge_sync_free(sync);
    return true;
}

static bool create(struct machine *machine, const struct random_step *step) {
    struct random_thread *child = &machine->threads[step->object];
    if (child->engine || child->ended) {
        return false;
    }
    child->clock = machine->threads[step->thread].clock;
    machine->threads[step->thread].known.count = 0;
    start(machine, step->object, machine->threads[step->thread].engine);
    return true;
}

static bool join(struct machine *machine, const struct random_step *step) {
    struct random_thread *target = &machine->threads[step->object];
    if (!target->engine || target->ended || target->held || step->object == step->thread) {
        return false;
    }
    target->ended = true;
    if (learn(&machine->threads[step->thread].clock, &target->clock)) {
        machine->threads[step->thread].known.count = 0;
    }
    lge_thread_end(target->engine);
    lge_thread_joined(machine->threads[step->thread].engine, target->engine,
                      lge_thread_serial(target->engine));
    target->engine = NULL;
    return true;
}

bool machine_execute(struct machine *machine, const struct random_step *step) {
    if (!machine->threads[step->thread].engine) {
        return false;
    }
    switch (step->kind) {
    case RANDOM_LOCK:
    case RANDOM_TIMED:
    case RANDOM_TRY:
        return lock(machine, step);
    case RANDOM_UNLOCK:
        return unlock(machine, step);
    case RANDOM_POST:
        return post(machine, step);
    case RANDOM_WAIT:
        return wait(machine, step);
    case RANDOM_BARRIER:
        return barrier(machine, step);
    case RANDOM_CREATE:
        return create(machine, step);
    case RANDOM_JOIN:
        return join(machine, step);
    }
    return false;
}

void machine_begin(struct machine *machine, const struct program *program) {
    static const char *const names[LOCKS] = {"A", "B", "C", "D", "E", "F"};
    memset(machine, 0, sizeof *machine);
    machine->program = program;
    struct lge_config config = {
        .search_budget = 1u << 20, .stack_depth = 4, .on_finding = seen_take, .user = &machine->seen};
    lge_start(&config);
    for (unsigned i = 0; i < program->first_threads; i++) {
        start(machine, i, NULL);
    }
    for (unsigned i = 0; i < LOCKS; i++) {
        machine->ids[i] = lge_lock_id_new(machine->threads[0].engine, lge_class_named(names[i]));
    }
    for (unsigned i = 0; i < SIGNALS; i++) {
        machine->syncs[i] = lge_sync_new();
    }
}

void machine_end(struct machine *machine) {
    for (unsigned i = 0; i < SIGNALS; i++) {
        lge_sync_free(machine->syncs[i]);
    }
    seen_clear(&machine->seen);
    lge_reset();
}
