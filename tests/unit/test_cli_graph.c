/* The order graph and what is drawn of it, over made-up evidence. */
#include <check.h>
#include <unistd.h>

#include "../golden/evidence.h"
#include "format.h"
#include "model.h"
#include "order_graph.h"

enum { OUTER = 1, MIDDLE, INNER, ASIDE, CLASSES = ASIDE };
enum { SECOND_OUTER = 10 };
static const char *const names[] = {NULL, "outer", "middle \\N &lt;\"i\">", "inner", "aside"};

static struct evidence *chain(void) {
    struct evidence *evidence = evidence_begin("/srv/app", "app");
    for (uint32_t id = OUTER; id <= CLASSES; id++) {
        evidence_class(evidence, id, LGR_CLASS_NAMED, names[id])->level =
            id == ASIDE ? INT16_MIN : (int16_t)(10 * id);
        evidence_lock(evidence, id, id, LGR_LOCK_MUTEX);
    }
    evidence_lock(evidence, SECOND_OUTER, OUTER, LGR_LOCK_MUTEX);
    evidence_thread(evidence, 1, "");
    evidence_thread(evidence, 2, "worker");
    evidence_edge(evidence, OUTER, MIDDLE, 0, 0);
    evidence_edge(evidence, OUTER, MIDDLE, 1, 2);
    evidence_edge(evidence, MIDDLE, INNER, 0, 0);
    evidence_edge(evidence, INNER, ASIDE, 0, 0);
    evidence_end(evidence, 0);
    return evidence;
}

static struct model *load(struct evidence *evidence) {
    char file[] = "/tmp/lockgraph-graph-XXXXXX";
    const char *path = file;
    close(mkstemp(file));
    evidence_save(evidence, file);
    struct model *model = model_load(&path, 1, &(struct model_options){0});
    ck_assert_uint_eq(model->unreadable, 0);
    unlink(file);
    return model;
}

static struct order_graph graph_of(struct model *model, struct order_graph_options options) {
    return order_graph_of(model, &options);
}

static size_t index_of(const struct order_graph *graph, const char *name) {
    for (size_t i = 0; i < graph->node_count; i++)
        if (strcmp(graph->nodes[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

static const struct order_edge *edge_between(const struct order_graph *graph, const char *from,
                                             const char *to) {
    for (size_t i = 0; i < graph->edge_count; i++)
        if (graph->edges[i].from == index_of(graph, from) && graph->edges[i].to == index_of(graph, to))
            return &graph->edges[i];
    return NULL;
}

START_TEST(pairs_are_joined) {
    struct model *model = load(chain());
    struct order_graph graph = graph_of(model, (struct order_graph_options){0});
    ck_assert_uint_eq(graph.node_count, 4);
    ck_assert_uint_eq(graph.edge_count, 3);
    ck_assert_uint_eq(edge_between(&graph, "outer", names[MIDDLE])->sightings, 2);
    ck_assert_ptr_null(edge_between(&graph, "outer", "inner"));
    ck_assert_int_eq(graph.nodes[index_of(&graph, "inner")].level, 30);
    ck_assert_int_eq(graph.nodes[index_of(&graph, "aside")].level, NO_LEVEL);
    model_free(model);
}
END_TEST

/* Two locks of one class are one node, or two. */
START_TEST(by_class_or_by_lock) {
    struct evidence *evidence = chain();
    struct lgr_edge *edge = evidence_record(evidence, LGR_EDGE, sizeof *edge);
    *edge = (struct lgr_edge){.record = edge->record,
                              .from_class = OUTER,
                              .to_class = ASIDE,
                              .from_lock = SECOND_OUTER,
                              .to_lock = ASIDE,
                              .thread = 2};
    struct model *model = load(evidence);
    ck_assert_uint_eq(graph_of(model, (struct order_graph_options){0}).node_count, 4);
    struct order_graph locks = graph_of(model, (struct order_graph_options){.view = ORDER_BY_LOCK});
    ck_assert_uint_eq(locks.node_count, 5);
    ck_assert_uint_eq(locks.edge_count, 4);
    ck_assert_str_eq(locks.nodes[0].name, "aside");
    ck_assert_str_eq(locks.nodes[0].id, "P1:L4");
    model_free(model);
}
END_TEST

START_TEST(focus_leaves_what_is_near) {
    static const struct {
        const char *focus;
        unsigned depth;
        size_t nodes, edges;
    } cases[] = {{"inner", 0, 1, 0}, {"inner", 1, 3, 2}, {"inner", 2, 4, 3}, {"inner", 9, 4, 3},
                 {"*i*", 0, 3, 2},   {"inn", 1, 0, 0},   {"*", 0, 4, 3}};
    struct model *model = load(chain());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct order_graph graph =
            graph_of(model, (struct order_graph_options){.focus = cases[i].focus, .depth = cases[i].depth});
        ck_assert_msg(graph.node_count == cases[i].nodes && graph.edge_count == cases[i].edges,
                      "%s, %u: %zu nodes, %zu edges", cases[i].focus, cases[i].depth, graph.node_count,
                      graph.edge_count);
    }
    model_free(model);
}
END_TEST

static void add_cycle(struct evidence *evidence, enum lgr_severity severity) {
    struct lgr_finding_edge edges[2];
    ring_edge(&edges[0], 1, OUTER, INNER, 0, 0);
    ring_edge(&edges[1], 2, INNER, OUTER, 0, 0);
    evidence_finding(evidence, LGR_KIND_ORDER_CYCLE,
                     severity == LGR_NOTE ? LGR_VERDICT_GATED : LGR_VERDICT_FEASIBLE, severity, edges, 2);
}

/* A note is marked only where notes are asked for; both kinds know their edges, though no
 * record has them. */
START_TEST(findings_are_marked) {
    for (int severity = LGR_NOTE; severity <= LGR_ERROR; severity++) {
        struct evidence *evidence = chain();
        add_cycle(evidence, (enum lgr_severity)severity);
        struct model *model = load(evidence);
        struct order_graph graph = graph_of(model, (struct order_graph_options){0});
        const struct order_edge *edge = edge_between(&graph, "inner", "outer");
        ck_assert((edge != NULL) == (severity > LGR_NOTE));
        ck_assert(!edge || (edge->finding == &model->findings[0] && edge->sightings == 0));
        ck_assert_ptr_null(edge_between(&graph, "outer", names[MIDDLE])->finding);
        graph = graph_of(model, (struct order_graph_options){.notes = true});
        ck_assert_ptr_nonnull(edge_between(&graph, "inner", "outer")->finding);
        model_free(model);
    }
}
END_TEST

/* Of a level violation the lock in the way is the one that was held. */
START_TEST(level_violation_points_at_what_was_wanted) {
    struct evidence *evidence = chain();
    struct lgr_finding_edge edge;
    ring_edge(&edge, 1, OUTER, INNER, 0, 0);
    edge.wait_kind = LGR_WAIT_NONE;
    evidence_finding(evidence, LGR_KIND_LEVEL_VIOLATION, LGR_VERDICT_NONE, LGR_ERROR, &edge, 1);
    struct model *model = load(evidence);
    struct order_graph graph = graph_of(model, (struct order_graph_options){0});
    ck_assert_ptr_nonnull(edge_between(&graph, "inner", "outer"));
    ck_assert_ptr_null(edge_between(&graph, "outer", "inner"));
    model_free(model);
}
END_TEST

static const char *drawn(struct text *out, struct model *model, struct order_graph_options graph,
                         char *failure) {
    format_dot(out, model, &(struct format_options){.graph = graph, .failure = failure});
    return text_string(out);
}

START_TEST(dot_has_levels_as_ranks_and_harmless_names) {
    struct evidence *evidence = chain();
    add_cycle(evidence, LGR_ERROR);
    struct model *model = load(evidence);
    struct text out = {0};
    char failure[FORMAT_FAILURE] = "";
    const char *text = drawn(&out, model, (struct order_graph_options){0}, failure);
    ck_assert_ptr_nonnull(strstr(text, "n3 [label=\"middle \\\\N &amp;lt;\\\"i\\\">\""));
    ck_assert_ptr_nonnull(strstr(text, "{ rank=same l1 n3 }"));
    ck_assert_ptr_nonnull(strstr(text, "l0 -> l1 [style=invis]"));
    ck_assert_ptr_null(strstr(text, "l3"));
    /* inner -> outer goes up: red, and without a say in the ranks. */
    const char *up = strstr(text, "n2 -> n4"), *end = up ? strchr(up, '\n') : NULL;
    ck_assert_ptr_nonnull(end);
    ck_assert(strstr(up, "#cf222e") < end && strstr(up, "constraint=false") < end);
    text_free(&out);
    model_free(model);
}
END_TEST

START_TEST(a_focus_on_nothing_is_told) {
    struct model *model = load(chain());
    struct text out = {0};
    char failure[FORMAT_FAILURE] = "";
    ck_assert_str_eq(drawn(&out, model, (struct order_graph_options){.focus = "nobody"}, failure), "");
    ck_assert_ptr_nonnull(strstr(failure, "\"nobody\""));
    model_free(model);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("order graph");
    TCase *graph = tcase_create("graph");
    tcase_add_test(graph, pairs_are_joined);
    tcase_add_test(graph, by_class_or_by_lock);
    tcase_add_test(graph, focus_leaves_what_is_near);
    tcase_add_test(graph, findings_are_marked);
    tcase_add_test(graph, level_violation_points_at_what_was_wanted);
    tcase_add_test(graph, dot_has_levels_as_ranks_and_harmless_names);
    tcase_add_test(graph, a_focus_on_nothing_is_told);
    suite_add_tcase(suite, graph);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
