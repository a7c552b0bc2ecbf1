/* Executes random programs: feeds the engine, and keeps every dependency with
 * its vector clock for the oracle. */
#include <string.h>

#include "oracle.h"

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
    lge_thread_begin(started->engine, 100 + thread, 0);
    started->serial = lge_thread_serial(started->engine);
}

static struct lge_request request_for(const struct machine *machine, const struct random_step *step) {
    uintptr_t frame = 0x5000 + 32 * step->object + 16 * step->shared;
    struct lge_request request = {
        .address = &machine->ids[step->object], .id = machine->ids[step->object], .site = frame};
    request.context = lge_context_intern(&frame, 1, false);
    request.mode = step->shared ? LGR_SHARED : LGR_EXCLUSIVE;
    request.kind = machine->rwlocks ? LGR_LOCK_RWLOCK : LGR_LOCK_MUTEX;
    return request;
}

/* A cycle graded below feasible runs through an edge of this dependency. */
static bool watched(const struct machine *machine, const struct dependency *dependency) {
    for (size_t i = 0; i < machine->seen.findings.count; i++) {
        const struct seen_finding *finding = &machine->seen.findings.at[i];
        for (size_t j = 0; finding->head.verdict != LGR_VERDICT_FEASIBLE && j < finding->edges.count; j++) {
            const struct lge_finding_edge *edge = &finding->edges.at[j];
            for (unsigned from = 0; from < MUTEXES; from++) {
                if ((dependency->held & 1u << from) && edge->from == machine->ids[from] &&
                    edge->to == machine->ids[dependency->request]) {
                    return true;
                }
            }
        }
    }
    return false;
}

static bool repeats(const struct machine *machine, const struct dependency *dependency) {
    for (const struct dependency *old = machine->dependencies; old < dependency; old++) {
        if (old->thread == dependency->thread && old->request == dependency->request &&
            old->shared == dependency->shared && old->stack == dependency->stack &&
            old->generation == dependency->generation) {
            return true;
        }
    }
    return false;
}

static void depend(struct machine *machine, const struct random_step *step) {
    struct random_thread *self = &machine->threads[step->thread];
    if (self->held == 0) {
        return;
    }
    self->clock.times[step->thread]++;
    struct dependency *dependency = &machine->dependencies[machine->dependency_count++];
    dependency->thread = step->thread;
    dependency->request = step->object;
    dependency->shared = step->shared;
    dependency->held = self->held;
    dependency->owned = self->owned;
    dependency->stack = self->stack;
    dependency->generation = self->generation;
    dependency->clock = self->clock;
    dependency->traceless = repeats(machine, dependency) && !watched(machine, dependency);
}

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

static bool lock_mutex(struct machine *machine, const struct random_step *step) {
    struct random_thread *self = &machine->threads[step->thread];
    if (!is_free(machine, step)) {
        return false;
    }
    struct lge_request request = request_for(machine, step);
    if (step->kind == RANDOM_LOCK) {
        depend(machine, step);
        lge_check(self->engine, &request);
    }
    lge_acquired(self->engine, &request);
    self->held |= 1u << step->object;
    self->owned |= step->shared ? 0 : 1u << step->object;
    self->stack = self->stack << 4 | (2 * step->object + step->shared + 1);
    return true;
}

/* The stack without a lock, in either mode. */
static uint64_t without(uint64_t stack, unsigned lock) {
    uint64_t newer = 0;
    for (unsigned shift = 0; stack >> shift; shift += 4) {
        if (((stack >> shift & 15) - 1) / 2 == lock) {
            return stack >> shift >> 4 << shift | newer;
        }
        newer |= stack & (uint64_t)15 << shift;
    }
    return stack;
}

static bool unlock_mutex(struct machine *machine, const struct random_step *step) {
    struct random_thread *self = &machine->threads[step->thread];
    if (!(self->held & 1u << step->object)) {
        return false;
    }
    lge_released(self->engine, &machine->ids[step->object]);
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

static bool create(struct machine *machine, const struct random_step *step) {
    struct random_thread *child = &machine->threads[step->object];
    if (child->engine || child->ended) {
        return false;
    }
    child->clock = machine->threads[step->thread].clock;
    machine->threads[step->thread].generation++;
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
        machine->threads[step->thread].generation++;
    }
    lge_thread_end(target->engine);
    lge_thread_joined(machine->threads[step->thread].engine, target->engine);
    target->engine = NULL;
    return true;
}

bool machine_execute(struct machine *machine, const struct random_step *step) {
    if (!machine->threads[step->thread].engine) {
        return false;
    }
    switch (step->kind) {
    case RANDOM_LOCK:
    case RANDOM_TRY:
        return lock_mutex(machine, step);
    case RANDOM_UNLOCK:
        return unlock_mutex(machine, step);
    case RANDOM_POST:
        return post(machine, step);
    case RANDOM_WAIT:
        return wait(machine, step);
    case RANDOM_CREATE:
        return create(machine, step);
    case RANDOM_JOIN:
        return join(machine, step);
    }
    return false;
}

void machine_begin(struct machine *machine, const struct program *program) {
    static const char *const names[MUTEXES] = {"A", "B", "C", "D", "E"};
    memset(machine, 0, sizeof *machine);
    struct lge_config config = {
        .search_budget = 1u << 20, .stack_depth = 4, .on_finding = seen_take, .user = &machine->seen};
    lge_start(&config);
    machine->rwlocks = program->rwlocks;
    for (unsigned i = 0; i < program->first_threads; i++) {
        start(machine, i, NULL);
    }
    for (unsigned i = 0; i < MUTEXES; i++) {
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
