/* Uniting evidence: associative, commutative and idempotent, byte for byte, over random
 * inputs, in whatever memory; and what is refused. */
#include <check.h>
#include <stdbool.h>
#include <unistd.h>

#include "../golden/evidence.h"
#include "merge_file.h"
#include "record/reader.h"
#include "record_support.h"
#include "rounds.h"

#define MEMORY ((size_t)1 << 20)

static uint64_t state;

/* xorshift: the same everywhere. */
static uint32_t random_below(uint32_t limit) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 33) % limit;
}

static const char *path_of(const char *name) {
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", temporary, name);
    return path;
}

static void write_bytes(const char *name, const void *bytes, size_t size) {
    FILE *stream = fopen(path_of(name), "w");
    ck_assert_ptr_nonnull(stream);
    ck_assert_uint_eq(fwrite(bytes, 1, size, stream), size);
    fclose(stream);
}

/* ---- made-up processes ---- */

#define FRAMES 6 /* places there are */

/* `layout` moves addresses and ids; `pid` is the process. */
static struct evidence *process(uint32_t pid, uint32_t layout) {
    struct evidence *evidence = evidence_begin("/srv/bank", "bank");
    evidence_header(evidence)->pid = pid;
    evidence_module(evidence, 1 + layout, "/srv/bank", 0x400000 + layout * 0x1000, 0x500000 + layout * 0x1000,
                    layout * 0x1000);
    for (uint32_t i = 0; i < FRAMES; i++) {
        uint64_t offsets[] = {0x401000 + i, 0x402000};
        evidence_context(evidence, 1 + i + layout, 1 + layout, offsets, 2, 0);
    }
    return evidence;
}

static void add_class(struct evidence *evidence, uint32_t number, uint32_t layout) {
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    evidence_class(evidence, 1 + number + layout, LGR_CLASS_NAMED, names[number]);
    evidence_lock(evidence, 1 + number + layout, 1 + number + layout, LGR_LOCK_MUTEX);
}

static void add_pair(struct evidence *evidence, uint32_t from, uint32_t to, uint32_t held, uint32_t request,
                     uint32_t layout) {
    struct lgr_edge *edge = evidence_record(evidence, LGR_EDGE, sizeof *edge);
    edge->from_class = 1 + from + layout;
    edge->from_lock = edge->from_class;
    edge->to_class = 1 + to + layout;
    edge->to_lock = edge->to_class;
    edge->thread = 2 + layout;
    edge->held_context = 1 + held + layout;
    edge->request_context = 1 + request + layout;
}

static void save(const char *name, struct evidence *evidence) {
    write_bytes(name, evidence->bytes, evidence->used);
    free(evidence);
}

static void random_process(const char *name) {
    uint32_t layout = random_below(50);
    struct evidence *evidence = process(1000 + random_below(4), layout);
    for (uint32_t i = 0; i < 8; i++)
        add_class(evidence, i, layout);
    evidence_thread(evidence, 2 + layout, random_below(2) ? "worker" : "reader");
    for (uint32_t i = random_below(60); i > 0; i--)
        add_pair(evidence, random_below(8), random_below(8), random_below(FRAMES), random_below(FRAMES),
                 layout);
    for (uint32_t i = random_below(4); i > 0; i--) {
        struct lgr_finding_edge edges[2];
        uint32_t one = 1 + random_below(8) + layout, other = 1 + random_below(8) + layout;
        ring_edge(&edges[0], 2 + layout, one, other, 1 + layout, 2 + layout);
        ring_edge(&edges[1], 2 + layout, other, one, 3 + layout, 4 + layout);
        evidence_finding(evidence, LGR_KIND_ORDER_CYCLE, LGR_VERDICT_FEASIBLE, LGR_ERROR, edges, 2)->count =
            1 + random_below(100);
    }
    evidence_coverage(evidence, random_below(100), 1 + random_below(5), random_below(1000));
    save(name, evidence);
}

/* ---- uniting ---- */

static bool unite_in(size_t memory, const char *to, const char *const *from, size_t count) {
    struct merge_sort *sort = merge_sort_begin(memory);
    char error[512] = "";
    bool united = true;
    for (size_t i = 0; united && i < count; i++)
        united = merge_file_add(path_of(from[i]), sort, error, sizeof error);
    FILE *stream = united ? fopen(path_of(to), "w") : NULL;
    if (stream) {
        ck_assert(merge_sort_write(sort, stream));
        fclose(stream);
    } else {
        ck_assert_str_ne(error, "");
    }
    merge_sort_free(sort);
    return united;
}

#define UNITE(memory, to, ...)                                                                               \
    ck_assert(unite_in(memory, to, (const char *const[]){__VA_ARGS__},                                       \
                       sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)))

static size_t read_bytes(const char *name, unsigned char **bytes) {
    FILE *stream = fopen(path_of(name), "r");
    ck_assert_ptr_nonnull(stream);
    *bytes = malloc((size_t)1 << 20);
    ck_assert_ptr_nonnull(*bytes);
    size_t size = fread(*bytes, 1, (size_t)1 << 20, stream);
    fclose(stream);
    return size;
}

static bool equal(const char *one, const char *other) {
    unsigned char *left, *right;
    size_t left_size = read_bytes(one, &left), right_size = read_bytes(other, &right);
    bool same = left_size == right_size && memcmp(left, right, left_size) == 0;
    free(left);
    free(right);
    return same;
}

START_TEST(any_order_any_grouping_any_number_of_times) {
    for (uint64_t seed = 1; seed <= (uint64_t)rounds(40); seed++) {
        state = seed * 0x9e3779b97f4a7c15u;
        random_process("a");
        random_process("b");
        random_process("c");
        UNITE(MEMORY, "abc", "a", "b", "c");
        UNITE(MEMORY, "cba", "c", "b", "a");
        UNITE(MEMORY, "ab", "a", "b");
        UNITE(MEMORY, "ab-c", "ab", "c");
        UNITE(MEMORY, "bc", "b", "c");
        UNITE(MEMORY, "a-bc", "a", "bc");
        UNITE(MEMORY, "twice", "abc", "b", "abc", "bc");
        ck_assert_msg(equal("abc", "cba"), "order, seed %lu", (unsigned long)seed);
        ck_assert_msg(equal("abc", "ab-c") && equal("abc", "a-bc"), "grouping, seed %lu",
                      (unsigned long)seed);
        ck_assert_msg(equal("abc", "twice"), "twice, seed %lu", (unsigned long)seed);
    }
}
END_TEST

/* A few records at a time, so that there are more runs than may be open. */
START_TEST(little_memory_gives_the_same) {
    state = 7;
    random_process("a");
    random_process("b");
    UNITE(MEMORY, "much", "a", "b");
    UNITE(300, "little", "a", "b");
    UNITE(1, "least", "b", "a");
    ck_assert(equal("much", "little"));
    ck_assert(equal("much", "least"));
}
END_TEST

START_TEST(layouts_and_ids_do_not_matter) {
    for (uint32_t layout = 0; layout < 3; layout++) {
        struct evidence *evidence = process(1000, layout * 7);
        add_class(evidence, 0, layout * 7);
        add_class(evidence, 1, layout * 7);
        add_pair(evidence, 0, 1, 2, 3, layout * 7);
        save(layout == 0 ? "here" : layout == 1 ? "there" : "elsewhere", evidence);
    }
    UNITE(MEMORY, "one", "here");
    UNITE(MEMORY, "other", "there");
    UNITE(MEMORY, "all", "here", "there", "elsewhere");
    ck_assert(equal("one", "other"));
    ck_assert(equal("one", "all"));
    struct evidence *evidence = process(1000, 0);
    add_class(evidence, 0, 0);
    add_class(evidence, 1, 0);
    add_pair(evidence, 0, 1, 2, 4, 0);
    save("here", evidence);
    UNITE(MEMORY, "other", "here");
    ck_assert(!equal("one", "other"));
}
END_TEST

START_TEST(it_reads_as_evidence) {
    char error[256];
    size_t count;
    struct evidence *evidence = process(1000, 3);
    add_class(evidence, 0, 3);
    add_class(evidence, 1, 3);
    add_pair(evidence, 0, 1, 2, 3, 3);
    struct lgr_finding_edge edges[2];
    ring_edge(&edges[0], 2, 4, 5, 4, 5);
    ring_edge(&edges[1], 3, 5, 4, 6, 7);
    evidence_finding(evidence, LGR_KIND_ORDER_CYCLE, LGR_VERDICT_FEASIBLE, LGR_ERROR, edges, 2)->count = 5;
    save("a", evidence);
    UNITE(MEMORY, "merged", "a");
    struct lgr_file *file = lgr_open(path_of("merged"), error, sizeof error);
    ck_assert_msg(file != NULL, "%s", error);
    ck_assert_uint_eq(lgr_merged(file), 1);
    ck_assert_uint_eq(lgr_damaged(file) + lgr_unknown(file), 0);
    ck_assert_uint_eq(lgr_edge_count(file), 1);
    ck_assert_uint_eq(lgr_seen_count(file), 1);
    const struct lgr_edge *edge = lgr_edge_at(file, 0);
    ck_assert_str_eq(lgr_class_by_id(file, edge->from_class)->name, "a");
    ck_assert_str_eq(lgr_class_by_id(file, edge->to_class)->name, "b");
    const struct lgr_context_info *held = lgr_context_by_id(file, edge->held_context);
    ck_assert_uint_eq(held->frames[0].offset, 0x401002);
    ck_assert_str_eq(lgr_module_by_id(file, held->frames[0].module)->path, "/srv/bank");
    const struct lgr_finding_info *findings = lgr_findings(file, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(findings[0].count, 5);
    ck_assert_uint_eq(findings[0].edge_count, 2);
    ck_assert_uint_eq(findings[0].edges[0].edge->from, findings[0].edges[1].edge->to);
    lgr_close(file);
}
END_TEST

static void name_level(struct evidence *evidence, const char *name) {
    struct lgr_level_name *record = evidence_record(evidence, LGR_LEVEL_NAME, sizeof *record + strlen(name));
    record->level = 40;
    record->name_length = (uint32_t)strlen(name);
    memcpy(record + 1, name, strlen(name));
}

START_TEST(levels_keep_their_names) {
    char error[256];
    struct evidence *evidence = process(1000, 3);
    evidence_class(evidence, 9, LGR_CLASS_NAMED, "a")->level = 40;
    evidence_class(evidence, 10, LGR_CLASS_NAMED, "b")->level = 41;
    name_level(evidence, "table");
    save("a", evidence);
    UNITE(MEMORY, "once", "a");
    UNITE(MEMORY, "twice", "a", "once");
    struct lgr_file *file = lgr_open(path_of("twice"), error, sizeof error);
    ck_assert_msg(file != NULL, "%s", error);
    size_t count, named = 0;
    const struct lgr_class_info *classes = lgr_classes(file, &count);
    ck_assert_uint_eq(count, 2);
    for (size_t i = 0; i < count; i++) {
        const char *name = classes[i].level_name;
        named += name != NULL;
        ck_assert((classes[i].level == 40) == (name && strcmp(name, "table") == 0));
    }
    ck_assert_uint_eq(named, 1);
    lgr_close(file);
}
END_TEST

START_TEST(every_truncation_is_refused) {
    unsigned char *bytes;
    char error[256];
    state = 3;
    random_process("a");
    UNITE(MEMORY, "merged", "a");
    size_t size = read_bytes("merged", &bytes);
    for (size_t part = 0; part < size; part += part < 256 ? 1 : 13) {
        write_bytes("cut", bytes, part);
        struct lgr_file *file = lgr_open(path_of("cut"), error, sizeof error);
        ck_assert_msg(!file, "read at %zu", part);
        ck_assert(!unite_in(MEMORY, "out", (const char *const[]){"cut"}, 1));
    }
    bytes[size] = 0; /* one more byte */
    write_bytes("cut", bytes, size + 1);
    ck_assert_ptr_null(lgr_open(path_of("cut"), error, sizeof error));
    ck_assert(!unite_in(MEMORY, "out", (const char *const[]){"cut"}, 1));
    free(bytes);
}
END_TEST

START_TEST(damage_is_refused_or_harmless) {
    unsigned char *bytes;
    char error[256];
    state = 5;
    random_process("a");
    UNITE(MEMORY, "merged", "a");
    size_t size = read_bytes("merged", &bytes);
    for (int round = 0; round < 3000; round++) {
        size_t at = random_below((uint32_t)size);
        unsigned char before = bytes[at];
        bytes[at] = (unsigned char)random_below(256);
        struct lgr_file *file = lgr_open_memory(bytes, size, error, sizeof error);
        lgr_close(file);
        bytes[at] = before;
    }
    free(bytes);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("command merge");
    TCase *tests = tcase_create("merge");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, temporary_make, temporary_remove);
    tcase_add_test(tests, any_order_any_grouping_any_number_of_times);
    tcase_add_test(tests, little_memory_gives_the_same);
    tcase_add_test(tests, layouts_and_ids_do_not_matter);
    tcase_add_test(tests, it_reads_as_evidence);
    tcase_add_test(tests, levels_keep_their_names);
    tcase_add_test(tests, every_truncation_is_refused);
    tcase_add_test(tests, damage_is_refused_or_harmless);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
