/* `lockgraph why`: how one lock came to be taken under another. */
#include "why.h"

#include <string.h>

#include "command.h"
#include "data_dir.h"
#include "evidence.h"
#include "exit_code.h"
#include "format_stacks.h"
#include "ink.h"
#include "model_findings.h"
#include "order_words.h"
#include "stacks.h"
#include "suppress.h"

#define NAMES_TOLD  12
#define STACKS_TOLD 3 /* of one pair, with all frames; of the others the places */

static const struct command_option options[] = {{0}};

static bool apply(void *settings, const struct command_option *option, const char *value, char *error) {
    (void)settings, (void)option, (void)value, (void)error;
    return true;
}

/* ---- names ---- */

static bool is_called(const char *pattern, const struct model_lock *lock) {
    return lock && (pattern_matches(pattern, lock->name) || pattern_matches(pattern, lock->short_name));
}

/* Which classes the pattern means: by their own name or id, or by that of a lock. */
static size_t mark(struct model *model, const struct pair_graph *graph, const char *pattern, bool *marks) {
    size_t count = 0;
    for (size_t i = 0; i < graph->sighting_count; i++) {
        const struct sighting *sighting = &graph->sightings[i];
        struct model_process *process = sighting->process;
        marks[sighting->from] |= is_called(pattern, model_lock_of(model, process, sighting->edge->from_lock));
        marks[sighting->to] |= is_called(pattern, model_lock_of(model, process, sighting->edge->to_lock));
    }
    for (size_t i = 0; i < graph->class_count; i++) {
        const struct model_class *class = graph->classes[i];
        marks[i] |= pattern_matches(pattern, class->name) || pattern_matches(pattern, class->short_name) ||
                    pattern_matches(pattern, class->id);
        count += marks[i];
    }
    return count;
}

/* As the finding reports do: by a lock of the class, which may have a better name. */
static const char *label(struct model *model, const struct pair_graph *graph, const struct graph_pair *pair,
                         bool of_from) {
    const struct sighting *first = &graph->sightings[pair->first];
    const struct model_lock *lock =
        model_lock_of(model, first->process, of_from ? first->edge->from_lock : first->edge->to_lock);
    const struct model_class *class = graph->classes[of_from ? pair->from : pair->to];
    return lock->class ? lock->short_name : class->short_name;
}

/* ---- in words ---- */

struct teller {
    struct text *out;
    struct model *model;
    const struct pair_graph *graph;
    bool *told; /* by pair: with its stacks */
    bool color;
};

static void add_sighting(const struct teller *teller, const struct graph_pair *pair, size_t index) {
    const struct sighting *sighting = &teller->graph->sightings[pair->first + index];
    struct model_edge edge = model_edge_of(teller->model, sighting->process, sighting->edge);
    struct model_finding frame = {.kind = LGR_KIND_ORDER_CYCLE, .edge_count = 1, .edges = &edge};
    model_label_edges(teller->model, &frame);
    if (index < STACKS_TOLD)
        format_edge_stacks(teller->out, teller->model, &frame, &edge, teller->color);
    else
        text_printf(teller->out, "    %s\n",
                    order_sites(&teller->model->pool, &edge.held_at, &edge.requested_at));
}

static void add_pair(const struct teller *teller, const struct graph_pair *pair) {
    size_t index = (size_t)(pair - teller->graph->pairs);
    text_printf(teller->out, "  %s is taken under %s, at %s",
                label(teller->model, teller->graph, pair, false),
                label(teller->model, teller->graph, pair, true),
                order_count(&teller->model->pool, pair->count, "place", "places"));
    text_add(teller->out, teller->told[index] ? ": told above\n" : "\n");
    for (size_t i = 0; i < pair->count && !teller->told[index]; i++)
        add_sighting(teller, pair, i);
    teller->told[index] = true;
}

static void add_path(const struct teller *teller, const struct why_path *path) {
    const char *line = label(teller->model, teller->graph, path->pairs[0], true);
    for (size_t i = 0; i < path->length; i++)
        line = pool_printf(&teller->model->pool, "%s → %s", line,
                           label(teller->model, teller->graph, path->pairs[i], false));
    text_add(teller->out, "\n");
    ink_add(teller->out, teller->color, INK_BOLD, line);
    text_add(teller->out, "\n");
    for (size_t i = 0; i < path->length; i++)
        add_pair(teller, path->pairs[i]);
}

static void add_paths(const struct teller *teller, const struct why_paths *paths, const char *from,
                      const char *to) {
    struct pool *pool = &teller->model->pool;
    from = text_clean(pool, from);
    to = text_clean(pool, to);
    if (paths->count == 0) {
        text_printf(teller->out,
                    "No path leads from %s to %s: nothing of what was seen takes %s, even by steps, while it "
                    "holds %s.\n",
                    from, to, to, from);
        return;
    }
    text_printf(teller->out, "%s from %s to %s, the shortest first%s:\n",
                order_count(pool, paths->count, "path", "paths"), from, to,
                paths->more ? "; there may be more" : "");
    for (size_t i = 0; i < paths->count; i++)
        add_path(teller, &paths->list[i]);
}

/* ---- the command ---- */

/* Some of the names there are, for who mistook one. */
static const char *some_names(struct model *model, const struct pair_graph *graph) {
    const char *list = "none";
    size_t told = 0;
    for (size_t i = 0; i < graph->class_count && told <= NAMES_TOLD; i++) {
        const char *name = told < NAMES_TOLD ? model->classes[i]->short_name : "…";
        list = told++ ? pool_printf(&model->pool, "%s, %s", list, name) : name;
    }
    return list;
}

static bool known(struct model *model, const struct pair_graph *graph, const char *pattern, bool *marks) {
    if (mark(model, graph, pattern, marks))
        return true;
    complain("why: no lock that was taken together with another one is called %s; known are: %s",
             text_clean(&model->pool, pattern), some_names(model, graph));
    return false;
}

static int why_in(struct model *model, char **names, struct text *out, int status) {
    struct pair_graph graph = pair_graph_of(model);
    bool *from = pool_array(&model->pool, graph.class_count + 1, sizeof *from);
    bool *to = pool_array(&model->pool, graph.class_count + 1, sizeof *to);
    if (!known(model, &graph, names[0], from) || !known(model, &graph, names[1], to))
        return EXIT_USAGE;
    struct teller teller = {.out = out, .model = model, .graph = &graph, .color = ink_wanted(stdout)};
    teller.told = pool_array(&model->pool, graph.pair_count + 1, sizeof *teller.told);
    add_paths(&teller, why_find(model, &graph, from, to), names[0], names[1]);
    return status;
}

static int why(const struct command *command, int count, char **arguments) {
    int operands = command_options(command, count, arguments, NULL), status = EXIT_CLEAN;
    if (operands < 0)
        return command_options_status(operands);
    if (operands < 2) {
        complain("why: name two locks or classes, as reports print them: lockgraph why OUTER INNER");
        return EXIT_USAGE;
    }
    struct pool pool = {0};
    struct text out = {0};
    struct model *model =
        evidence_load(&pool, operands - 2, arguments + 2, &(struct model_options){0}, &status);
    if (model) {
        status = why_in(model, arguments, &out, status);
        model_free(model);
    }
    pool_free(&pool);
    return evidence_print(&out, status);
}

const struct command why_command = {
    .name = "why",
    .summary = "tell how one lock came to be taken under another",
    .synopsis = "[options] OUTER INNER [DIR|FILE…]",
    .description =
        "Tells every known path from the lock or class OUTER to INNER, by what was taken while what was\n"
        "held, with stacks; the shortest first. Names are those of reports; * stands for any text. The\n"
        "evidence is in DIR (default ./" DEFAULT_DATA_DIR ") or the FILEs.\n"
        "Exit status: 0 told, also that there is none; 2 nothing has such a name; 65 unreadable evidence.",
    .examples = "  lockgraph why ledger_lock audit_lock\n"
                "  lockgraph why 'session*' '*_lock' monday.data\n",
    .options = options,
    .symbolises = true,
    .apply = apply,
    .run = why,
};
