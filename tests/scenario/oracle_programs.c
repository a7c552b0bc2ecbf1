/* Makes random programs for the oracle. */
#include "oracle.h"

/* What a program is rich in, in percent. */
struct style {
    unsigned locks, threads, steps;
    unsigned gate; /* the first lock taken is one of the first `gates` */
    unsigned gates;
    unsigned try, timed, shared;
    unsigned order; /* steps that order */
    unsigned stay;  /* the next step is by the same thread, too */
    unsigned hand;  /* the next thread gets a post of the last one first */
};

static bool chance(unsigned percent) { return random_below(100) < percent; }

static unsigned live_threads(const struct machine *machine) {
    unsigned live = 0;
    for (size_t i = 0; i < THREADS; i++) {
        live += machine->threads[i].engine != NULL;
    }
    return live;
}

static struct random_step propose_order(const struct style *style, unsigned thread) {
    static const enum random_kind kinds[] = {RANDOM_POST, RANDOM_WAIT, RANDOM_CREATE, RANDOM_JOIN,
                                             RANDOM_BARRIER};
    struct random_step step = {.kind = kinds[random_below(5)], .thread = thread};
    bool signal = step.kind == RANDOM_POST || step.kind == RANDOM_WAIT;
    step.object = random_below(signal ? SIGNALS : style->threads);
    return step;
}

static unsigned newest(const struct machine *machine, unsigned thread) {
    return (unsigned)(machine->threads[thread].stack & 63) / 8 - 1;
}

/* Mostly nesting; a thread that holds much lets go, newest first as a rule. */
static struct random_step propose(const struct machine *machine, const struct style *style, unsigned thread) {
    if (chance(style->order)) {
        return propose_order(style, thread);
    }
    unsigned held = machine->threads[thread].held;
    struct random_step step = {.thread = thread, .object = random_below(style->locks)};
    if (held && chance(25 + 12 * (unsigned)__builtin_popcount(held))) {
        step.kind = RANDOM_UNLOCK;
        step.object = chance(75) ? newest(machine, thread) : step.object;
        return step;
    }
    if (!held && chance(style->gate)) {
        step.object = random_below(style->gates);
    }
    step.kind = chance(style->try) ? RANDOM_TRY : chance(style->timed) ? RANDOM_TIMED : RANDOM_LOCK;
    step.shared = machine->program->kinds[step.object] == LGR_LOCK_RWLOCK && chance(style->shared);
    return step;
}

static bool add(struct program *program, struct machine *machine, struct random_step step) {
    if (program->count >= STEPS || !machine_execute(machine, &step)) {
        return false;
    }
    program->steps[program->count++] = step;
    return true;
}

/* A thread's turn goes on, mostly, while it holds something. */
static unsigned next_thread(struct program *program, struct machine *machine, const struct style *style,
                            unsigned last) {
    unsigned next = random_below(style->threads);
    if (next == last || (machine->threads[last].held && chance(style->stay))) {
        return last;
    }
    if (machine->threads[next].engine && chance(style->hand) &&
        add(program, machine, (struct random_step){.kind = RANDOM_POST, .thread = last})) {
        add(program, machine, (struct random_step){.kind = RANDOM_WAIT, .thread = next});
    }
    return next;
}

static void make(struct program *program, const struct style *style) {
    struct machine machine;
    unsigned thread = 0;
    program->count = 0;
    machine_begin(&machine, program);
    for (unsigned attempts = 0; attempts < 2000 && program->count < style->steps; attempts++) {
        thread = next_thread(program, &machine, style, thread);
        struct random_step step = propose(&machine, style, thread);
        if (step.kind != RANDOM_CREATE || live_threads(&machine) < LIVE) {
            add(program, &machine, step);
        }
    }
    machine_end(&machine);
}

static void all_of_kind(struct program *program, enum lgr_lock_kind kind) {
    for (size_t i = 0; i < LOCKS; i++) {
        program->kinds[i] = kind;
        program->prefer_writer[i] = false;
    }
}

void program_of_any_kind(struct program *program) {
    bool ordering = chance(50);
    struct style style = {.locks = 2 + random_below(LOCKS - 1),
                          .threads = THREADS,
                          .steps = 8 + random_below(STEPS - 24),
                          .try = 8,
                          .shared = 50,
                          .order = ordering ? 10 : 0};
    program->first_threads = ordering ? 1 + random_below(3) : 2 + random_below(LIVE - 1);
    program->one_place = false;
    all_of_kind(program, chance(33) ? LGR_LOCK_RWLOCK : LGR_LOCK_MUTEX);
    make(program, &style);
}

/* Every lock of any kind. */
static void mix_kinds(struct program *program) {
    static const enum lgr_lock_kind kinds[] = {LGR_LOCK_MUTEX, LGR_LOCK_RWLOCK, LGR_LOCK_RWLOCK,
                                               LGR_LOCK_SPIN, LGR_LOCK_SEMAPHORE};
    for (size_t i = 0; i < LOCKS; i++) {
        program->kinds[i] = kinds[random_below(5)];
        program->prefer_writer[i] = program->kinds[i] == LGR_LOCK_RWLOCK && chance(40);
    }
}

static unsigned often_or_never(unsigned share, unsigned percent) { return chance(share) ? percent : 0; }

void program_of_all_grades(struct program *program) {
    struct style style = {.locks = chance(25) ? 2 : 3 + random_below(LOCKS - 2),
                          .threads = chance(4) ? 1 : 2 + random_below(LIVE - 1),
                          .steps = 24 + random_below(STEPS - 24),
                          .gate = often_or_never(60, chance(75) ? 100 : 80),
                          .gates = chance(75) ? 1 : 2,
                          .try = often_or_never(50, 5 + random_below(20)),
                          .timed = often_or_never(40, 20 + random_below(81)),
                          .shared = 20 + random_below(70),
                          .order = often_or_never(50, 3 + random_below(25)),
                          .stay = 60 + random_below(41),
                          .hand = often_or_never(40, 70 + random_below(31))};
    program->first_threads = style.order ? 1 + random_below(style.threads) : style.threads;
    program->one_place = chance(25);
    all_of_kind(program, LGR_LOCK_MUTEX);
    if (chance(75)) {
        mix_kinds(program);
    }
    make(program, &style);
}
