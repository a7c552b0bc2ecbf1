/* Suppression files: the pattern language, the parser with every mistake it
 * names, and which findings a suppression is about. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "format.h"
#include "kinds.h"
#include "model.h"
#include "suppress.h"

static struct pool pool;
static struct suppressions suppressions;
static struct text errors;

static void start_fresh(void) { suppressions = (struct suppressions){0}; }

static void free_all(void) {
    pool_free(&pool);
    text_free(&errors);
}

static bool parse(const char *text) {
    return suppressions_parse(&pool, &suppressions, "x.supp", text, strlen(text), &errors);
}

/* ---- patterns ---- */

static const struct {
    const char *pattern, *text;
    bool matches, as_path;
} patterns[] = {
    {"a", "a", true, true},
    {"a", "b", false, false},
    {"a", "ab", false, false},
    {"a", "ba", false, false},
    {"*", "", true, true},
    {"", "", true, true},
    {"", "a", false, false},
    {"a*", "a", true, true},
    {"a*", "abc", true, true},
    {"*c", "abc", true, true},
    {"a*c", "abcc", true, true},
    {"a*b*c", "a-b-b-c", true, true},
    {"a*b*c", "a-c-b", false, false},
    {"**", "x", true, true},
    {"*ab*ab", "ab", false, false},
    {"*aab", "aaaab", true, true},
    {"a?b", "acb", false, false},
    {"[ab]", "a", false, false},
    {"queue.c", "/home/me/src/queue.c", false, true},
    {"src/queue.c", "/home/me/src/queue.c", false, true},
    {"rc/queue.c", "/home/me/src/queue.c", false, false},
    {"third_party/*", "/home/me/third_party/a/b.c", false, true},
    {"/home/*", "/home/me/src/queue.c", true, true},
    {"libq.so*", "/usr/lib/libq.so.1", false, true},
};

START_TEST(pattern) {
    ck_assert_int_eq(pattern_matches(patterns[_i].pattern, patterns[_i].text), patterns[_i].matches);
    ck_assert_int_eq(pattern_matches_path(patterns[_i].pattern, patterns[_i].text), patterns[_i].as_path);
}
END_TEST

START_TEST(nothing_matches_what_is_not_known) {
    ck_assert(!pattern_matches("*", NULL));
    ck_assert(!pattern_matches_path("*", NULL));
}
END_TEST

/* Time must not explode with the number of stars. */
START_TEST(many_stars_are_quick) {
    char text[10001], stars[201];
    memset(text, 'a', 10000);
    text[10000] = 0;
    for (int i = 0; i < 200; i += 2)
        memcpy(stars + i, "a*", 2);
    strcpy(stars + 198, "b");
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    ck_assert(!pattern_matches(stars, text));
    clock_gettime(CLOCK_MONOTONIC, &end);
    ck_assert_int_lt(end.tv_sec - begin.tv_sec, 3);
}
END_TEST

/* ---- the file ---- */

START_TEST(line_by_line) {
    ck_assert(parse("# header\n"
                    "\n"
                    "order-cycle lock:a  lock:\"b c\" # own reason\n"
                    "  # the comment above\n"
                    "deadlock\tfunction:f\n"
                    "order-* file:'x\"y.c'\n"
                    "\n"
                    "deadlock:^f*g$\n"
                    "race:whatever\n"
                    "* id:123456789abc # last, without a newline"));
    ck_assert_uint_eq(suppressions.count, 5);
    ck_assert_uint_eq(suppressions.file_count, 1);
    const struct suppression *all = suppressions.list;
    ck_assert_str_eq(all[0].text, "order-cycle lock:a  lock:\"b c\"");
    ck_assert_str_eq(all[0].reason, "own reason");
    ck_assert_str_eq(all[0].kind, "order-cycle");
    ck_assert_uint_eq(all[0].part_count, 2);
    ck_assert_str_eq(all[0].parts[1].pattern, "b c");
    ck_assert_uint_eq(all[0].line, 3);
    ck_assert_str_eq(all[1].reason, "the comment above");
    ck_assert_int_eq(all[1].parts[0].subject, SUPPRESS_FUNCTION);
    ck_assert_str_eq(all[2].reason, "the comment above");
    ck_assert_str_eq(all[2].parts[0].pattern, "x\"y.c");
    ck_assert_ptr_null(all[3].reason);
    ck_assert_ptr_null(all[3].kind);
    ck_assert_str_eq(all[3].parts[0].pattern, "f*g");
    ck_assert_int_eq(all[4].parts[0].subject, SUPPRESS_ID);
    ck_assert_uint_eq(all[4].line, 10);
}
END_TEST

/* As editors on other systems write it. */
START_TEST(byte_order_mark_and_carriage_returns) {
    ck_assert(parse("\xef\xbb\xbforder-cycle lock:a # why\r\n\r\ndeadlock:g\r\n"));
    ck_assert_uint_eq(suppressions.count, 2);
    ck_assert_str_eq(suppressions.list[0].reason, "why");
    ck_assert_str_eq(suppressions.list[1].parts[0].pattern, "*g*");
}
END_TEST

START_TEST(tabs_are_blanks) {
    ck_assert(parse("\torder-*\tlock:a\tfile:b\t#\tmy\treason\t\n"));
    ck_assert_str_eq(suppressions.list[0].kind, "order-*");
    ck_assert_uint_eq(suppressions.list[0].part_count, 2);
    ck_assert_str_eq(suppressions.list[0].text, "order-* lock:a file:b");
    ck_assert_str_eq(suppressions.list[0].reason, "my reason");
}
END_TEST

START_TEST(nothing_in_it) {
    ck_assert(parse("") && parse("\n\n") && parse("# only words") && parse("race:x\nmutex:y\n"));
    ck_assert_uint_eq(suppressions.count, 0);
    ck_assert_uint_eq(suppressions.file_count, 4);
}
END_TEST

START_TEST(files_add_up) {
    ck_assert(parse("order-cycle lock:a # r"));
    ck_assert(!parse("order-cycle lock:b # r\nnonsense"));
    ck_assert_uint_eq(suppressions.count, 1);
    ck_assert(parse("order-cycle lock:c # r"));
    ck_assert_uint_eq(suppressions.count, 2);
    ck_assert_str_eq(suppressions.list[1].parts[0].pattern, "c");
}
END_TEST

START_TEST(names_are_made_harmless) {
    ck_assert(parse("order-cycle lock:a # \xe2\x80\xae drow"));
    ck_assert_str_eq(suppressions.list[0].reason, "\\u{202e} drow");
}
END_TEST

/* Where each mistake is, and a word of the cure. */
static const struct {
    const char *text, *place, *cure;
} mistakes[] = {
    {"order-cycle # why", "1:12:", "check.order-cycle=off"},
    {"* # why", "1:2:", "check.KIND=off"},
    {"# c\nordercycle lock:a", "2:1:", "-O help=1"},
    {"*x*y*z lock:a # r", "1:1:", "no kind of finding"},
    {"order-cycle:f # r", "1:12:", "function:f"},
    {"  lock:a # r", "1:3:", "begin with one such as order-cycle"},
    {"order-cycle lok:a # r", "1:13:", "use lock:, class:"},
    {"order-cycle lock:a and # r", "1:20:", "\"and\" is no part"},
    {"order-cycle lock # r", "1:17:", "put a colon"},
    {"order-cycle lock: # r", "1:18:", "use * for any text"},
    {"order-cycle lock:\"\" # r", "1:19:", "use * for any text"},
    {"order-cycle lock:\"a # r", "1:18:", "put \" behind the pattern"},
    {"order-cycle lock:'a'b # r", "1:21:", "put a blank behind"},
    {"order-cycle lock:a", "1:19:", "behind \" # \""},
    {"order-cycle lock:a #", "1:19:", "behind \" # \""},
    {"# c\n\norder-cycle lock:a#b", "3:21:", "behind \" # \""},
    {"deadlock:", "1:10:", "name a function"},
    {"deadlock:^*$", "1:10:", "name a function"},
    {"order-cycle lock:\xc3\xbc\xc3\xbc x # r", "1:21:", "\"x\" is no part"}, /* columns are characters */
    {"\177ELF\002", "1:5:", "is this the right file?"},
};

START_TEST(mistake_is_located) {
    char expected[64];
    ck_assert(!parse(mistakes[_i].text));
    snprintf(expected, sizeof expected, "x.supp:%s ", mistakes[_i].place);
    const char *told = text_string(&errors);
    ck_assert_msg(strncmp(told, expected, strlen(expected)) == 0, "%s where %s was expected", told, expected);
    ck_assert_msg(strstr(told, mistakes[_i].cure), "no \"%s\" in %s", mistakes[_i].cure, told);
    ck_assert_uint_eq(suppressions.count, 0);
    ck_assert_uint_eq(suppressions.file_count, 0);
}
END_TEST

START_TEST(all_mistakes_are_told_up_to_a_limit) {
    char text[30 * 8 + 1] = "";
    for (int i = 0; i < 30; i++)
        strcat(text, "wrong\n");
    ck_assert(!parse(text));
    ck_assert_ptr_nonnull(strstr(text_string(&errors), "x.supp:20:1:"));
    ck_assert_ptr_null(strstr(text_string(&errors), "x.supp:21:1:"));
    ck_assert_ptr_nonnull(strstr(text_string(&errors), "and 10 more"));
}
END_TEST

START_TEST(zero_bytes_are_no_text) {
    ck_assert(!suppressions_parse(&pool, &suppressions, "x", "a\0b", 3, &errors));
    ck_assert_ptr_nonnull(strstr(text_string(&errors), "x:1:2:"));
}
END_TEST

/* A '#' is the reason only at the beginning of a word, outside quotation marks. */
START_TEST(where_the_reason_begins) {
    ck_assert(parse("order-cycle lock:\"a # b\" # r\n"
                    "order-cycle lock:a#b # r\n"
                    "order-cycle lock:a:\"b # r\n"
                    "deadlock:\"f # r\n"));
    ck_assert_str_eq(suppressions.list[0].parts[0].pattern, "a # b");
    ck_assert_str_eq(suppressions.list[1].parts[0].pattern, "a#b");
    ck_assert_str_eq(suppressions.list[2].parts[0].pattern, "a:\"b");
    ck_assert_str_eq(suppressions.list[3].parts[0].pattern, "*\"f*");
    for (size_t i = 0; i < 4; i++)
        ck_assert_str_eq(suppressions.list[i].reason, "r");
}
END_TEST

/* ---- findings ---- */

static const struct code_frame frames[] = {
    {.module = "/usr/lib/libq.so.1",
     .function = "queue::push(int)",
     .name = "queue::push",
     .file = "/src/lib/queue.cc",
     .line = 12},
    {.module = "/opt/app/bin/app", .function = "main", .name = "main", .file = "/src/app/main.c", .line = 3},
    {.module = "/usr/lib/stripped.so", .offset = 0x1234},
};
static struct model_class classes[] = {
    {.id = "00aa00aa00aa", .name = "queue_lock", .short_name = "queue_lock"},
    {.id = "00bb00bb00bb", .name = "lock initialised at log.c:9 (log_open)", .short_name = "lock(log.c:9)"}};
static struct model_lock locks[] = {{.name = "queue_lock", .short_name = "queue_lock", .class = &classes[0]},
                                    {.name = "mutex initialised at log.c:9 (log_open)",
                                     .short_name = "mutex(log.c:9)",
                                     .class = &classes[1]}};

static struct model_edge edges[2];
static struct model_finding finding;

/* queue_lock -> log's in push() called by main, the other way in a stripped library. */
static const struct model_finding *inversion(void) {
    edges[0] = (struct model_edge){.from = &locks[0], .to = &locks[1]};
    edges[0].held_at = (struct stack){.count = 2, .frames = frames};
    edges[1] = (struct model_edge){.from = &locks[1], .to = &locks[0]};
    edges[1].requested_at = (struct stack){.count = 1, .frames = &frames[2]};
    finding = (struct model_finding){.id = "16caaf5721c2",
                                     .kind = LGR_KIND_ORDER_CYCLE,
                                     .severity = LGR_ERROR,
                                     .edge_count = 2,
                                     .edges = edges};
    return &finding;
}

static const struct {
    const char *line;
    bool matches;
} lines[] = {
    {"order-cycle lock:queue_lock", true},
    {"* lock:queue_lock", true},
    {"*-cycle lock:queue_lock", true},
    {"deadlock lock:queue_lock", false},
    {"order-cycle lock:queue", false},
    {"order-cycle lock:queue_*", true},
    {"order-cycle lock:queue_lock lock:*log.c:9*", true},
    {"order-cycle lock:queue_lock lock:third", false},
    {"order-cycle lock:\"mutex initialised at log.c:9 (log_open)\"", true},
    {"order-cycle lock:mutex(log.c:9)", true},
    {"order-cycle class:00bb00bb00bb", true},
    {"order-cycle class:lock(log.c:9)", true},
    {"order-cycle class:16caaf5721c2", false},
    {"order-cycle id:16caaf5721c2", true},
    {"order-cycle id:00bb00bb00bb", false},
    {"order-cycle function:queue::push", true},
    {"order-cycle function:queue::push(int)", true},
    {"order-cycle function:push", false},
    {"order-cycle function:main", true},
    {"order-cycle file:queue.cc", true},
    {"order-cycle file:lib/queue.cc", true},
    {"order-cycle file:queue.c", false},
    {"order-cycle module:app", true},
    {"order-cycle module:stripped.so", true},
    {"order-cycle module:stripped.so function:main lock:queue_lock", true},
    {"order-cycle module:stripped.so function:main lock:other", false},
    {"order-cycle module:bin", false},
    {"deadlock:push", true},
    {"deadlock:^queue::push$", true},
    {"deadlock:^push", false},
    {"deadlock:src/lib", true},
    {"deadlock:libq.so", true},
    {"deadlock:^stripped", false},
    {"deadlock:stri*so$", true},
    {"deadlock:queue_lock", false},
};

static bool line_matches(const char *line, const struct model_finding *about) {
    ck_assert_msg(parse(pool_printf(&pool, "# reason\n%s\n", line)), "%s", text_string(&errors));
    return suppression_matches(&suppressions.list[0], about);
}

START_TEST(line_and_finding) {
    bool matches = line_matches(lines[_i].line, inversion());
    ck_assert_msg(matches == lines[_i].matches, "%s", lines[_i].line);
}
END_TEST

/* ThreadSanitizer's lines are about deadlocks only. */
START_TEST(kinds_of_foreign_lines) {
    inversion();
    finding.kind = LGR_KIND_SELF_DEADLOCK;
    ck_assert(line_matches("deadlock:push", &finding));
    finding.kind = LGR_KIND_UNLOCK_FOREIGN;
    ck_assert(!suppression_matches(&suppressions.list[0], &finding));
}
END_TEST

START_TEST(finding_without_locks_and_stacks) {
    finding = (struct model_finding){.id = "x", .kind = LGR_KIND_ORDER_CYCLE};
    ck_assert(!line_matches("order-cycle lock:*", &finding));
    edges[0] = (struct model_edge){0};
    finding.edge_count = 1;
    finding.edges = edges;
    ck_assert(!suppression_matches(&suppressions.list[0], &finding));
}
END_TEST

/* The first that matches is named, all that match are in use. */
START_TEST(counts) {
    inversion();
    struct model_finding all[2] = {finding, finding};
    all[1].kind = LGR_KIND_DEADLOCK;
    struct model model = {.finding_count = 2, .findings = all};
    ck_assert(parse("# r\norder-cycle lock:nothing\n* lock:queue_lock\norder-cycle function:main\n"));
    suppress_findings(&model, &suppressions);
    ck_assert_uint_eq(model.suppression_uses[0], 0);
    ck_assert_uint_eq(model.suppression_uses[1], 2);
    ck_assert_uint_eq(model.suppression_uses[2], 1);
    ck_assert_ptr_eq(all[0].suppression, &suppressions.list[1]);
    ck_assert_uint_eq(model_count_suppressed(&model), 2);
    ck_assert_uint_eq(model_count_at_least(&model, LGR_NOTE), 0);
    ck_assert_uint_eq(model_count_of(&model, LGR_ERROR), 0);
    pool_free(&model.pool);
}
END_TEST

START_TEST(footer) {
    inversion();
    struct model model = {.finding_count = 1, .findings = &finding};
    struct text out = {0};
    ck_assert(parse("order-cycle lock:queue_lock # r\ndeadlock:nothing\n"));
    format_suppressions(&out, &model, false);
    ck_assert_uint_eq(out.length, 0);
    suppress_findings(&model, &suppressions);
    format_suppressions(&out, &model, true);
    ck_assert_str_eq(text_string(&out), "Suppressions: x.supp; 1 finding suppressed.\n");
    text_free(&out);
    format_suppressions(&out, &model, false);
    ck_assert_str_eq(text_string(&out), "Suppressions: x.supp; 1 finding suppressed.\n"
                                        "  x.supp:1: 1 finding: order-cycle lock:queue_lock # r\n"
                                        "  x.supp:2: unused: deadlock:nothing\n");
    text_free(&out);
    pool_free(&model.pool);
}
END_TEST

/* ---- files ---- */

static void write_file(const char *name, const char *content) {
    FILE *stream = fopen(name, "w");
    ck_assert_ptr_nonnull(stream);
    fputs(content, stream);
    fclose(stream);
}

START_TEST(which_file_is_read) {
    char directory[] = "/tmp/lockgraph-suppress-XXXXXX";
    const char *given[] = {"given", "missing"};
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chdir(directory), 0);
    freopen("/dev/null", "w", stderr);
    ck_assert(suppressions_load(&pool, &suppressions, NULL, 0));
    ck_assert_uint_eq(suppressions.file_count, 0);
    write_file(DEFAULT_SUPPRESSIONS, "order-cycle lock:default # r\n");
    write_file("given", "order-cycle lock:given # r\n");
    ck_assert(suppressions_load(&pool, &suppressions, NULL, 0));
    ck_assert_str_eq(suppressions.list[0].file, DEFAULT_SUPPRESSIONS);
    start_fresh();
    ck_assert(suppressions_load(&pool, &suppressions, given, 1)); /* instead of the default */
    ck_assert_uint_eq(suppressions.count, 1);
    ck_assert_str_eq(suppressions.list[0].parts[0].pattern, "given");
    ck_assert(!suppressions_load(&pool, &suppressions, given, 2));
    write_file(DEFAULT_SUPPRESSIONS, "wrong\n");
    ck_assert(!suppressions_load(&pool, &suppressions, NULL, 0));
    unlink("given");
    unlink(DEFAULT_SUPPRESSIONS);
    rmdir(directory);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("suppressions");
    TCase *cases = tcase_create("all");
    tcase_add_checked_fixture(cases, start_fresh, free_all);
    tcase_add_loop_test(cases, pattern, 0, sizeof patterns / sizeof *patterns);
    tcase_add_test(cases, nothing_matches_what_is_not_known);
    tcase_add_test(cases, many_stars_are_quick);
    tcase_add_test(cases, line_by_line);
    tcase_add_test(cases, byte_order_mark_and_carriage_returns);
    tcase_add_test(cases, tabs_are_blanks);
    tcase_add_test(cases, nothing_in_it);
    tcase_add_test(cases, where_the_reason_begins);
    tcase_add_test(cases, files_add_up);
    tcase_add_test(cases, names_are_made_harmless);
    tcase_add_loop_test(cases, mistake_is_located, 0, sizeof mistakes / sizeof *mistakes);
    tcase_add_test(cases, all_mistakes_are_told_up_to_a_limit);
    tcase_add_test(cases, zero_bytes_are_no_text);
    tcase_add_loop_test(cases, line_and_finding, 0, sizeof lines / sizeof *lines);
    tcase_add_test(cases, kinds_of_foreign_lines);
    tcase_add_test(cases, finding_without_locks_and_stacks);
    tcase_add_test(cases, counts);
    tcase_add_test(cases, footer);
    tcase_add_test(cases, which_file_is_read);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
