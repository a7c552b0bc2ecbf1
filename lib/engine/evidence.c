#include "engine/evidence.h"
#include "engine/lifecycle.h"

#include <string.h>

#include "engine/context.h"
#include "engine/finding.h"
#include "engine/level.h"
#include "engine/level_name.h"
#include "engine/lock_class.h"
#include "engine/map.h"
#include "engine/mix.h"
#include "engine/recorded_modules.h"
#include "engine/semaphore.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"
#include "platform/system.h"
#include "record/writer.h"

/* Protects everything "recorded", and the module list. */
static struct lgp_lock lock;
static uint32_t generation = 1;

/* Uses of conditions, by thread, condition and role.  Under the lock. */
static struct lge_map uses_written;
static char present;

void lge_evidence_new_file(void) {
    generation++;
    lge_recorded_modules_new_file();
    lge_map_clear(&uses_written);
}

/* True the first time in this file. */
static bool first_time(uint32_t *recorded) {
    if (*recorded == generation)
        return false;
    *recorded = generation;
    return true;
}

static void write_context(uint32_t id) {
    struct lge_context *context = lge_context_get(id);
    if (context == NULL || !first_time(&context->recorded))
        return;
    struct lgr_location frames[64];
    for (size_t i = 0; i < context->count; i++)
        frames[i] = lge_recorded_location(context->frames[i],
                                          atomic_load_explicit(&context->epoch, memory_order_relaxed));
    struct lgr_context *record =
        lgr_begin(LGR_CONTEXT, sizeof *record + context->count * sizeof frames[0], true);
    if (record == NULL)
        return;
    record->id = id;
    record->frame_count = context->count;
    record->flags = context->partial ? LGR_CONTEXT_PARTIAL : 0;
    memcpy(record->frames, frames, context->count * sizeof frames[0]);
    lgr_commit(record);
}

static void write_level_name(int16_t level) {
    struct lge_level_name *name = level == LGE_NO_LEVEL ? NULL : lge_level_name_of(level);
    if (name == NULL || !first_time(&name->recorded))
        return;
    struct lgr_level_name *record = lgr_begin(LGR_LEVEL_NAME, sizeof *record + name->length, true);
    if (record == NULL)
        return;
    record->level = level;
    record->name_length = (uint32_t)name->length;
    memcpy(record + 1, name->text, name->length);
    lgr_commit(record);
}

static void write_class(uint32_t id) {
    struct lge_class *class = lge_class_get(id);
    if (class == NULL || !first_time(&class->recorded))
        return;
    write_context(class->context);
    write_level_name(class->level);
    struct lgr_location variable = {0};
    if (class->kind == LGR_CLASS_STATIC)
        variable = lge_recorded_location(class->variable, class->epoch);
    struct lgr_class *record = lgr_begin(LGR_CLASS, sizeof *record + class->name_length, true);
    if (record == NULL)
        return;
    record->id = id;
    record->kind = class->kind;
    record->level = class->level;
    record->context = class->context;
    record->variable = variable;
    record->name_length = (uint32_t) class->name_length;
    if (class->name_length != 0)
        memcpy(record + 1, class->name, class->name_length);
    lgr_commit(record);
}

/* As they stand in the attributes. */
static uint16_t slots_of(uint64_t id, uint16_t kind) {
    uint32_t slots = kind == LGR_LOCK_SEMAPHORE ? lge_semaphore_slots(id) : 0;
    return (uint16_t)((slots < LGR_LOCK_SLOTS_MOST ? slots : LGR_LOCK_SLOTS_MOST) << LGR_LOCK_SLOTS_SHIFT);
}

/* So that a report can show the declared order around the two. */
static void write_levels(void) {
    uint32_t count = lge_class_count();
    for (uint32_t id = 1; id <= count; id++)
        if (lge_class_level(id) != LGE_NO_LEVEL)
            write_class(id);
}

static void write_lock(uint64_t id) {
    write_class(lge_lock_class(id));
    lge_table_lock();
    struct lge_lock *known = lge_lock_find(id);
    bool first = known != NULL && first_time(&known->recorded);
    struct lge_lock copy = {0};
    if (first)
        copy = *known;
    lge_table_unlock();
    if (!first)
        return;
    struct lgr_lock *record = lgr_begin(LGR_LOCK, sizeof *record, true);
    if (record == NULL)
        return;
    record->id = id;
    record->address = (uintptr_t)lge_address_shown(copy.address);
    record->class_id = lge_lock_class(id);
    record->kind = copy.kind;
    record->attributes = (uint16_t)(copy.attributes | slots_of(id, copy.kind));
    lgr_commit(record);
}

static void write_name(uint32_t serial, const char *name) {
    size_t length = strlen(name);
    struct lgr_thread_name *record = lgr_begin(LGR_THREAD_NAME, sizeof *record + length, true);
    if (record == NULL)
        return;
    record->serial = serial;
    record->name_length = (uint32_t)length;
    memcpy(record + 1, name, length);
    lgr_commit(record);
}

static struct lge_thread *thread_by_serial(uint32_t serial) {
    lge_threads_lock();
    struct lge_thread *thread = lge_threads_first();
    while (thread != NULL && lge_thread_serial(thread) != serial)
        thread = thread->next_in_list;
    lge_threads_unlock();
    return thread;
}

static void write_thread_record(struct lge_thread *thread) {
    if (thread->creation_context != 0)
        write_context(thread->creation_context);
    struct lgr_location start = {0};
    if (thread->start_routine != 0)
        start = lge_recorded_location(thread->start_routine,
                                      atomic_load_explicit(&lge_modules_epoch, memory_order_relaxed));
    struct lgr_thread *record = lgr_begin(LGR_THREAD, sizeof *record, true);
    if (record == NULL)
        return;
    record->serial = lge_thread_serial(thread);
    record->tid = atomic_load_explicit(&thread->tid, memory_order_relaxed);
    record->parent = thread->parent;
    record->creation_context = thread->creation_context;
    record->start_routine = start;
    lgr_commit(record);
}

/* A thread writes itself when it first leaves evidence, so the record is there
 * even if the thread is gone when a finding names it. */
static void write_thread(struct lge_thread *thread) {
    if (thread == NULL)
        return;
    if (first_time(&thread->recorded)) {
        write_thread_record(thread);
        thread->name[0] = '\0';
    }
}

static void write_own_name(struct lge_thread *thread) {
    char name[16];
    lgp_thread_name(name);
    if (strncmp(name, thread->name, sizeof name) == 0)
        return;
    memcpy(thread->name, name, sizeof name);
    write_name(lge_thread_serial(thread), name);
}

void lge_evidence_thread(struct lge_thread *thread) {
    lgp_lock(&lock);
    write_thread(thread);
    write_own_name(thread);
    lgp_unlock(&lock);
}

void lge_evidence_name(uint32_t serial, const char *name) {
    if (name[0] == '\0' || !lgr_writer_accepts(false))
        return;
    lgp_lock(&lock);
    struct lge_thread *thread = thread_by_serial(serial);
    write_thread(thread);
    if (thread != NULL && thread->name[0] == '\0')
        write_name(serial, name);
    lgp_unlock(&lock);
}

/* Its own from an earlier promise, or a new one. */
static struct lgr_heartbeat *obtain_heartbeat(struct lge_heartbeat *heartbeat) {
    if (heartbeat->record != NULL && heartbeat->generation == generation)
        return heartbeat->record;
    struct lgr_heartbeat *record = lgr_begin(LGR_HEARTBEAT, sizeof *record, true);
    heartbeat->record = record;
    heartbeat->generation = generation;
    if (record == NULL)
        return NULL;
    record->severity = lge_severity_of(LGR_KIND_HEARTBEAT_MISSED);
    lgr_commit(record);
    atomic_fetch_add_explicit(&lgr_writer_header()->heartbeats, 1, memory_order_relaxed);
    return record;
}

struct lgr_heartbeat *lge_evidence_heartbeat(struct lge_thread *thread, uint32_t context) {
    if (!lgr_writer_accepts(true))
        return NULL;
    lgp_lock(&lock);
    write_thread(thread);
    if (thread->name[0] == '\0')
        write_name(lge_thread_serial(thread), thread->heartbeat.name);
    write_context(context);
    struct lgr_heartbeat *cell = obtain_heartbeat(&thread->heartbeat);
    lgp_unlock(&lock);
    return cell;
}

static void write_held(const struct lgr_held *held, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        write_lock(held[i].lock);
        write_context(held[i].context);
    }
}

static size_t size_of_edges(const struct lge_finding *finding, bool whole) {
    size_t size = 0;
    for (size_t i = 0; i < finding->edge_count; i++) {
        size += sizeof(struct lgr_finding_edge);
        if (whole)
            size += finding->edges[i].held_count * sizeof(struct lgr_held);
        if (finding->kind == LGR_KIND_STALL)
            size += sizeof(uint64_t);
    }
    return size;
}

static void write_parts(const struct lge_finding *finding) {
    for (size_t i = 0; i < finding->edge_count; i++) {
        const struct lge_finding_edge *edge = &finding->edges[i];
        write_held(edge->held, edge->held_count);
        if (finding->kind == LGR_KIND_STALL)
            write_thread(thread_by_serial((uint32_t)edge->from));
        else
            write_lock(edge->from);
        if (edge->to != 0 && edge->wait_kind == LGR_WAIT_LOCK)
            write_lock(edge->to);
        write_context(edge->held_context);
        write_context(edge->request_context);
        write_thread(thread_by_serial(edge->thread));
    }
    if (finding->reason_kind == LGR_REASON_GATE)
        write_lock(finding->reason_id);
}

static char *put_edge(char *at, const struct lge_finding_edge *edge, bool whole) {
    struct lgr_finding_edge *out = (struct lgr_finding_edge *)(void *)at;
    struct lge_thread *thread = thread_by_serial(edge->thread);
    *out = (struct lgr_finding_edge){
        .from = edge->from,
        .to = edge->to,
        .from_class = edge->from_class,
        .to_class = edge->to_class,
        .thread = edge->thread,
        .tid = thread == NULL ? 0 : atomic_load_explicit(&thread->tid, memory_order_relaxed),
        .held_context = edge->held_context,
        .request_context = edge->request_context,
        .mode_from = edge->mode_from,
        .mode_to = edge->mode_to,
        .timed = edge->timed,
        .wait_kind = edge->wait_kind,
        .held_count = whole ? edge->held_count : 0,
    };
    if (whole && edge->held_count != 0)
        memcpy(out->held, edge->held, edge->held_count * sizeof(struct lgr_held));
    return at + sizeof *out + out->held_count * sizeof(struct lgr_held);
}

static void put_since(char *at, const struct lge_finding *finding) {
    for (size_t i = 0; i < finding->edge_count; i++, at += sizeof(uint64_t))
        memcpy(at, &finding->edges[i].since_realtime_ns, sizeof(uint64_t));
}

static size_t size_of_text(const struct lge_finding *finding) {
    return finding->text == NULL ? 0 : sizeof(uint32_t) + strlen(finding->text);
}

static void put_text(char *at, const struct lge_finding *finding) {
    uint32_t length = (uint32_t)strlen(finding->text);
    memcpy(at, &length, sizeof length);
    memcpy(at + sizeof length, finding->text, length);
}

/* Held stacks so large that the record would not fit a chunk are left out. */
static bool fits_whole(size_t size) { return size < LGR_CHUNK - 4096; }

_Atomic uint64_t *lge_evidence_finding(const struct lge_finding *finding, uint64_t count) {
    lgp_lock(&lock);
    write_parts(finding);
    if (finding->kind == LGR_KIND_LEVEL_VIOLATION)
        write_levels();
    bool whole = fits_whole(sizeof(struct lgr_finding) + size_of_edges(finding, true));
    size_t size = sizeof(struct lgr_finding) + size_of_edges(finding, whole) + size_of_text(finding);
    struct lgr_finding *record = lgr_begin(LGR_FINDING, size, true);
    if (record != NULL) {
        record->problem = finding->problem;
        record->kind = (uint16_t)finding->kind;
        record->verdict = (uint8_t)finding->verdict;
        record->severity = (uint8_t)finding->severity;
        record->time_realtime_ns = lgp_realtime_ns();
        atomic_store_explicit(&record->count, count, memory_order_relaxed);
        record->edge_count = (uint16_t)finding->edge_count;
        record->reason_kind = (uint16_t)finding->reason_kind;
        record->reason_id = finding->reason_id;
        record->timed = finding->timed;
        char *at = (char *)(record + 1);
        for (size_t i = 0; i < finding->edge_count; i++)
            at = put_edge(at, &finding->edges[i], whole);
        if (finding->kind == LGR_KIND_STALL)
            put_since(at, finding);
        if (finding->text != NULL)
            put_text(at, finding);
        lgr_commit(record);
        struct lgr_header *header = lgr_writer_header();
        atomic_fetch_add_explicit(&header->findings, 1, memory_order_relaxed);
        if (finding->verdict == LGR_VERDICT_ACTUAL)
            atomic_fetch_add_explicit(&header->deadlocks, 1, memory_order_release);
    }
    lgp_unlock(&lock);
    return record == NULL ? NULL : &record->count;
}

void lge_evidence_edge(uint64_t from_lock, uint64_t to_lock, const struct lgr_held *held,
                       const struct lge_dependency *dependency) {
    if (!lgr_writer_accepts(false))
        return; /* or its parts would eat up the reserve for findings */
    lgp_lock(&lock);
    write_lock(from_lock); /* with its class; `lockgraph learn` compares the addresses */
    write_lock(to_lock);
    write_context(held->context);
    write_context(dependency->context);
    struct lgr_edge *record = lgr_begin(LGR_EDGE, sizeof *record, false);
    if (record != NULL) {
        record->from_class = lge_lock_class(from_lock);
        record->to_class = lge_lock_class(to_lock);
        record->from_lock = from_lock;
        record->to_lock = to_lock;
        record->thread = dependency->thread;
        record->held_context = held->context;
        record->request_context = dependency->context;
        record->mode_from = (uint8_t)held->mode;
        record->mode_to = dependency->mode;
        record->timed = (dependency->flags & LGE_TIMED) != 0;
        lgr_commit(record);
    }
    lgp_unlock(&lock);
}

/* ---- conditions ---- */

void lge_evidence_condition(const struct lge_thread *thread, const void *condition, uint64_t mutex,
                            enum lgr_condition_role role) {
    uint64_t key = lge_mix(lge_mix((uintptr_t)condition, lge_thread_serial(thread)), role);
    if (!lgr_writer_accepts(false))
        return;
    lgp_lock(&lock);
    bool fresh = lge_map_get(&uses_written, key) == NULL && lge_map_add(&uses_written, key, &present);
    if (fresh && mutex != 0)
        write_lock(mutex);
    struct lgr_condition *record = fresh ? lgr_begin(LGR_CONDITION, sizeof *record, false) : NULL;
    if (record != NULL) {
        record->serial = lge_thread_serial(thread);
        record->role = role;
        record->condition = (uintptr_t)condition;
        record->mutex = mutex;
        lgr_commit(record);
    }
    lgp_unlock(&lock);
}

struct lgp_part lge_condition_uses_part(void) {
    return (struct lgp_part){NULL, &uses_written, sizeof uses_written};
}

/* ---- thread states ---- */

/* Slots that nobody uses any more, in the file of that generation. */
static struct {
    struct lgr_thread_state **items;
    size_t count, room;
    uint32_t generation;
} free_states;

static void put_free(struct lgr_thread_state *state) {
    if (free_states.generation != generation)
        free_states.count = 0;
    free_states.generation = generation;
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
    if (free_states.generation != generation || free_states.count == 0)
        return NULL;
    return free_states.items[--free_states.count];
}

/* A slot in the file: this thread's own, a free one, or a new one. */
static struct lgr_thread_state *obtain_state(struct lge_thread *thread) {
    if (thread->state != NULL && thread->state_generation == generation)
        return thread->state;
    struct lgr_thread_state *state = take_free();
    if (state == NULL) {
        state = lgr_begin(LGR_THREAD_STATE, sizeof *state, true);
        if (state != NULL)
            lgr_commit(state);
    }
    thread->state = state;
    thread->state_generation = generation;
    return state;
}

/* Before the sequence is odd: a kill in there loses the state. */
static void write_state_parts(const struct lge_thread *thread) {
    size_t depth = lge_depth(thread);
    for (size_t i = 0; i < LGR_STATE_HELD && i < depth; i++) {
        write_lock(thread->base[i + 1].id);
        write_context(thread->base[i + 1].context);
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
    lgp_lock(&lock);
    write_thread(thread);
    write_own_name(thread);
    uint32_t kind = atomic_load_explicit(&thread->wait.kind, memory_order_relaxed);
    uint64_t target = atomic_load_explicit(&thread->wait.target, memory_order_relaxed);
    uint32_t context = atomic_load_explicit(&thread->wait.context, memory_order_relaxed);
    write_context(context);
    if (kind == LGR_WAIT_LOCK)
        write_lock(target);
    write_state_parts(thread);
    struct lgr_thread_state *state = obtain_state(thread);
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
    lgp_unlock(&lock);
}

void lge_evidence_state_clear(struct lge_thread *thread) {
    lgp_lock(&lock);
    struct lgr_thread_state *state = thread->state;
    if (state != NULL && thread->state_generation == generation) {
        begin_state(state);
        state->serial = 0;
        state->wait_kind = LGR_WAIT_NONE;
        state->held_count = 0;
        end_state(state);
        put_free(state);
    }
    thread->state = NULL;
    lgp_unlock(&lock);
}

/* ---- figures ---- */

static void write_figures(struct lge_lock *known, void *user) {
    (void)user;
    if (known->contended == 0 || known->recorded != generation)
        return;
    struct lgr_lock_stats *record = lgr_begin(LGR_LOCK_STATS, sizeof *record, false);
    if (record == NULL)
        return;
    record->lock = known->id;
    record->contended = known->contended;
    record->wait_total_ns = known->wait_total_ns;
    record->wait_max_ns = known->wait_most_ns;
    record->waiters_max = known->waiters_most;
    lgr_commit(record);
}

void lge_evidence_lock_figures(void) {
    lge_table_lock();
    lge_locks_each(write_figures, NULL);
    lge_table_unlock();
}

struct lgr_usage *lge_evidence_usage(uint32_t class_id, uint32_t context) {
    if (!lgr_writer_accepts(false))
        return NULL;
    lgp_lock(&lock);
    write_class(class_id);
    write_context(context);
    struct lgr_usage *record = lgr_begin(LGR_USAGE, sizeof *record, false);
    if (record != NULL) {
        record->class_id = class_id;
        record->context = context;
        lgr_commit(record);
    }
    lgp_unlock(&lock);
    return record;
}

void lge_evidence_level(int16_t level) {
    lgp_lock(&lock);
    write_level_name(level);
    lgp_unlock(&lock);
}

void lge_evidence_reset(void) {
    lge_recorded_modules_new_file();
    lge_map_clear(&uses_written);
    generation++;
    lgp_free(free_states.items, free_states.room * sizeof(struct lgr_thread_state *));
    free_states.items = NULL;
    free_states.count = free_states.room = 0;
}

struct lgp_part lge_evidence_part(void) {
    return (struct lgp_part){&lock, (void *)&free_states, sizeof free_states};
}
