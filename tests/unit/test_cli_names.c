/* Which frame a stack is named by, and the stable ids. */
#include <check.h>
#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "finding_id.h"
#include "narrative.h"
#include "stacks.h"
#include "symbols.h"

static struct pool pool;

static void free_pool(void) { pool_free(&pool); }

static struct code_frame frame(const char *name, const char *file, unsigned line) {
    return (struct code_frame){.module = "/usr/bin/bank",
                               .build_id = "abcd",
                               .offset = 0x1000 + line,
                               .function = name,
                               .name = name,
                               .file = file,
                               .line = line,
                               .function_line = line > 10 ? 10 : 1,
                               .function_offset = line};
}

static struct code_frame library_frame(const char *module, const char *name) {
    return (struct code_frame){
        .module = module, .build_id = "", .offset = 0x2000, .function = name, .name = name};
}

static const struct {
    const char *name;
    bool helper;
} helpers[] = {
    {"pthread_mutex_lock", true},
    {"__gthread_mutex_lock", true},
    {"std::mutex::lock", true},
    {"std::unique_lock<std::mutex>::lock", true},
    {"g_mutex_lock", true},
    {"inline_mysql_mutex_lock", true},
    {"SDL_LockMutex", true},
    {"uv_mutex_lock", true},
    {"QMutexLocker::QMutexLocker", true},
    {"rocksdb::InstrumentedMutexLock::InstrumentedMutexLock", true},
    {"base::Guard<base::Mutex>::Guard", true},
    {"absl::Mutex::Lock", true},
    {"inline_mysql_rwlock_wrlock", true},
    {"LockTable::insert", false},
    {"Blockchain::Blockchain", false},
    {"Account::Account", false},
    {"lock::unlock_all", false},
    {"post", false},
    {"lock_accounts", false},
    {"mutex_lock_count", false},
    {"bank::stdlib", false},
};

START_TEST(helpers_are_passed_over) {
    struct code_frame one = frame(helpers[_i].name, "x.c", 12);
    ck_assert(frame_is_helper(&one) == helpers[_i].helper);
}
END_TEST

START_TEST(library_bottom_is_left_out) {
    struct code_frame frames[] = {frame("work", "a.c", 12), frame("std::thread::run", "thread", 3),
                                  library_frame("/lib/libstdc++.so.6", NULL),
                                  library_frame("/lib/libc.so.6", "start_thread"),
                                  library_frame("/lib/libc.so.6", "__clone3")};
    struct stack stack = {.count = 5, .frames = frames};
    ck_assert(!frame_is_bottom(&frames[0]));
    ck_assert(frame_is_bottom(&frames[2]) && frame_is_bottom(&frames[3]) && frame_is_bottom(&frames[4]));
    ck_assert_uint_eq(stack_end(&stack), 1);
    struct code_frame own = frame("start_thread_pool", "a.c", 12);
    ck_assert(!frame_is_bottom(&own));
}
END_TEST

START_TEST(places_in_words) {
    struct code_frame with_line = frame("post", "/src/bank/ledger.c", 40);
    struct code_frame with_symbol = library_frame("/usr/lib/libledger.so", "flush");
    struct code_frame bare = library_frame("/usr/lib/libledger.so", NULL);
    with_symbol.function_offset = 0x2a;
    ck_assert_str_eq(frame_place(&pool, &with_line), "post() ledger.c:40");
    ck_assert_str_eq(frame_place(&pool, &with_symbol), "flush()+0x2a in libledger.so");
    ck_assert_str_eq(frame_place(&pool, &bare), "libledger.so+0x2000");
    ck_assert_str_eq(frame_place(&pool, NULL), "a place not recorded");
    ck_assert_str_eq(frame_short(&pool, &with_line), "ledger.c:40");
    ck_assert_str_eq(frame_short(&pool, &with_symbol), "flush+0x2a");
    bare.module = NULL;
    ck_assert_str_eq(frame_short(&pool, &bare), "0x2000");
}
END_TEST

/* Moving the function within its file, or the module in memory, changes nothing. */
START_TEST(frame_identity_is_normalised) {
    struct code_frame one = frame("post", "ledger.c", 40), moved = one;
    moved.line += 7;
    moved.function_line += 7;
    moved.offset += 0x5000;
    moved.module = "/other/place/bank";
    moved.build_id = "ffff";
    ck_assert_str_eq(frame_identity(&pool, &one), frame_identity(&pool, &moved));
    moved.line++;
    ck_assert_str_ne(frame_identity(&pool, &one), frame_identity(&pool, &moved));
    struct code_frame stripped = library_frame("/lib/libx.so", NULL);
    ck_assert_str_eq(frame_identity(&pool, &stripped), "libx.so+2000");
    struct code_frame release = library_frame("/lib/libx.so.1.4.0", "flush");
    struct code_frame next_release = library_frame("/lib/libx.so.2", "flush");
    struct code_frame other = library_frame("/lib/libx.so.old", "flush");
    ck_assert_str_eq(frame_identity(&pool, &release), frame_identity(&pool, &next_release));
    ck_assert_str_ne(frame_identity(&pool, &release), frame_identity(&pool, &other));
    stripped.build_id = "1234";
    ck_assert_str_eq(frame_identity(&pool, &stripped), "1234+2000");
    ck_assert_str_eq(frame_identity(&pool, NULL), "?");
}
END_TEST

START_TEST(wrappers_are_told_apart_by_their_callers) {
    struct code_frame left[] = {frame("lock_it", "w.c", 12), frame("debit", "a.c", 20),
                                frame("main", "a.c", 90)};
    struct code_frame right[] = {frame("lock_it", "w.c", 12), frame("credit", "a.c", 30),
                                 frame("main", "a.c", 90)};
    struct stack a = {.count = 3, .frames = left}, b = {.count = 3, .frames = right};
    stacks_tell_apart(&a, &b);
    ck_assert_str_eq(stack_site(&a)->name, "debit");
    ck_assert_str_eq(stack_site(&b)->name, "credit");
    ck_assert_str_eq(stack_identity(&pool, &a, 0), "<bank!lock_it:2<bank!debit:10");
}
END_TEST

START_TEST(loops_are_left_alone) {
    struct code_frame frames[] = {frame("lock_all", "a.c", 12), frame("main", "a.c", 90)};
    struct stack a = {.count = 2, .frames = frames}, b = a, none = {0};
    stacks_tell_apart(&a, &b);
    ck_assert_uint_eq(a.site, 0);
    stacks_tell_apart(&a, &none);
    ck_assert_uint_eq(a.site, 0);
    ck_assert_ptr_null(stack_site(&none));
}
END_TEST

START_TEST(inlined_frames_belong_to_the_identity) {
    struct code_frame frames[] = {frame("guard", "g.h", 12), frame("debit", "a.c", 20),
                                  frame("main", "a.c", 90)};
    struct stack stack = {.count = 3, .frames = frames};
    ck_assert_str_eq(stack_identity(&pool, &stack, 0), "<bank!guard:2");
    frames[0].inlined = true;
    ck_assert_str_eq(stack_identity(&pool, &stack, 0), "<bank!guard:2<bank!debit:10");
    ck_assert_str_eq(stack_identity(&pool, &stack, 1), "<bank!guard:2<bank!debit:10<bank!main:80");
}
END_TEST

/* ---- looked up once ---- */

int looked_up[40];

/* `lockgraph top` asks again at every look, for as long as the program runs. */
START_TEST(names_are_made_once) {
    struct symbols *symbols = symbols_open(NULL);
    Dl_info info;
    struct link_map *map;
    char self[PATH_MAX] = "";
    ck_assert_int_gt(readlink("/proc/self/exe", self, sizeof self - 1), 0);
    ck_assert_int_ne(dladdr1(looked_up, &info, (void **)&map, RTLD_DL_LINKMAP), 0);
    struct module_symbols *module = symbols_module(symbols, self, NULL, 0);
    uint64_t offset = (uintptr_t)&looked_up[3] - map->l_addr;
    struct variable variable = symbols_variable(symbols, module, offset);
    ck_assert_ptr_nonnull(variable.name);
    ck_assert_int_eq(strncmp(variable.name, "looked_up", 9), 0);
    ck_assert_ptr_eq(symbols_variable(symbols, module, offset).name, variable.name);
    const char *function = symbols_function_at(symbols, module, (uintptr_t)free_pool - map->l_addr);
    ck_assert_str_eq(function, "free_pool");
    ck_assert_ptr_eq(symbols_function_at(symbols, module, (uintptr_t)free_pool - map->l_addr), function);
    symbols_close(symbols);
}
END_TEST

/* ---- findings ---- */

static struct model_lock locks[3];
static struct model_thread threads[3];
static struct model_edge edges[3];
static struct code_frame sites[3][2];

/* A ring of three: a -> b -> c -> a. */
static struct model_finding ring(void) {
    static const char *const names[] = {"a", "b", "c"};
    for (size_t i = 0; i < 3; i++) {
        locks[i] = (struct model_lock){
            .identity = names[i], .name = names[i], .short_name = names[i], .kind = "mutex"};
        threads[i] = (struct model_thread){.serial = (uint32_t)i + 1, .tag = "T", .label = "T (x)"};
        sites[i][0] = frame(names[i], "a.c", 20 + (unsigned)i);
        sites[i][1] = frame(names[i], "a.c", 40 + (unsigned)i);
    }
    for (size_t i = 0; i < 3; i++)
        edges[i] = (struct model_edge){.from = &locks[i],
                                       .to = &locks[(i + 1) % 3],
                                       .from_label = names[i],
                                       .to_label = names[(i + 1) % 3],
                                       .thread = &threads[i],
                                       .held_at = {.count = 1, .frames = &sites[i][0]},
                                       .requested_at = {.count = 1, .frames = &sites[i][1]}};
    return (struct model_finding){
        .kind = LGR_KIND_ORDER_CYCLE, .verdict = LGR_VERDICT_FEASIBLE, .edge_count = 3, .edges = edges};
}

static void rotate(struct model_finding *finding) {
    struct model_edge first = finding->edges[0];
    memmove(finding->edges, finding->edges + 1, (finding->edge_count - 1) * sizeof first);
    finding->edges[finding->edge_count - 1] = first;
}

START_TEST(id_does_not_depend_on_who_came_first) {
    struct model_finding finding = ring();
    const char *id = finding_id(&pool, &finding);
    ck_assert_uint_eq(strlen(id), FINDING_ID_DIGITS);
    ck_assert_uint_eq(strspn(id, "0123456789abcdef"), FINDING_ID_DIGITS);
    for (int i = 0; i < 3; i++) {
        rotate(&finding);
        ck_assert_str_eq(finding_id(&pool, &finding), id);
    }
}
END_TEST

/* Of several who wait for each other at one lock there is no order. */
START_TEST(id_about_one_lock_does_not_depend_on_the_threads) {
    struct model_finding finding = ring();
    for (size_t i = 0; i < 3; i++)
        edges[i].from = edges[i].to = &locks[0];
    const char *id = finding_id(&pool, &finding);
    struct model_edge first = edges[0];
    edges[0] = edges[1];
    edges[1] = first;
    ck_assert_str_eq(finding_id(&pool, &finding), id);
    edges[2] = edges[1]; /* as many threads as they are */
    ck_assert_str_ne(finding_id(&pool, &finding), id);
}
END_TEST

START_TEST(id_survives_a_new_grade) {
    struct model_finding finding = ring();
    const char *id = finding_id(&pool, &finding);
    finding.verdict = LGR_VERDICT_GATED;
    finding.severity = LGR_NOTE;
    finding.count = 99;
    threads[0].serial = 77;
    ck_assert_str_eq(finding_id(&pool, &finding), id);
}
END_TEST

START_TEST(id_depends_on_what_matters) {
    struct model_finding finding = ring();
    const char *id = finding_id(&pool, &finding);
    finding.kind = LGR_KIND_DEADLOCK;
    ck_assert_str_ne(finding_id(&pool, &finding), id);
    finding = ring();
    locks[1].identity = "other";
    ck_assert_str_ne(finding_id(&pool, &finding), id);
    finding = ring();
    edges[2].shared_from = true;
    ck_assert_str_ne(finding_id(&pool, &finding), id);
    finding = ring();
    sites[1][1].line++;
    ck_assert_str_ne(finding_id(&pool, &finding), id);
    finding = ring();
    ck_assert_str_eq(finding_id(&pool, &finding), id);
}
END_TEST

START_TEST(id_of_a_once_routine_is_not_that_of_a_join) {
    struct model_finding finding = ring();
    edges[1].to = NULL;
    edges[1].joined = &threads[2];
    const char *joins = finding_id(&pool, &finding);
    edges[1].in_once = true;
    ck_assert_str_ne(finding_id(&pool, &finding), joins);
}
END_TEST

START_TEST(id_of_little_evidence) {
    struct model_finding finding = {.kind = 77};
    ck_assert_uint_eq(strlen(finding_id(&pool, &finding)), FINDING_ID_DIGITS);
    finding = ring();
    edges[0].held_at = edges[0].requested_at = (struct stack){0};
    ck_assert_uint_eq(strlen(finding_id(&pool, &finding)), FINDING_ID_DIGITS);
}
END_TEST

/* ---- words ---- */

START_TEST(advice_turns_the_rarest_order) {
    struct model_finding finding = ring();
    edges[0].sites = 5;
    edges[1].sites = 1;
    edges[2].sites = 3;
    narrate(&pool, &finding);
    ck_assert_str_eq(finding.advice, "take c before b at b() a.c:41, or release b first");
    edges[1].sites = 4;
    narrate(&pool, &finding);
    ck_assert_str_eq(
        finding.advice,
        "take a before c at c() a.c:42 and the 2 other places that take them so, or release c first");
}
END_TEST

/* Only a mutex can be made recursive, and who reads must let go before writing. */
START_TEST(advice_on_a_lock_taken_twice) {
    struct model_finding finding = ring();
    finding.kind = LGR_KIND_SELF_DEADLOCK;
    finding.edge_count = 1;
    edges[0].to = edges[0].from;
    edges[0].to_label = "a";
    narrate(&pool, &finding);
    ck_assert_ptr_nonnull(strstr(finding.advice, "or make it recursive"));
    locks[0].kind = "rwlock";
    narrate(&pool, &finding);
    ck_assert_ptr_nonnull(strstr(finding.advice, "do not take a again at"));
    ck_assert_ptr_null(strstr(finding.advice, "recursive"));
    edges[0].shared_from = true;
    narrate(&pool, &finding);
    ck_assert_ptr_nonnull(strstr(finding.advice, "release a before asking to write it at"));
    finding.kind = LGR_KIND_DEADLOCK;
    finding.edge_count = 2;
    edges[1] = edges[0];
    narrate(&pool, &finding);
    ck_assert_ptr_nonnull(strstr(finding.advice, "or take it for writing from the start, at"));
}
END_TEST

START_TEST(titles_say_what_it_is) {
    struct model_finding finding = ring();
    narrate(&pool, &finding);
    ck_assert_str_eq(finding.title, "3 locks are taken in a ring: a → b → c → a");
    ck_assert_uint_eq(finding.step_count, 6);
    ck_assert_str_eq(finding.steps[5], "T waits for a at c() a.c:42: none of them ever goes on");
    finding.kind = LGR_KIND_SELF_DEADLOCK;
    finding.edge_count = 1;
    edges[0].to_label = "a";
    narrate(&pool, &finding);
    ck_assert_str_eq(finding.title, "T (x) waits for a, which it holds itself");
    finding = ring();
    finding.kind = LGR_KIND_DEADLOCK;
    edges[2].to = NULL;
    edges[2].joined = &threads[0];
    edges[2].to_label = "T (x)";
    narrate(&pool, &finding);
    ck_assert_str_eq(finding.advice, "release c before joining T (x) at c() a.c:42");
    finding = (struct model_finding){.kind = LGR_KIND_ORDER_CYCLE};
    narrate(&pool, &finding);
    ck_assert_str_eq(finding.title, "details were not recorded");
}
END_TEST

START_TEST(notes_say_what_keeps_them_apart) {
    static const struct {
        enum lgr_verdict verdict;
        enum lgr_reason reason;
        const char *word;
    } notes[] = {
        {LGR_VERDICT_GATED, LGR_REASON_GATE, "under a"},
        {LGR_VERDICT_ORDERED, LGR_REASON_CREATE, "was created"},
        {LGR_VERDICT_ORDERED, LGR_REASON_JOIN, "was joined"},
        {LGR_VERDICT_ORDERED, LGR_REASON_BARRIER, "barrier"},
        {LGR_VERDICT_ORDERED, LGR_REASON_SEMAPHORE, "semaphore"},
        {LGR_VERDICT_ORDERED, LGR_REASON_CONDITION, "condition"},
        {LGR_VERDICT_ORDERED, LGR_REASON_ONCE, "once"},
        {LGR_VERDICT_ORDERED, LGR_REASON_NONE, "apart"},
        {LGR_VERDICT_SINGLE_THREAD, LGR_REASON_THREAD, "alone"},
        {LGR_VERDICT_CLASS_PATTERN, LGR_REASON_GUESSED_CLASS, "guess"},
        {LGR_VERDICT_CLASS_PATTERN, LGR_REASON_NONE, "never the same"},
        {LGR_VERDICT_TIMED, LGR_REASON_NONE, "time limit"},
    };
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        struct model_finding finding = ring();
        finding.verdict = (uint8_t)notes[i].verdict;
        finding.reason = (uint16_t)notes[i].reason;
        finding.gate = &locks[0];
        finding.reason_thread = &threads[0];
        narrate(&pool, &finding);
        ck_assert_msg(strstr(finding.why, notes[i].word) != NULL, "\"%s\" not in \"%s\"", notes[i].word,
                      finding.why);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("command names");
    TCase *tests = tcase_create("names");
    tcase_add_checked_fixture(tests, NULL, free_pool);
    tcase_add_loop_test(tests, helpers_are_passed_over, 0, sizeof helpers / sizeof *helpers);
    tcase_add_test(tests, library_bottom_is_left_out);
    tcase_add_test(tests, places_in_words);
    tcase_add_test(tests, frame_identity_is_normalised);
    tcase_add_test(tests, wrappers_are_told_apart_by_their_callers);
    tcase_add_test(tests, loops_are_left_alone);
    tcase_add_test(tests, inlined_frames_belong_to_the_identity);
    tcase_add_test(tests, names_are_made_once);
    tcase_add_test(tests, id_does_not_depend_on_who_came_first);
    tcase_add_test(tests, id_about_one_lock_does_not_depend_on_the_threads);
    tcase_add_test(tests, id_survives_a_new_grade);
    tcase_add_test(tests, id_depends_on_what_matters);
    tcase_add_test(tests, id_of_a_once_routine_is_not_that_of_a_join);
    tcase_add_test(tests, id_of_little_evidence);
    tcase_add_test(tests, advice_turns_the_rarest_order);
    tcase_add_test(tests, advice_on_a_lock_taken_twice);
    tcase_add_test(tests, titles_say_what_it_is);
    tcase_add_test(tests, notes_say_what_keeps_them_apart);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
