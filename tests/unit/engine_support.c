#include "engine_support.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/lifecycle.h"
#include "platform/memory.h"
#include "platform/modules.h"
#include "platform/unwind.h"

struct engine_seen engine_seen;
static uint64_t used_before;
static bool forgets;
static uint32_t last_tid;
static uint64_t random_state;

static void note_finding(const struct lge_finding *finding, void *user) {
    struct engine_seen *seen = user;
    seen->count++;
    seen->last = *finding;
    for (size_t i = 0; i < finding->edge_count && i < sizeof seen->edges / sizeof seen->edges[0]; i++)
        seen->edges[i] = finding->edges[i];
    seen->last.edges = seen->edges;
}

struct lge_config engine_config = {
    .search_budget = 100000, .stack_depth = 24, .on_finding = note_finding, .user = &engine_seen};

void engine_up(void) {
    lgp_modules_start();
    lgp_unwind_start(LGP_UNWIND_GCC);
    lgp_module_contains((uintptr_t)engine_up); /* what it remembers is not the engine's */
    used_before = lgp_memory_used();
    forgets = false;
    last_tid = 1u << 29;
    random_state = 12345;
    memset(&engine_seen, 0, sizeof engine_seen);
    lge_start(&engine_config);
}

void engine_forgets(void) { forgets = true; }

void engine_again(void) {
    lge_reset();
    memset(&engine_seen, 0, sizeof engine_seen);
    lge_start(&engine_config);
}

void engine_down(void) {
    lge_reset();
    if (!engine_config.recording && !forgets)
        ck_assert_uint_eq(lgp_memory_used(), used_before);
}

TCase *engine_case(Suite *suite, const char *name) {
    TCase *tests = tcase_create(name);
    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, engine_up, engine_down);
    suite_add_tcase(suite, tests);
    return tests;
}

int engine_run(Suite *suite) {
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

struct lge_thread *engine_thread(struct lge_thread *parent) {
    struct lge_thread *thread = lge_thread_new(parent, 0, 0);
    ck_assert_ptr_nonnull(thread);
    lge_thread_begin(thread, ++last_tid, 0, 0);
    return thread;
}

uint64_t engine_lock(struct lge_thread *thread, const char *class_name) {
    return lge_lock_id_new(thread, lge_class_named(class_name));
}

struct lge_request engine_request(uint64_t id) {
    uintptr_t site = 0x1000 + lge_lock_class(id);
    return (struct lge_request){
        .address = (const void *)(uintptr_t)id,
        .id = id,
        .site = site,
        .context = lge_context_intern(&site, 1, false),
        .kind = LGR_LOCK_MUTEX,
    };
}

void engine_take(struct lge_thread *thread, uint64_t id) {
    struct lge_request request = engine_request(id);
    lge_check(thread, &request);
    lge_acquired(thread, &request);
}

void engine_give(struct lge_thread *thread, uint64_t id) {
    ck_assert(lge_released(thread, (const void *)(uintptr_t)id));
}

void engine_nest(struct lge_thread *thread, uint64_t outer, uint64_t inner) {
    engine_take(thread, outer);
    engine_take(thread, inner);
    engine_give(thread, inner);
    engine_give(thread, outer);
}

#ifdef LOCKGRAPH_COVERAGE
void __gcov_dump(void); /* writes what the child executed */
#endif

void engine_leave(int status) {
#ifdef LOCKGRAPH_COVERAGE
    __gcov_dump();
#endif
    _exit(status);
}

uint32_t engine_random(uint32_t below) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % below;
}
