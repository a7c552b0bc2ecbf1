/* Whole reports over made-up evidence, compared with tests/golden/NAME.txt,
 * NAME.json and NAME.html-data.  LOCKGRAPH_GOLDEN_UPDATE=1 writes the files instead. */
#include <check.h>
#include <jansson.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <unistd.h>

#include "../golden/evidence.h"
#include "../golden/subject/ledger.c"
#include "export.h"
#include "format.h"
#include "html_data.h"
#include "model.h"
#include "run_status.h"
#include "suppress.h"

/* ---- the made-up process ---- */

static uint64_t program_bias;
static char program_path[PATH_MAX];

static int first_object(struct dl_phdr_info *info, size_t size, void *unused) {
    (void)size, (void)unused;
    program_bias = info->dlpi_addr;
    return 1;
}

static uint64_t offset_of(const void *address) { return (uint64_t)(uintptr_t)address - program_bias; }

static void add_place(struct evidence *evidence, enum place place, uint32_t flags) {
    uint64_t offsets[8];
    int count = flags & LGR_CONTEXT_PARTIAL ? 1 : places[place].count;
    for (int i = 0; i < count; i++)
        offsets[i] = offset_of(places[place].frames[i]);
    evidence_context(evidence, (uint32_t)place + 1, 1, offsets, (uint32_t)count, flags);
}

static void add_static(struct evidence *evidence, uint32_t id, const void *variable) {
    struct lgr_class *class = evidence_class(evidence, id, LGR_CLASS_STATIC, "");
    class->variable = (struct lgr_location){.module = 1, .offset = offset_of(variable)};
    evidence_lock(evidence, id, id, LGR_LOCK_MUTEX);
}

enum { LEDGER = 1, AUDIT = 2, GATE = 3 };
enum { MAIN = 1, WORKER1 = 2, WORKER2 = 3 };
#define AT(place) ((uint32_t)(place) + 1)

/* Three threads, the locks of ledger.c, every place. */
static struct evidence *bank(void) {
    ssize_t length = readlink("/proc/self/exe", program_path, sizeof program_path - 1);
    ck_assert_int_gt(length, 0);
    dl_iterate_phdr(first_object, NULL);
    ledger_main();
    struct evidence *evidence = evidence_begin("/srv/bank/bank", "bank --serve");
    evidence_module(evidence, 1, program_path, 0x1000, 0x2000, program_bias);
    for (int place = 0; place < PLACES; place++)
        add_place(evidence, (enum place)place, 0);
    add_static(evidence, LEDGER, &ledger_lock);
    add_static(evidence, AUDIT, &audit_lock);
    evidence_class(evidence, GATE, LGR_CLASS_NAMED, "bank.gate");
    evidence_lock(evidence, GATE, GATE, LGR_LOCK_MUTEX);
    evidence_thread(evidence, MAIN, "");
    evidence_thread(evidence, WORKER1, "worker-1");
    evidence_thread(evidence, WORKER2, "worker-2");
    evidence_coverage(evidence, 12, 3, 4512);
    return evidence;
}

static void both_orders(struct lgr_finding_edge edges[2]) {
    ring_edge(&edges[0], WORKER1, LEDGER, AUDIT, AT(POST_LEDGER), AT(POST_AUDIT));
    ring_edge(&edges[1], WORKER2, AUDIT, LEDGER, AT(FLUSH_AUDIT), AT(FLUSH_LEDGER));
}

/* ---- comparing ---- */

static char *golden_path(const char *name) {
    static char path[PATH_MAX];
    snprintf(path, sizeof path, LOCKGRAPH_SOURCE "/tests/golden/%s", name);
    return path;
}

static char *whole_file(const char *path) {
    FILE *stream = fopen(path, "r");
    if (!stream)
        return strdup("");
    char *content = NULL;
    size_t size = 0;
    ssize_t length = getdelim(&content, &size, 0, stream);
    fclose(stream);
    if (length < 0)
        content[0] = 0;
    return content;
}

static void compare(const char *name, const char *actual) {
    char *path = golden_path(name);
    if (getenv("LOCKGRAPH_GOLDEN_UPDATE")) {
        FILE *stream = fopen(path, "w");
        ck_assert_ptr_nonnull(stream);
        fputs(actual, stream);
        fclose(stream);
        return;
    }
    char *expected = whole_file(path);
    if (strcmp(expected, actual) != 0)
        printf("--- %s should be\n%s--- but is\n%s---\n", name, expected, actual);
    ck_assert_msg(strcmp(expected, actual) == 0, "%s differs", name);
    free(expected);
}

static void set_member(json_t *object, const char *key, json_t *value) {
    if (json_is_null(json_object_get(object, key)))
        json_decref(value);
    else
        json_object_set_new(object, key, value);
}

/* What depends on the compiler and the place of the build: module, offset,
 * build id, directory of the source. */
static void normalise_frame(json_t *frame) {
    const char *file = json_string_value(json_object_get(frame, "file"));
    set_member(frame, "module", json_string("bank"));
    set_member(frame, "offset", json_integer(0));
    set_member(frame, "build_id", json_string("00"));
    if (file)
        set_member(frame, "file", json_string(base_name(file)));
}

static void normalise(json_t *value) {
    size_t i;
    const char *key;
    json_t *child;
    if (json_is_object(value) && json_object_get(value, "inlined"))
        normalise_frame(value);
    json_object_foreach(value, key, child) normalise(child);
    json_array_foreach(value, i, child) normalise(child);
}

static char *normal_json(const char *text) {
    json_error_t error;
    json_t *root = json_loads(text, 0, &error);
    ck_assert_msg(root != NULL, "not JSON: %s", error.text);
    normalise(root);
    char *result = json_dumps(root, JSON_INDENT(1));
    json_decref(root);
    return result;
}

/* A member that cannot be written must not take its finding with it. */
static void check_none_is_left_out(const char *report, const struct model *model) {
    json_t *root = json_loads(report, 0, NULL);
    ck_assert_uint_eq(json_array_size(json_object_get(root, "findings")), model->finding_count);
    json_decref(root);
}

static void check_json(const char *name, struct model *model) {
    struct text out = {0};
    format_json(&out, model, &(struct format_options){0});
    check_none_is_left_out(text_string(&out), model);
    char *normal = normal_json(text_string(&out));
    char file[64];
    snprintf(file, sizeof file, "%s.json", name);
    compare(file, normal);
    free(normal);
    text_free(&out);
}

static void check_text(const char *name, struct model *model, const struct format_options *options) {
    struct text out = {0};
    char file[64];
    format_text(&out, model, options);
    snprintf(file, sizeof file, "%s.txt", name);
    compare(file, text_string(&out));
    text_free(&out);
}

/* What the page is drawn from; the page itself is looked at in a browser. */
static void check_html(const char *name, struct model *model, const struct format_options *options) {
    json_t *data = html_data(model, options);
    char file[64], *dump;
    normalise(data);
    dump = json_dumps(data, JSON_INDENT(1));
    snprintf(file, sizeof file, "%s.html-data", name);
    compare(file, dump);
    free(dump);
    json_decref(data);
}

typedef void format_function(struct text *out, struct model *model, const struct format_options *options);

static void check_form(const char *name, const char *form, format_function *format, struct model *model,
                       bool show_notes) {
    struct text out = {0};
    char file[64], failure[FORMAT_FAILURE] = "";
    format(&out, model,
           &(struct format_options){.show_notes = show_notes,
                                    .fail_on = LGR_ERROR,
                                    .source_root = LOCKGRAPH_SOURCE,
                                    .failure = failure});
    ck_assert_str_eq(failure, "");
    snprintf(file, sizeof file, "%s.%s", name, form);
    compare(file, text_string(&out));
    text_free(&out);
}

static void check_export(const char *name, const char *form,
                         void (*export)(struct text *out, struct model *model), struct model *model) {
    struct text out = {0};
    char file[64];
    export(&out, model);
    snprintf(file, sizeof file, "%s.%s", name, form);
    compare(file, text_string(&out));
    text_free(&out);
}

/* A report over one or two processes. */
static void check_reports(const char *name, struct evidence *const *evidence, size_t count,
                          struct format_options options, struct model_options load) {
    char files[2][32];
    const char *paths[2] = {files[0], files[1]};
    setenv("TZ", "UTC", 1);
    for (size_t i = 0; i < count; i++) {
        strcpy(files[i], "/tmp/lockgraph-golden-XXXXXX");
        close(mkstemp(files[i]));
        evidence_save(evidence[i], files[i]);
    }
    struct model *model = model_load(paths, count, &load);
    ck_assert_uint_eq(model->unreadable, 0);
    ck_assert_uint_eq(model->coverage.damaged, 0);
    check_text(name, model, &options);
    check_json(name, model);
    check_html(name, model, &options);
    check_form(name, "dot", format_dot, model, options.show_notes);
    check_form(name, "sarif", format_sarif, model, options.show_notes);
    check_form(name, "junit.xml", format_junit, model, options.show_notes);
    check_export(name, "perfetto", export_trace, model);
    if (strcmp(name, "figures") == 0)
        check_export(name, "folded", export_folded, model);
    if (strcmp(name, "figures") == 0)
        check_form(name, "openmetrics", format_openmetrics, model, false);
    model_free(model);
    for (size_t i = 0; i < count; i++)
        unlink(files[i]);
}

static void check_report(const char *name, struct evidence *evidence, struct format_options options) {
    check_reports(name, &evidence, 1, options, (struct model_options){0});
}

/* ---- the reports ---- */

START_TEST(feasible) {
    struct evidence *evidence = bank();
    struct lgr_finding_edge edges[2];
    both_orders(edges);
    evidence_edge(evidence, LEDGER, AUDIT, AT(POST_LEDGER), AT(POST_AUDIT));
    evidence_edge(evidence, LEDGER, AUDIT, AT(POST_LEDGER), AT(MOVE_TO));
    /* Three ways to one place are one place to change. */
    evidence_edge(evidence, AUDIT, LEDGER, AT(FLUSH_AUDIT), AT(FLUSH_LEDGER));
    evidence_edge(evidence, AUDIT, LEDGER, AT(QUEUE_INIT), AT(FLUSH_LEDGER));
    evidence_edge(evidence, AUDIT, LEDGER, AT(MOVE_FROM), AT(FLUSH_LEDGER));
    evidence_finding(evidence, LGR_KIND_ORDER_CYCLE, LGR_VERDICT_FEASIBLE, LGR_ERROR, edges, 2)->count = 17;
    evidence_end(evidence, 0);
    check_report("feasible", evidence, (struct format_options){0});
}
END_TEST

START_TEST(feasible_on_one_screen) {
    struct evidence *evidence = bank();
    struct lgr_finding_edge edges[2];
    both_orders(edges);
    evidence_finding(evidence, LGR_KIND_ORDER_CYCLE, LGR_VERDICT_FEASIBLE, LGR_ERROR, edges, 2);
    evidence_end(evidence, 3);
    check_report(
        "brief", evidence,
        (struct format_options){
            .brief = true, .have_command = true, .command_status = 3, .directory = "lockgraph.data"});
}
END_TEST

static void add_note(struct evidence *evidence, enum lgr_verdict verdict, enum lgr_reason reason,
                     uint64_t id) {
    struct lgr_finding_edge edges[2];
    both_orders(edges);
    if (verdict == LGR_VERDICT_SINGLE_THREAD)
        edges[1].thread = edges[0].thread;
    edges[1].request_context = AT(verdict == LGR_VERDICT_GATED     ? MOVE_FROM
                                  : verdict == LGR_VERDICT_ORDERED ? MOVE_TO
                                                                   : FLUSH_LEDGER);
    struct lgr_finding *finding =
        evidence_finding(evidence, LGR_KIND_ORDER_CYCLE, verdict, LGR_NOTE, edges, 2);
    finding->reason_kind = (uint16_t)reason;
    finding->reason_id = id;
}

static struct evidence *three_notes(void) {
    struct evidence *evidence = bank();
    add_note(evidence, LGR_VERDICT_GATED, LGR_REASON_GATE, GATE);
    add_note(evidence, LGR_VERDICT_ORDERED, LGR_REASON_JOIN, WORKER1);
    add_note(evidence, LGR_VERDICT_SINGLE_THREAD, LGR_REASON_THREAD, WORKER1);
    evidence_end(evidence, 0);
    return evidence;
}

START_TEST(notes_shown) { check_report("notes", three_notes(), (struct format_options){.show_notes = true}); }
END_TEST

START_TEST(notes_hidden) { check_report("notes-hidden", three_notes(), (struct format_options){0}); }
END_TEST

START_TEST(deadlock_of_a_killed_process) {
    struct evidence *evidence = bank();
    struct lgr_finding_edge edges[3];
    both_orders(edges);
    ring_edge(&edges[1], WORKER2, AUDIT, GATE, AT(FLUSH_AUDIT), AT(MOVE_FROM));
    ring_edge(&edges[2], MAIN, GATE, LEDGER, AT(QUEUE_INIT), AT(FLUSH_LEDGER));
    evidence_finding(evidence, LGR_KIND_DEADLOCK, LGR_VERDICT_ACTUAL, LGR_ERROR, edges, 3);
    evidence_wait(evidence, WORKER1, LGR_WAIT_LOCK, AUDIT, AT(POST_AUDIT), WORKER2);
    evidence_wait(evidence, WORKER2, LGR_WAIT_LOCK, GATE, AT(MOVE_FROM), MAIN);
    evidence_wait(evidence, MAIN, LGR_WAIT_LOCK, LEDGER, AT(FLUSH_LEDGER), WORKER1);
    check_report("deadlock", evidence, (struct format_options){0});
}
END_TEST

START_TEST(deadlocks_of_other_shapes) {
    struct evidence *evidence = bank();
    struct lgr_finding_edge relock;
    ring_edge(&relock, WORKER1, LEDGER, LEDGER, AT(POST_LEDGER), AT(FLUSH_LEDGER));
    struct lgr_finding_edge edges[2];
    both_orders(edges);
    ring_edge(&edges[0], MAIN, LEDGER, WORKER1, AT(QUEUE_INIT), AT(JOIN));
    edges[0].wait_kind = LGR_WAIT_JOIN;
    edges[0].to_class = 0;
    ring_edge(&edges[1], WORKER1, 0, LEDGER, 0, AT(POST_LEDGER));
    edges[1].held_count = 0;
    evidence_finding(evidence, LGR_KIND_SELF_DEADLOCK, LGR_VERDICT_ACTUAL, LGR_ERROR, &relock, 1);
    evidence_finding(evidence, LGR_KIND_DEADLOCK, LGR_VERDICT_ACTUAL, LGR_ERROR, edges, 2);
    ring_edge(&edges[0], WORKER1, 0, WORKER2, 0, AT(JOIN));
    ring_edge(&edges[1], WORKER2, 0, WORKER1, 0, AT(JOIN));
    edges[0].wait_kind = edges[1].wait_kind = LGR_WAIT_JOIN;
    edges[0].held_count = edges[1].held_count = 0;
    evidence_finding(evidence, LGR_KIND_DEADLOCK, LGR_VERDICT_ACTUAL, LGR_ERROR, edges, 2);
    check_report("deadlock-shapes", evidence, (struct format_options){0});
}
END_TEST

/* The wrong call, and the other thread that did the earlier thing. */
static void wrong_call(struct lgr_finding_edge edges[2], uint32_t lock, uint32_t earlier, uint32_t call) {
    ring_edge(&edges[0], WORKER1, lock, 0, earlier, call);
    ring_edge(&edges[1], MAIN, lock, 0, earlier, 0);
    edges[0].wait_kind = edges[1].wait_kind = LGR_WAIT_NONE;
    edges[0].held_count = 0;
}

static struct lgr_finding *add_misuse(struct evidence *evidence, enum lgr_kind kind,
                                      enum lgr_severity severity, const struct lgr_finding_edge *edges,
                                      uint16_t count) {
    return evidence_finding(evidence, kind, LGR_VERDICT_NONE, severity, edges, count);
}

START_TEST(misuse_tells_the_call_and_the_earlier_place) {
    struct evidence *evidence = bank();
    struct lgr_finding_edge edges[2];
    wrong_call(edges, LEDGER, AT(POST_LEDGER), AT(FLUSH_LEDGER));
    add_misuse(evidence, LGR_KIND_UNLOCK_FOREIGN, LGR_ERROR, edges, 2)->count = 3;
    edges[0].held_count = 1;
    add_misuse(evidence, LGR_KIND_DESTROY_HELD, LGR_ERROR, edges, 1);
    edges[0].held_context = 0;
    edges[0].held_count = 0;
    add_misuse(evidence, LGR_KIND_UNLOCK_UNHELD, LGR_ERROR, edges, 1);
    edges[0].from = 0;
    edges[0].from_class = 0;
    edges[0].request_context = AT(JOIN);
    add_misuse(evidence, LGR_KIND_JOIN_SELF, LGR_ERROR, edges, 1);
    struct lgr_finding *error = add_misuse(evidence, LGR_KIND_API_ERROR, LGR_WARNING, edges, 1);
    error->reason_kind = LGR_REASON_DETAIL;
    error->reason_id = 22; /* EINVAL */
    evidence_end(evidence, 0);
    check_report("misuse", evidence, (struct format_options){0});
}
END_TEST

/* Every kind has its words, also where nothing but the kind is known. */
START_TEST(misuse_of_every_kind) {
    struct evidence *evidence = bank();
    struct lgr_finding_edge edges[2];
    wrong_call(edges, LEDGER, AT(POST_LEDGER), AT(FLUSH_LEDGER));
    for (int kind = LGR_KIND_UNLOCK_UNHELD; kind < LGR_KINDS; kind++)
        if (kind != LGR_KIND_STALL)
            add_misuse(evidence, (enum lgr_kind)kind, LGR_ERROR, edges, 2);
    evidence_end(evidence, 0);
    check_report("misuse-kinds", evidence, (struct format_options){.brief = true});
}
END_TEST

/* Two wait for a condition, which the main thread signalled before, and one of
 * them holds something; the main thread waits for the other. */
static struct lgr_finding *add_stall(struct evidence *evidence, struct lgr_finding_edge edges[3]) {
    uint64_t since[] = {EVIDENCE_START + 900000000u, 0, EVIDENCE_START + 800000000u};
    ring_edge(&edges[0], WORKER2, MAIN, 0, AT(JOIN), AT(FLUSH_LEDGER));
    ring_edge(&edges[1], WORKER1, MAIN, 0, AT(JOIN), AT(POST_AUDIT));
    ring_edge(&edges[2], MAIN, 0, WORKER1, 0, AT(JOIN));
    for (int i = 0; i < 2; i++) {
        edges[i].wait_kind = LGR_WAIT_CONDITION;
        edges[i].to = 0x7f0000001040;
    }
    edges[2].wait_kind = LGR_WAIT_JOIN;
    edges[1].held_count = edges[2].held_count = 0;
    struct lgr_finding *finding =
        evidence_finding(evidence, LGR_KIND_STALL, LGR_VERDICT_ACTUAL, LGR_ERROR, edges, 3);
    evidence_since(evidence, finding, edges, since);
    return finding;
}

START_TEST(stall_tells_every_thread) {
    struct evidence *evidence = bank();
    struct lgr_finding_edge edges[3];
    add_stall(evidence, edges);
    check_report("stall", evidence, (struct format_options){0});
}
END_TEST

/* What is at a barrier, waits for a lock, or has signalled nothing; and one that
 * waits for a condition with what another one needs. */
START_TEST(stalls_of_other_shapes) {
    struct evidence *evidence = bank();
    struct lgr_finding_edge edges[2];
    ring_edge(&edges[0], MAIN, 0, 0, 0, AT(JOIN));
    edges[0].held_count = 0;
    edges[0].wait_kind = LGR_WAIT_BARRIER;
    evidence_finding(evidence, LGR_KIND_STALL, LGR_VERDICT_ACTUAL, LGR_ERROR, edges, 1);
    edges[0].wait_kind = LGR_WAIT_CONDITION;
    edges[0].to = 0x7f0000001040;
    ring_edge(&edges[1], WORKER1, 0, LEDGER, 0, AT(POST_LEDGER));
    edges[1].held_count = 0;
    evidence_finding(evidence, LGR_KIND_STALL, LGR_VERDICT_ACTUAL, LGR_ERROR, edges, 2);
    ring_edge(&edges[0], WORKER2, LEDGER, 0, AT(FLUSH_LEDGER), AT(FLUSH_AUDIT));
    edges[0].wait_kind = LGR_WAIT_CONDITION;
    edges[0].to = 0x7f0000001040;
    evidence_finding(evidence, LGR_KIND_DEADLOCK, LGR_VERDICT_ACTUAL, LGR_ERROR, edges, 2);
    check_report("stall-shapes", evidence, (struct format_options){.brief = true});
}
END_TEST

enum { RING = 12, RING_BASE = 100 };

static void add_ring_lock(struct evidence *evidence, uint32_t i) {
    char name[16];
    snprintf(name, sizeof name, "fork-%u", i + 1);
    evidence_class(evidence, RING_BASE + i, LGR_CLASS_NAMED, name);
    evidence_lock(evidence, RING_BASE + i, RING_BASE + i, LGR_LOCK_MUTEX);
    snprintf(name, sizeof name, "philosopher-%u", i + 1);
    evidence_thread(evidence, RING_BASE + i, name);
}

START_TEST(long_ring_is_folded) {
    struct evidence *evidence = bank();
    struct lgr_finding_edge edges[RING];
    for (uint32_t i = 0; i < RING; i++) {
        add_ring_lock(evidence, i);
        ring_edge(&edges[i], RING_BASE + i, RING_BASE + i, RING_BASE + (i + 1) % RING, AT(MOVE_FROM),
                  AT(MOVE_TO));
    }
    evidence_finding(evidence, LGR_KIND_ORDER_CYCLE, LGR_VERDICT_FEASIBLE, LGR_ERROR, edges, RING);
    evidence_end(evidence, 0);
    check_report("ring", evidence, (struct format_options){.brief = true});
}
END_TEST

/* Two heap objects initialised at one place, readers, a stack of one frame. */
static struct evidence *one_kind(void) {
    struct evidence *evidence = bank();
    evidence_class(evidence, 10, LGR_CLASS_INIT, "")->context = AT(QUEUE_INIT);
    evidence_class(evidence, 11, LGR_CLASS_GUESS, "")->context = AT(MOVE_FROM);
    evidence_lock(evidence, 10, 10, LGR_LOCK_RWLOCK);
    evidence_lock(evidence, 11, 10, LGR_LOCK_RWLOCK);
    evidence_lock(evidence, 12, 11, LGR_LOCK_MUTEX);
    add_place(evidence, MOVE_FROM, LGR_CONTEXT_PARTIAL);
    add_static(evidence, 13, &table[3].lock);
    add_static(evidence, 14, &table[0].lock);
    return evidence;
}

START_TEST(locks_of_one_kind) {
    struct evidence *evidence = one_kind();
    struct lgr_finding_edge edges[2];
    ring_edge(&edges[0], WORKER1, 10, 11, AT(MOVE_FROM), AT(MOVE_TO));
    ring_edge(&edges[1], WORKER2, 11, 10, AT(MOVE_FROM), AT(MOVE_TO));
    edges[0].to_class = edges[1].from_class = 10;
    edges[0].mode_from = LGR_SHARED;
    evidence_finding(evidence, LGR_KIND_ORDER_CYCLE, LGR_VERDICT_FEASIBLE, LGR_ERROR, edges, 2);
    ring_edge(&edges[0], WORKER1, LEDGER, 12, AT(POST_LEDGER), AT(POST_AUDIT));
    ring_edge(&edges[1], WORKER2, 12, LEDGER, AT(FLUSH_AUDIT), AT(FLUSH_LEDGER));
    edges[1].timed = 1;
    evidence_finding(evidence, LGR_KIND_ORDER_CYCLE, LGR_VERDICT_TIMED, LGR_WARNING, edges, 2);
    ring_edge(&edges[0], WORKER1, 13, 14, AT(POST_LEDGER), AT(POST_AUDIT));
    ring_edge(&edges[1], WORKER2, 14, 13, AT(FLUSH_AUDIT), AT(FLUSH_LEDGER));
    evidence_finding(evidence, LGR_KIND_ORDER_CYCLE, LGR_VERDICT_CLASS_PATTERN, LGR_WARNING, edges, 2);
    evidence_end(evidence, 0);
    check_report("one-kind", evidence, (struct format_options){0});
}
END_TEST

START_TEST(hostile_names_are_made_harmless) {
    struct evidence *evidence = bank();
    struct lgr_finding_edge edges[2];
    ring_edge(&edges[0], 20, 20, 21, AT(POST_LEDGER), AT(POST_AUDIT));
    ring_edge(&edges[1], 21, 21, 20, AT(FLUSH_AUDIT), AT(FLUSH_LEDGER));
    evidence_class(evidence, 20, LGR_CLASS_NAMED, "\033]0;owned\007 lock")->level = 10;
    evidence_class(evidence, 21, LGR_CLASS_NAMED, "<script>\n\xff \xe2\x80\xae kcol \xef\xbf\xbf")->level =
        20;
    evidence_lock(evidence, 20, 20, LGR_LOCK_MUTEX);
    evidence_lock(evidence, 21, 21, LGR_LOCK_MUTEX);
    evidence_thread(evidence, 20, "\033[31mred");
    evidence_thread(evidence, 21, "a\rb");
    evidence_finding(evidence, LGR_KIND_ORDER_CYCLE, LGR_VERDICT_FEASIBLE, LGR_ERROR, edges, 2);
    edges[0].wait_kind = LGR_WAIT_NONE;
    add_misuse(evidence, LGR_KIND_LEVEL_VIOLATION, LGR_ERROR, edges, 1);
    evidence_end(evidence, 137);
    check_report("hostile", evidence, (struct format_options){.brief = true});
}
END_TEST

/* The graver grade of the two tells the story, and counts add up. */
START_TEST(one_problem_in_two_processes) {
    struct evidence *evidence[2] = {bank(), bank()};
    struct lgr_finding_edge edges[2];
    both_orders(edges);
    struct lgr_finding *note =
        evidence_finding(evidence[0], LGR_KIND_ORDER_CYCLE, LGR_VERDICT_GATED, LGR_NOTE, edges, 2);
    note->count = 40;
    note->reason_kind = LGR_REASON_GATE;
    note->reason_id = GATE;
    evidence_finding(evidence[1], LGR_KIND_ORDER_CYCLE, LGR_VERDICT_FEASIBLE, LGR_ERROR, edges, 2)->count = 2;
    evidence_finding(evidence[1], LGR_KIND_ORDER_CYCLE, LGR_VERDICT_SINGLE_THREAD, LGR_NOTE, edges, 2);
    evidence_header(evidence[1])->pid += 100;
    evidence_header(evidence[1])->start_realtime_ns += 1000000000;
    evidence_end(evidence[0], 0);
    evidence_end(evidence[1], 1);
    check_reports("two-processes", evidence, 2, (struct format_options){.brief = true},
                  (struct model_options){0});
}
END_TEST

/* Each run kept an order, the two of them none. */
START_TEST(orders_of_two_runs) {
    struct evidence *evidence[2] = {bank(), bank()};
    evidence_edge(evidence[0], LEDGER, AUDIT, AT(POST_LEDGER), AT(POST_AUDIT));
    evidence_edge(evidence[0], LEDGER, AUDIT, AT(POST_LEDGER), AT(MOVE_TO));
    evidence_edge(evidence[1], AUDIT, LEDGER, AT(FLUSH_AUDIT), AT(FLUSH_LEDGER));
    evidence_header(evidence[1])->pid += 100;
    evidence_header(evidence[1])->start_realtime_ns += 1000000000;
    evidence_end(evidence[0], 0);
    evidence_end(evidence[1], 0);
    check_reports("across-runs", evidence, 2, (struct format_options){0}, (struct model_options){0});
}
END_TEST

static struct lgr_figures *add_usage(struct evidence *evidence, uint32_t class_id, uint32_t context) {
    struct lgr_usage *usage = evidence_record(evidence, LGR_USAGE, sizeof *usage);
    usage->class_id = class_id;
    usage->context = context;
    return &usage->figures;
}

static void add_waits(struct lgr_figures *figures, uint64_t count, uint64_t ns) {
    figures->contended += count;
    figures->owner_changes += count / 2;
    lgr_raise(&figures->waiters_max, count);
    for (; count != 0; count--)
        lgr_times_note(&figures->wait, ns);
}

/* Summed over two processes, by class and place; only one of them was profiled. */
START_TEST(figures_of_two_processes) {
    struct evidence *evidence[2] = {bank(), bank()};
    for (uint64_t i = 0; i < 2; i++) {
        struct lgr_figures *ledger = add_usage(evidence[i], LEDGER, 0);
        add_waits(ledger, 3 + i, 128);
        add_waits(ledger, 2, 129);
        add_waits(add_usage(evidence[i], LEDGER, AT(POST_LEDGER)), 3 + i, 128);
        add_waits(add_usage(evidence[i], LEDGER, AT(FLUSH_LEDGER)), 2, 129);
        add_usage(evidence[i], 77, 0); /* a class that was not recorded */
    }
    struct lgr_figures *gate = add_usage(evidence[1], GATE, 0);
    lgr_times_note(&gate->hold, UINT64_C(70000000000));
    lgr_times_note_many(&gate->hold, 100, 16);
    gate->estimated = 15;
    evidence_header(evidence[1])->pid += 100;
    evidence_header(evidence[1])->start_realtime_ns += 1000000000;
    evidence_end(evidence[0], 0);
    evidence_end(evidence[1], 0);
    check_reports("figures", evidence, 2, (struct format_options){0}, (struct model_options){0});
}
END_TEST

static void add_span(struct lgr_spans *spans, size_t at, struct lgr_span span) {
    spans->spans[at] = span;
    spans->spans[at].check = lgr_span_check(&span);
}

/* Holds given up crosswise, waits for one of them, and one that was being written. */
START_TEST(single_holds_and_waits) {
    enum { SPANS = 6, MS = 1000000 };
    struct evidence *evidence = bank();
    struct lgr_spans *spans =
        evidence_record(evidence, LGR_SPANS, sizeof *spans + SPANS * sizeof spans->spans[0]);
    spans->least_ns = MS;
    add_span(spans, 0, (struct lgr_span){10 * MS, 20 * MS, LEDGER, WORKER1, AT(POST_LEDGER), 0, 0, 0});
    add_span(spans, 1, (struct lgr_span){15 * MS, 25 * MS, AUDIT, WORKER1, AT(POST_AUDIT), 0, 0, 0});
    add_span(spans, 2,
             (struct lgr_span){20 * MS, 10 * MS, LEDGER, WORKER2, AT(FLUSH_LEDGER), LGR_WAIT_LOCK, 0, 0});
    add_span(spans, 3, (struct lgr_span){25 * MS, 7 * MS, LEDGER, MAIN, 0, LGR_WAIT_LOCK, 0, 0});
    add_span(spans, 4, (struct lgr_span){40 * MS, 60 * MS, WORKER1, MAIN, 0, LGR_WAIT_JOIN, 0, 0});
    spans->spans[5] = (struct lgr_span){50 * MS, 1 * MS, AUDIT, WORKER2, 0, 0, 0, 4711};
    evidence_end(evidence, 0);
    check_reports("timeline", &evidence, 1, (struct format_options){0}, (struct model_options){0});
}
END_TEST

static size_t length_of_report(struct model *model, void (*write)(struct text *out, struct model *model)) {
    struct text out = {0};
    write(&out, model);
    size_t length = out.length;
    text_free(&out);
    return length;
}
static void write_html(struct text *out, struct model *model) {
    format_html(out, model, &(struct format_options){0});
}

/* A file is read that nobody's program wrote: what is made of it stays in proportion. */
START_TEST(crossing_spans_are_bounded) {
    enum { HALF = 400, US = 1000 };
    struct evidence *evidence = bank();
    struct lgr_spans *spans =
        evidence_record(evidence, LGR_SPANS, sizeof *spans + 3 * HALF * sizeof spans->spans[0]);
    for (uint64_t i = 0; i < HALF; i++) {
        struct lgr_span nested = {i * US, (4 * HALF - 2 * i) * US, LEDGER, WORKER1, 0, 0, LGR_SHARED, 0};
        struct lgr_span crossing = {(HALF + i) * US, 4 * HALF * US, LEDGER, WORKER1, 0, 0, LGR_SHARED, 0};
        struct lgr_span wait = {(2 * HALF + 2 * i) * US, US, LEDGER, WORKER2, 0, LGR_WAIT_LOCK, 0, 0};
        add_span(spans, i, nested);
        add_span(spans, HALF + i, crossing);
        add_span(spans, 2 * HALF + i, wait);
    }
    evidence_end(evidence, 0);
    char file[32] = "/tmp/lockgraph-golden-XXXXXX";
    const char *path = file;
    close(mkstemp(file));
    evidence_save(evidence, file);
    struct model *model = model_load(&path, 1, &(struct model_options){0});
    ck_assert_uint_lt(length_of_report(model, export_trace), 3 * HALF * 32 * 400);
    ck_assert_uint_lt(length_of_report(model, write_html), 3 * HALF * 1000 + 1000000);
    model_free(model);
    unlink(file);
}
END_TEST

/* What `run` writes after the end: into the last image of that process. */
START_TEST(status_is_written_into_the_last_image) {
    char names[3][32];
    const char *paths[] = {names[0], names[1], names[2]};
    for (uint32_t i = 0; i < 3; i++) {
        struct evidence *evidence = bank();
        evidence_header(evidence)->start_realtime_ns -= (uint64_t)i * 1000; /* the first is the last */
        evidence_header(evidence)->pid += i == 2;
        strcpy(names[i], "/tmp/lockgraph-golden-XXXXXX");
        close(mkstemp(names[i]));
        evidence_save(evidence, names[i]);
    }
    record_status(&(struct path_list){3, paths}, EVIDENCE_PID, 137);
    for (int i = 0; i < 3; i++) {
        char error[256];
        struct lgr_file *file = lgr_open(paths[i], error, sizeof error);
        ck_assert_ptr_nonnull(file);
        ck_assert_uint_eq(lgr_header(file)->ended, i == 0 ? LGR_EXITED : LGR_RUNNING);
        ck_assert_int_eq(lgr_header(file)->exit_status, i == 0 ? 137 : 0);
        ck_assert((lgr_header(file)->end_realtime_ns != 0) == (i == 0));
        lgr_close(file);
        unlink(paths[i]);
    }
}
END_TEST

/* A process that became another program has not ended and does not run. */
START_TEST(exec_under_the_same_pid) {
    struct evidence *evidence[2] = {bank(), bank()};
    evidence_wait(evidence[0], WORKER1, LGR_WAIT_LOCK, AUDIT, AT(POST_AUDIT), WORKER2);
    evidence_header(evidence[1])->start_realtime_ns += 1000000000;
    evidence_end(evidence[1], 0);
    check_reports("exec", evidence, 2, (struct format_options){0}, (struct model_options){0});
}
END_TEST

START_TEST(strict_makes_notes_errors) {
    struct evidence *evidence = three_notes();
    check_reports("strict", &evidence, 1, (struct format_options){.brief = true, .show_notes = true},
                  (struct model_options){.strict = true});
}
END_TEST

/* Gone from the text but for the count, marked in JSON; what is used and what is not. */
START_TEST(known_findings_are_left_out) {
    static const char file[] = "# Worker 1 is gone by then.\n"
                               "order-cycle lock:ledger_lock lock:audit_lock\n"
                               "\n"
                               "self-deadlock function:flush # fixed in 2.0\n"
                               "deadlock:^nowhere$\n";
    struct pool pool = {0};
    struct text errors = {0};
    struct suppressions known = {0};
    struct evidence *evidence = bank();
    struct lgr_finding_edge edges[2], relock;
    both_orders(edges);
    evidence_finding(evidence, LGR_KIND_ORDER_CYCLE, LGR_VERDICT_FEASIBLE, LGR_ERROR, edges, 2);
    ring_edge(&relock, WORKER1, LEDGER, LEDGER, AT(POST_LEDGER), AT(MOVE_FROM));
    evidence_finding(evidence, LGR_KIND_SELF_DEADLOCK, LGR_VERDICT_ACTUAL, LGR_ERROR, &relock, 1);
    evidence_end(evidence, 0);
    ck_assert(suppressions_parse(&pool, &known, "bank.supp", file, sizeof file - 1, &errors));
    check_reports("suppressed", &evidence, 1, (struct format_options){0},
                  (struct model_options){.suppressions = &known});
    pool_free(&pool);
}
END_TEST

START_TEST(clean_but_degraded) {
    struct evidence *evidence = bank();
    struct lgr_header *header = evidence_header(evidence);
    header->degraded = LGR_DEGRADED_MAX_DATA | LGR_DEGRADED_UNWIND | 1u << 30;
    header->dropped = 1234;
    header->unwrapped = 1;
    evidence_end(evidence, 0);
    check_report("degraded", evidence, (struct format_options){0});
}
END_TEST

START_TEST(nothing_seen_is_not_nothing_found) {
    struct evidence *evidence = evidence_begin("/srv/bank/bank", "bank");
    evidence_end(evidence, 0);
    check_report("blind", evidence, (struct format_options){0});
}
END_TEST

/* As a user's validator sees them: tests/golden/validate.py with the schema. */
START_TEST(golden_json_fits_the_schema) {
    char command[4 * PATH_MAX], validator[PATH_MAX], schema[PATH_MAX];
    snprintf(validator, sizeof validator, "%s", golden_path("validate.py"));
    snprintf(schema, sizeof schema, "%s", golden_path("../../docs/report.schema.json"));
    snprintf(command, sizeof command, "python3 '%s' '%s' \"$(dirname '%s')\"/*.json", validator, schema,
             validator);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("golden reports");
    TCase *reports = tcase_create("reports");
    tcase_add_test(reports, feasible);
    tcase_add_test(reports, feasible_on_one_screen);
    tcase_add_test(reports, notes_shown);
    tcase_add_test(reports, notes_hidden);
    tcase_add_test(reports, deadlock_of_a_killed_process);
    tcase_add_test(reports, deadlocks_of_other_shapes);
    tcase_add_test(reports, misuse_tells_the_call_and_the_earlier_place);
    tcase_add_test(reports, misuse_of_every_kind);
    tcase_add_test(reports, stall_tells_every_thread);
    tcase_add_test(reports, stalls_of_other_shapes);
    tcase_add_test(reports, long_ring_is_folded);
    tcase_add_test(reports, locks_of_one_kind);
    tcase_add_test(reports, hostile_names_are_made_harmless);
    tcase_add_test(reports, one_problem_in_two_processes);
    tcase_add_test(reports, orders_of_two_runs);
    tcase_add_test(reports, figures_of_two_processes);
    tcase_add_test(reports, single_holds_and_waits);
    tcase_add_test(reports, crossing_spans_are_bounded);
    tcase_add_test(reports, exec_under_the_same_pid);
    tcase_add_test(reports, status_is_written_into_the_last_image);
    tcase_add_test(reports, strict_makes_notes_errors);
    tcase_add_test(reports, known_findings_are_left_out);
    tcase_add_test(reports, clean_but_degraded);
    tcase_add_test(reports, nothing_seen_is_not_nothing_found);
    tcase_add_test(reports, golden_json_fits_the_schema);
    tcase_set_timeout(reports, 60);
    suite_add_tcase(suite, reports);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
