/* Order files: what each line means, every mistake it can hold and where that is told,
 * what follows from levels and pairs; and the levels that are learned. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learn_levels.h"
#include "learn_runs.h"
#include "model.h"
#include "order_file.h"
#include "order_words.h"

static struct pool pool;
static struct order order;
static struct text errors;

static void start_fresh(void) { order = (struct order){0}; }

static void free_all(void) {
    pool_free(&pool);
    text_free(&errors);
}

static bool parse(const char *text) {
    struct order_source source = {.pool = &pool, .order = &order, .file = "x.order", .errors = &errors};
    order_parse(&source, text, strlen(text));
    return order_settle(&source);
}

static size_t named(const char *name) { return order_class_named(&order, name); }

/* ---- what a file says ---- */

START_TEST(line_by_line) {
    ck_assert(parse("# header\n"
                    "\tlevel 10 a \"what it protects\" # a comment\n"
                    "level 20 \"std::map<int, int>::lock\"\r\n"
                    "class c\n"
                    "lock a variable g#h module m\n"
                    "lock a init f at s.c:12 module 'a b'\n"
                    "lock c at dir/s.c\n"
                    "lock c init +0x12 module m\n"
                    "lock c use f at s.c\n"
                    "level 30 d\n"
                    "same a by address\n"
                    "same d by key\n"
                    "same \"std::map<int, int>::lock\" in any order\n"
                    "before a c\n"
                    "bless a c 'no \"harm\"'"));
    ck_assert_uint_eq(order.class_count, 4);
    ck_assert_int_eq(order.classes[3].nesting, LGR_NEST_BY_KEY);
    ck_assert_str_eq(order.classes[0].what, "what it protects");
    ck_assert_int_eq(order.classes[0].level, 10);
    ck_assert_int_eq(order.classes[0].nesting, LGR_NEST_BY_ADDRESS);
    ck_assert_int_eq(order.classes[1].nesting, LGR_NEST_ANYHOW);
    ck_assert_int_eq(order.classes[2].level, NO_LEVEL);
    ck_assert_uint_eq(order.rule_count, 5);
    ck_assert_str_eq(order.rules[0].variable, "g#h");
    ck_assert_str_eq(order.rules[1].function, "f");
    ck_assert_str_eq(order.rules[1].source, "s.c");
    ck_assert_uint_eq(order.rules[1].source_line, 12);
    ck_assert_str_eq(order.rules[1].module, "a b");
    ck_assert_str_eq(order.rules[2].source, "dir/s.c");
    ck_assert_uint_eq(order.rules[2].source_line, 0);
    ck_assert_uint_eq(order.rules[3].class_index, 2);
    ck_assert(!order.rules[3].use && order.rules[4].use);
    ck_assert_str_eq(order.rules[4].function, "f");
    ck_assert_str_eq(order.rules[4].source, "s.c");
    ck_assert_str_eq(order_blessing(&order, 2, 0)->reason, "no \"harm\"");
    ck_assert_ptr_null(order_blessing(&order, 0, 0));
}
END_TEST

START_TEST(an_empty_file_declares_nothing) {
    ck_assert(parse("\xef\xbb\xbf# nothing\n\n"));
    ck_assert_uint_eq(order.class_count, 0);
}
END_TEST

START_TEST(pairs_are_followed_through) {
    ck_assert(parse("class a\nclass b\nlevel 20 low\nlevel 30 high\nclass free\n"
                    "before a b\nbefore b low\n"));
    ck_assert(order_precedes(&order, named("a"), named("b")));
    ck_assert(order_precedes(&order, named("a"), named("low")));
    ck_assert(order_precedes(&order, named("a"), named("high")));
    ck_assert(order_precedes(&order, named("low"), named("high")));
    ck_assert(!order_precedes(&order, named("b"), named("a")));
    for (size_t i = 0; i < order.class_count; i++) {
        ck_assert(!order_precedes(&order, named("free"), i));
        ck_assert(!order_precedes(&order, i, named("free")));
        ck_assert(!order_precedes(&order, i, i));
    }
}
END_TEST

/* ---- mistakes ---- */

static const struct {
    const char *text, *told; /* how the first line of the errors begins, and a part of it */
    const char *part;
} mistakes[] = {
    {"lewel 1 a", "x.order:1:1: ", "\"lewel\" begins no line"},
    {"\n  level", "x.order:2:8: ", "write level NUMBER NAME"},
    {"level 0 a", "x.order:1:7: ", "from 1 to 32767"},
    {"level 32768 a", "x.order:1:7: ", "from 1 to 32767"},
    {"level 99999999999999999999999 a", "x.order:1:7: ", "from 1 to 32767"},
    {"level -1 a", "x.order:1:7: ", "from 1 to 32767"},
    {"level 10", "x.order:1:9: ", "something is missing"},
    {"level 10 a why", "x.order:1:12: ", "in quotation marks"},
    {"level 10 a \"why", "x.order:1:12: ", "not closed"},
    {"level 10 a \"why\"x", "x.order:1:17: ", "put a blank behind"},
    {"level 10 a \"\"", "x.order:1:12: ", "the text is empty"},
    {"level 10 a \"why\" b", "x.order:1:18: ", "goes on"},
    {"level 10 a\nclass a", "x.order:2:7: ", "declared already, at x.order:1"},
    {"lock a variable v", "x.order:1:6: ", "no class is called \"a\""},
    {"class a\nlock a", "x.order:2:7: ", "which locks?"},
    {"class a\nlock a variable", "x.order:2:16: ", "something is missing"},
    {"class a\nlock a vairable v", "x.order:2:8: ", "\"vairable\" tells no lock"},
    {"class a\nlock a init f init g", "x.order:2:15: ", "init is there twice"},
    {"class a\nlock a use f use g", "x.order:2:14: ", "use is there twice"},
    {"class a\nlock a init f use g", "x.order:2:15: ", "two kinds of lock"},
    {"class a\nlock a variable v use f", "x.order:2:24: ", "another line"},
    {"class a\nlock a at :12", "x.order:2:11: ", "the file is missing"},
    {"class a\nlock a at s.c:x", "x.order:2:15: ", "\"x\" is no line number"},
    {"class a\nlock a at s.c:", "x.order:2:15: ", "is no line number"},
    {"class a\nlock a variable v init f", "x.order:2:25: ", "another line"},
    {"class a\nlock a variable +0x10", "x.order:2:22: ", "add module"},
    {"level 1 a\nsame a", "x.order:2:7: ", "same NAME by address"},
    {"level 1 a\nsame a by number", "x.order:2:11: ", "by what?  Write same NAME by address, by key"},
    {"level 1 a\nsame a in no order", "x.order:2:8: ", "same NAME by address"},
    {"class a\nsame a by address", "x.order:2:6: ", "a has no level"},
    {"level 1 a\nsame a by address\nsame a in any order", "x.order:3:6: ", "said already, at x.order:2"},
    {"class a\nbefore a", "x.order:2:9: ", "before FIRST SECOND"},
    {"class a\nbefore a b", "x.order:2:8: ", "no class is called \"b\""},
    {"class a\nbefore a a", "x.order:2:8: ", "before itself"},
    {"level 1 a\nlevel 1 b\nbefore a b", "x.order:3:8: ", "share level 1"},
    {"level 1 a\nlevel 2 b\nbefore b a", "x.order:3:8: ", "a has level 1 and b 2"},
    {"class a\nclass b\nclass c\nbefore a b\nbefore b c\nbefore c a",
     "x.order:4:8: ", "line 5 puts b before c, line 6 puts c before a"},
    {"class a\nbless a a", "x.order:2:10: ", "the reason is missing"},
    {"class a\nbless a a why", "x.order:2:11: ", "in quotation marks"},
    {"include", "x.order:1:8: ", "include FILE"},
    {"include a b", "x.order:1:11: ", "goes on"},
    {"class a\nclass \x01", "x.order:2:7: ", "no text"},
    {"class a # \xc3\xa4\nlevel \xc3\xa4 b", "x.order:2:7: ", "is no level"},
};

START_TEST(mistake_is_located) {
    ck_assert(!parse(mistakes[_i].text));
    const char *told = text_string(&errors);
    ck_assert_msg(strncmp(told, mistakes[_i].told, strlen(mistakes[_i].told)) == 0, "%s told for %s", told,
                  mistakes[_i].text);
    char line[512] = "";
    memcpy(line, told, strcspn(told, "\n"));
    ck_assert_msg(strstr(line, mistakes[_i].part) != NULL, "%s told for %s", told, mistakes[_i].text);
}
END_TEST

START_TEST(all_mistakes_are_told_up_to_a_limit) {
    char text[400] = "";
    for (int i = 0; i < 30; i++)
        strcat(text, "wrong\n");
    ck_assert(!parse(text));
    size_t lines = 0;
    for (const char *at = text_string(&errors); (at = strchr(at, '\n')); at++)
        lines++;
    ck_assert_uint_eq(lines, ORDER_MISTAKES);
}
END_TEST

/* ---- words ---- */

START_TEST(quoted_where_it_must_be) {
    ck_assert_str_eq(order_quoted(&pool, "a[1].b"), "a[1].b");
    ck_assert_str_eq(order_quoted(&pool, "a b"), "\"a b\"");
    ck_assert_str_eq(order_quoted(&pool, "a#"), "\"a#\"");
    ck_assert_str_eq(order_quoted(&pool, "a\"b"), "'a\"b'");
    ck_assert_str_eq(order_quoted(&pool, ""), "\"\"");
}
END_TEST

/* ---- levels that are learned ---- */

static struct model_class known = {.kind = "static"};
static struct seen_class classes[8];

static struct learned_level *levels_of(struct seen_pair *pairs, size_t count, size_t *rings) {
    for (size_t i = 0; i < 8; i++)
        classes[i] = (struct seen_class){.rule = "variable v", .what = &known};
    classes[7].guessed = true;
    return learn_levels(&pool, &(struct seen){8, count, classes, pairs}, rings);
}

/* A diamond: 0 before 1 and 2, both before 3, and 0 before 3 itself. */
START_TEST(the_longest_way_counts) {
    struct seen_pair pairs[] = {{.from = 0, .to = 3}, {.from = 2, .to = 3}, {.from = 1, .to = 2},
                                {.from = 0, .to = 1}, {.from = 5, .to = 5}, {.from = 3, .to = 7},
                                {.from = 7, .to = 0}};
    size_t rings;
    const struct learned_level *levels = levels_of(pairs, 7, &rings);
    static const size_t depths[] = {1, 2, 3, 4, 1, 1, 1, 1};
    ck_assert_uint_eq(rings, 0);
    for (size_t i = 0; i < 8; i++) {
        ck_assert_uint_eq(levels[i].depth, depths[i]);
        ck_assert_uint_eq(levels[i].ring, 0);
    }
}
END_TEST

START_TEST(a_ring_has_one_depth) {
    struct seen_pair pairs[] = {{.from = 0, .to = 1}, {.from = 1, .to = 2}, {.from = 2, .to = 3},
                                {.from = 3, .to = 1}, {.from = 2, .to = 4}, {.from = 5, .to = 6},
                                {.from = 6, .to = 5}};
    size_t rings;
    const struct learned_level *levels = levels_of(pairs, 7, &rings);
    static const size_t depths[] = {1, 2, 2, 2, 3, 1, 1, 1}, in[] = {0, 1, 1, 1, 0, 2, 2, 0};
    ck_assert_uint_eq(rings, 2);
    for (size_t i = 0; i < 8; i++) {
        ck_assert_uint_eq(levels[i].depth, depths[i]);
        ck_assert_uint_eq(levels[i].ring, in[i]);
    }
}
END_TEST

/* Five at one distance, then a lonely one; the same offsets in another file are others. */
START_TEST(what_lies_side_by_side_is_one_run) {
    static const uint64_t offsets[] = {0x140, 0x100, 0x128, 0x150, 0x178, 0x1a0, 0x1000, 0x1028};
    for (size_t i = 0; i < 8; i++)
        classes[i] = (struct seen_class){.module = i == 0 ? "other" : "m", .offset = offsets[i]};
    struct seen_splits splits = {0};
    learn_runs(&pool, &(struct seen){.class_count = 8, .classes = classes}, &splits);
    ck_assert_uint_eq(splits.run_count, 1);
    ck_assert_str_eq(splits.runs[0].module, "m");
    ck_assert_uint_eq(splits.runs[0].first, 0x100);
    ck_assert_uint_eq(splits.runs[0].last, 0x1a0);
    for (size_t i = 0; i < 8; i++)
        classes[i].offset = 0; /* these have names */
    splits = (struct seen_splits){0};
    learn_runs(&pool, &(struct seen){.class_count = 8, .classes = classes}, &splits);
    ck_assert_uint_eq(splits.run_count, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("order");
    TCase *cases = tcase_create("all");
    tcase_add_checked_fixture(cases, start_fresh, free_all);
    tcase_add_test(cases, line_by_line);
    tcase_add_test(cases, an_empty_file_declares_nothing);
    tcase_add_test(cases, pairs_are_followed_through);
    tcase_add_loop_test(cases, mistake_is_located, 0, sizeof mistakes / sizeof *mistakes);
    tcase_add_test(cases, all_mistakes_are_told_up_to_a_limit);
    tcase_add_test(cases, quoted_where_it_must_be);
    tcase_add_test(cases, the_longest_way_counts);
    tcase_add_test(cases, a_ring_has_one_depth);
    tcase_add_test(cases, what_lies_side_by_side_is_one_run);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
