/* Runs a case in the order written, in every permutation of its lines, or in
 * every interleaving of its steps.  Interleavings are walked depth first: each
 * run replays the choices so far and takes the first thread from then on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

struct choice {
    size_t taken;   /* index among the runnable threads */
    size_t options; /* how many there were */
};
struct walk {
    LIST(struct choice) choices;
    size_t depth;
    char how[512];
};

/* ---- one run ---- */

static bool run_one_runnable(struct world *world) {
    for (size_t i = 0; i < world->scenario->threads.count; i++) {
        if (world_runnable(world, i)) {
            world_step(world, i);
            return true;
        }
    }
    return false;
}

/* A line runs to its end, or until its thread blocks; then whatever can go on
 * does, before the next line. */
static void run_line(struct world *world, const struct script_line *line) {
    if (line->event != EVENT_NONE) {
        world_event(world, line);
    }
    world->threads[line->thread].available += line->steps.count;
    while (world_runnable(world, line->thread)) {
        world_step(world, line->thread);
    }
    while (run_one_runnable(world)) {
    }
}

static bool conclude(struct scenario *scenario, struct world *world, const char *how) {
    lge_finish();
    audit_findings(world);
    bool good = judge_run(scenario, world, how);
    world_end(world);
    return good;
}

static void reprogram(struct world *world, const size_t *order) {
    const struct scenario *scenario = world->scenario;
    for (size_t i = 0; i < scenario->threads.count; i++) {
        world->threads[i].program.count = 0;
    }
    for (size_t i = 0; i < scenario->lines.count; i++) {
        const struct script_line *line = &scenario->lines.at[order[i]];
        for (size_t j = 0; j < line->steps.count; j++) {
            *ADD(&world->threads[line->thread].program) = &line->steps.at[j];
        }
    }
}

static bool run_order(struct scenario *scenario, const size_t *order, const char *how) {
    struct world world;
    world_begin(&world, scenario);
    reprogram(&world, order);
    for (size_t i = 0; i < scenario->lines.count; i++) {
        run_line(&world, &scenario->lines.at[order[i]]);
    }
    return conclude(scenario, &world, how);
}

/* ---- permutations ---- */

static bool next_permutation(size_t *order, size_t count) {
    size_t i = count, j = count;
    while (i > 1 && order[i - 2] >= order[i - 1]) {
        i--;
    }
    if (i < 2) {
        return false;
    }
    while (order[j - 1] <= order[i - 2]) {
        j--;
    }
    size_t swap = order[i - 2];
    order[i - 2] = order[j - 1];
    order[j - 1] = swap;
    for (size_t low = i - 1, high = count - 1; low < high; low++, high--) {
        swap = order[low];
        order[low] = order[high];
        order[high] = swap;
    }
    return true;
}

static void describe_order(const size_t *order, size_t count, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "lines in the order");
    for (size_t i = 0; i < count && used + 8 < size; i++) {
        used += (size_t)snprintf(text + used, size - used, " %zu", order[i] + 1);
    }
}

static bool too_many(const struct scenario *scenario) {
    printf("FAIL %s:%d: %s\n    more than %zu runs\n", scenario->file, scenario->line, scenario->name,
           scenario->limit);
    return false;
}

static bool run_permutations(struct scenario *scenario, size_t *order) {
    char how[256];
    size_t runs = 0;
    do {
        describe_order(order, scenario->lines.count, how, sizeof how);
        if (++runs > scenario->limit) {
            return too_many(scenario);
        }
        if (!run_order(scenario, order, how)) {
            return false;
        }
    } while (next_permutation(order, scenario->lines.count));
    return judge_all(scenario);
}

static bool run_lines(struct scenario *scenario) {
    size_t *order = calloc(scenario->lines.count + 1, sizeof *order);
    bool good = false;
    for (size_t i = 0; order && i < scenario->lines.count; i++) {
        order[i] = i;
    }
    if (order && scenario->schedule == SCHEDULE_PERMUTE) {
        good = run_permutations(scenario, order);
    } else if (order) {
        good = run_order(scenario, order, "") && judge_all(scenario);
    }
    free(order);
    return good;
}

/* ---- interleavings ---- */

static size_t choose(struct walk *walk, size_t options) {
    if (walk->depth == walk->choices.count) {
        ADD(&walk->choices)->options = options;
    }
    return walk->choices.at[walk->depth++].taken;
}

static bool step_chosen(struct walk *walk, struct world *world) {
    size_t options = 0, count = world->scenario->threads.count;
    for (size_t i = 0; i < count; i++) {
        options += world_runnable(world, i);
    }
    if (options == 0) {
        return false;
    }
    size_t left = choose(walk, options), thread = 0;
    while (!world_runnable(world, thread) || left-- > 0) {
        thread++;
    }
    size_t used = strlen(walk->how);
    snprintf(walk->how + used, sizeof walk->how - used, " %s", world->scenario->threads.at[thread].name);
    world_step(world, thread);
    return true;
}

static bool run_interleaving(struct scenario *scenario, struct walk *walk) {
    struct world world;
    world_begin(&world, scenario);
    for (size_t i = 0; i < scenario->threads.count; i++) {
        world.threads[i].available = world.threads[i].program.count;
    }
    walk->depth = 0;
    snprintf(walk->how, sizeof walk->how, "steps by");
    while (step_chosen(walk, &world)) {
    }
    return conclude(scenario, &world, walk->how);
}

static bool next_interleaving(struct walk *walk) {
    while (walk->choices.count > 0) {
        struct choice *last = &walk->choices.at[walk->choices.count - 1];
        if (++last->taken < last->options) {
            return true;
        }
        walk->choices.count--;
    }
    return false;
}

static bool run_interleavings(struct scenario *scenario) {
    struct walk walk = {0};
    size_t runs = 0;
    bool good = true;
    do {
        good = ++runs <= scenario->limit ? run_interleaving(scenario, &walk) : too_many(scenario);
    } while (good && next_interleaving(&walk));
    free(walk.choices.at);
    return good && judge_all(scenario);
}

bool schedule_run(struct scenario *scenario) {
    return scenario->schedule == SCHEDULE_INTERLEAVE ? run_interleavings(scenario) : run_lines(scenario);
}
