/* SARIF 2.1.0, https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html: what code
 * scanning services and editors show beside the source. */
#include <ctype.h>
#include <jansson.h>
#include <string.h>

#include "format.h"
#include "json_parts.h"
#include "kinds.h"
#include "misuse_words.h"
#include "sarif_places.h"
#include "stacks.h"
#include "stall_words.h"
#include "suppress.h"
#include "version.h"

#define SCHEMA "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

struct writer {
    struct model *model;
    const struct format_options *options;
    json_t *rules;
    int rule_of[LGR_KINDS]; /* index + 1; 0: not yet */
};

/* ---- rules: one per kind that was found ---- */

static json_t *rule_object(struct pool *pool, uint16_t kind) {
    const char *name = kind_name(kind), *meaning = kind_meaning(kind);
    char *sentence = pool_printf(pool, "%s.", meaning);
    sentence[0] = (char)toupper((unsigned char)sentence[0]);
    return json_packed("{s:s, s:{s:s}, s:{s:s}}", "id", name, "shortDescription", "text", sentence, "help",
                       "text",
                       "`lockgraph report` tells of each finding what happens step by step, why it is graded "
                       "as it is, and what to change; lockgraph(1) explains kinds and verdicts.");
}

static int rule_of(struct writer *writer, uint16_t kind) {
    int *index = &writer->rule_of[kind < LGR_KINDS ? kind : 0];
    if (!*index) {
        json_array_append_new(writer->rules, rule_object(&writer->model->pool, kind));
        *index = (int)json_array_size(writer->rules);
    }
    return *index - 1;
}

/* ---- what each thread did: both stacks as steps ---- */

static json_t *step(struct writer *writer, const struct code_frame *frame, const char *text, size_t nesting) {
    json_t *location = sarif_location(&writer->model->pool, frame, writer->options->source_root, text);
    return json_packed("{s:o, s:i, s:s}", "location", location, "nestingLevel", (int)nesting, "importance",
                       text ? "essential" : "unimportant");
}

/* From the outermost frame to the one it is named by; only that one is told. */
static void add_stack(struct writer *writer, json_t *steps, const struct stack *stack, const char *text) {
    size_t end = stack_end(stack), nesting = 0;
    if (end <= stack->site)
        end = stack->count;
    for (size_t i = end; i-- > stack->site; nesting++)
        json_array_append_new(steps,
                              step(writer, &stack->frames[i], i == stack->site ? text : NULL, nesting));
    if (stack->count == 0)
        json_array_append_new(
            steps,
            step(writer, NULL, pool_printf(&writer->model->pool, "%s at a place not recorded", text), 0));
}

static const char *earlier_words(struct pool *pool, const struct model_finding *finding,
                                 const struct model_edge *edge) {
    bool level = finding->kind == LGR_KIND_LEVEL_VIOLATION && edge->to;
    if (is_misuse(finding))
        return edge->from ? pool_printf(pool, "%s was %s", level ? edge->to_label : edge->from_label,
                                        misuse_earlier(finding))
                          : misuse_earlier(finding);
    if (is_stall(finding))
        return pool_printf(pool, "%s was last signalled", edge->to_label);
    return pool_printf(pool, "%s is taken", edge->from_label);
}

static const char *request_words(struct pool *pool, const struct model_finding *finding,
                                 const struct model_edge *edge) {
    if (is_misuse(finding))
        return edge->from ? pool_printf(pool, "%s was %s", edge->from_label, misuse_call(finding))
                          : misuse_call(finding);
    if (is_stall(finding))
        return stall_edge(pool, edge);
    if (edge->joined)
        return pool_printf(pool, "waits for %s %s", edge->to_label, edge_until(edge));
    return pool_printf(pool, finding->verdict == LGR_VERDICT_ACTUAL ? "waits for %s" : "%s is requested",
                       edge->to_label);
}

static json_t *thread_flow(struct writer *writer, const struct model_finding *finding, size_t index) {
    const struct model_edge *edge = &finding->edges[index];
    struct pool *pool = &writer->model->pool;
    json_t *steps = json_array();
    if (edge->held_at.count)
        add_stack(writer, steps, &edge->held_at, earlier_words(pool, finding, edge));
    if (edge->requested_at.count || !edge->held_at.count)
        add_stack(writer, steps, &edge->requested_at, request_words(pool, finding, edge));
    return json_packed("{s:s, s:{s:s}, s:o}", "id", edge->thread->tag, "message", "text", edge->thread->label,
                       "locations", steps);
}

static json_t *code_flows(struct writer *writer, const struct model_finding *finding) {
    json_t *flows = json_array();
    for (size_t i = 0; i < finding->edge_count; i++)
        json_array_append_new(flows, thread_flow(writer, finding, i));
    return json_packed("[{s:o}]", "threadFlows", flows);
}

/* ---- results ---- */

static const struct code_frame *site_of(const struct model_edge *edge) {
    const struct code_frame *site = stack_site(&edge->requested_at);
    return site ? site : stack_site(&edge->held_at);
}

/* The other places to look at. */
static json_t *related(struct writer *writer, const struct model_finding *finding) {
    struct pool *pool = &writer->model->pool;
    json_t *places = json_array();
    for (size_t i = 0; i < finding->edge_count; i++) {
        const struct model_edge *edge = &finding->edges[i];
        const struct stack *stacks[] = {&edge->held_at, i ? &edge->requested_at : NULL};
        for (size_t k = 0; k < 2; k++) {
            if (!stacks[k] || stacks[k]->count == 0)
                continue;
            const char *words = (k ? request_words : earlier_words)(pool, finding, edge);
            json_t *place = sarif_location(pool, stack_site(stacks[k]), writer->options->source_root,
                                           pool_printf(pool, "%s: %s", edge->thread->label, words));
            json_object_set_new(place, "id", json_integer((json_int_t)json_array_size(places) + 1));
            json_array_append_new(places, place);
        }
    }
    return places;
}

static json_t *message_of(struct writer *writer, const struct model_finding *finding) {
    bool again = strncmp(finding->explanation, finding->title, strlen(finding->title)) == 0;
    char *text =
        pool_printf(&writer->model->pool, "%s%s%s%s%s%s", again ? "" : finding->title, again ? "" : ". ",
                    finding->explanation, finding->advice[0] ? "\nWhat to change: " : "", finding->advice,
                    finding->advice[0] ? "." : "");
    return json_packed("{s:s}", "text", text);
}

static json_t *suppressions_of(const struct suppression *suppression) {
    json_t *list = json_array();
    if (suppression)
        json_array_append_new(list, json_packed("{s:s, s:s}", "kind", "external", "justification",
                                                suppression->reason ? suppression->reason : ""));
    return list;
}

static json_t *result_object(struct writer *writer, const struct model_finding *finding) {
    struct pool *pool = &writer->model->pool;
    const char *root = writer->options->source_root;
    json_t *locations = json_array();
    if (finding->edge_count && site_of(&finding->edges[0]))
        json_array_append_new(locations, sarif_location(pool, site_of(&finding->edges[0]), root, NULL));
    json_t *result =
        json_packed("{s:s, s:i, s:s, s:o, s:o, s:{s:s}, s:I}", "ruleId", kind_name(finding->kind),
                    "ruleIndex", rule_of(writer, finding->kind), "level", severity_name(finding->severity),
                    "message", message_of(writer, finding), "locations", locations, "partialFingerprints",
                    "lockgraphFindingId/v1", finding->id, "occurrenceCount", (json_int_t)finding->count);
    json_object_set_new(result, "suppressions", suppressions_of(finding->suppression));
    if (finding->edge_count) {
        json_object_set_new(result, "codeFlows", code_flows(writer, finding));
        json_object_set_new(result, "relatedLocations", related(writer, finding));
    }
    if (verdict_name(finding->verdict))
        json_object_set_new(result, "properties",
                            json_packed("{s:s}", "verdict", verdict_name(finding->verdict)));
    return result;
}

static json_t *all_results(struct writer *writer) {
    json_t *results = json_array();
    for (size_t i = 0; i < writer->model->finding_count; i++) {
        const struct model_finding *finding = &writer->model->findings[i];
        if (finding->severity > LGR_NOTE || writer->options->show_notes)
            json_array_append_new(results, result_object(writer, finding));
    }
    return results;
}

/* ---- the whole ---- */

static json_t *run_object(struct writer *writer) {
    writer->rules = json_array();
    json_t *results = all_results(writer);
    json_t *driver = json_packed("{s:s, s:s, s:s, s:o}", "name", "lockgraph", "version", LOCKGRAPH_VERSION,
                                 "semanticVersion", LOCKGRAPH_VERSION, "rules", writer->rules);
    /* Its uri is left out (3.14.14): it differs from machine to machine. */
    return json_packed("{s:{s:o}, s:{s:{s:{s:s}}}, s:s, s:o}", "tool", "driver", driver, "originalUriBaseIds",
                       SARIF_ROOT, "description", "text", "the top directory of the program's source",
                       "columnKind", "unicodeCodePoints", "results", results);
}

void format_sarif(struct text *out, struct model *model, const struct format_options *options) {
    struct writer writer = {.model = model, .options = options};
    json_write(out, json_packed("{s:s, s:s, s:[o]}", "$schema", SCHEMA, "version", "2.1.0", "runs",
                                run_object(&writer)));
}
