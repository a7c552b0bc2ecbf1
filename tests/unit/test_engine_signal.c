#include <signal.h>

#include "engine/signal.h"
#include "engine_support.h"

/* Locks in signal handlers, as the front end reports them: a handler's stack
 * leads through a range of code that is ours. */

enum { TEXT = 0x7000, SITE = 0x100, SLOT = 3 };

static uint32_t installed_slot;

static bool is_installed(int signal, uint32_t slot) { return signal == SIGUSR1 && slot == installed_slot; }

static void install(uint32_t slot) {
    installed_slot = slot;
    lge_signal_installed(SIGUSR1, slot);
}

static void mask(int how) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(how, &set, NULL);
}

static struct lge_thread *thread;
static uint64_t lock;

static void start(void) {
    struct lge_signals_config config = {TEXT, TEXT + 16, is_installed};
    lge_signals_start(&config);
    thread = engine_thread(NULL);
    lock = engine_lock(thread, "ledger");
    mask(SIG_UNBLOCK);
    install(SLOT);
}

static void request(uint64_t id, bool on_handler_stack, uint8_t mode) {
    uintptr_t frames[2] = {SITE, on_handler_stack ? TEXT + 4 : 0x200};
    struct lge_request request = engine_request(id);
    request.context = lge_context_intern(frames, 2, false);
    request.mode = mode;
    if (mode == LGR_SHARED)
        request.kind = LGR_LOCK_RWLOCK;
    lge_check(thread, &request);
    lge_acquired(thread, &request);
    lge_released(thread, request.address);
}

static void in_handler(uint64_t id, bool on_handler_stack, uint8_t mode) {
    thread->handlers.marks[0] =
        (struct lge_handler_mark){.frame = UINTPTR_MAX, .slot = SLOT, .signal = SIGUSR1};
    thread->handlers.depth = 1;
    mask(SIG_BLOCK);
    request(id, on_handler_stack, mode);
    mask(SIG_UNBLOCK);
    thread->handlers.depth = 0;
}

static void outside(uint64_t id) { request(id, false, LGR_EXCLUSIVE); }

static void expect(size_t count) {
    ck_assert_uint_eq(engine_seen.count, count);
    if (count == 0)
        return;
    ck_assert_uint_eq(engine_seen.last.kind, LGR_KIND_SIGNAL_UNSAFE);
    ck_assert_uint_eq(engine_seen.last.severity, LGR_ERROR);
    ck_assert_uint_eq(engine_seen.last.reason_id & 0xff, SIGUSR1);
}

START_TEST(open_first) {
    start();
    outside(lock);
    in_handler(lock, true, LGR_EXCLUSIVE);
    expect(1);
    ck_assert_uint_eq(engine_seen.last.reason_id, SIGUSR1 | LGR_SIGNAL_CALL_IN_HANDLER);
}
END_TEST

START_TEST(handler_first) {
    start();
    in_handler(lock, true, LGR_EXCLUSIVE);
    ck_assert(lge_signal_watches(lock));
    outside(lock);
    expect(1);
    ck_assert_uint_eq(engine_seen.last.reason_id, SIGUSR1);
    ck_assert(!lge_signal_watches(lock));
    outside(lock);
    in_handler(lock, true, LGR_EXCLUSIVE);
    expect(1);
}
END_TEST

/* As long as it was not reported, every acquisition is looked at. */
START_TEST(blocked_then_open) {
    start();
    in_handler(lock, true, LGR_EXCLUSIVE);
    for (int i = 0; i < 10; i++) {
        mask(SIG_BLOCK);
        outside(lock);
        mask(SIG_UNBLOCK);
    }
    expect(0);
    outside(lock);
    expect(1);
}
END_TEST

START_TEST(stack_does_not_lead_to_the_handler) {
    start();
    in_handler(lock, false, LGR_EXCLUSIVE);
    outside(lock);
    expect(0);
}
END_TEST

START_TEST(another_lock) {
    start();
    in_handler(lock, true, LGR_EXCLUSIVE);
    outside(engine_lock(thread, "journal"));
    expect(0);
}
END_TEST

START_TEST(another_handler_by_then) {
    start();
    in_handler(lock, true, LGR_EXCLUSIVE);
    install(SLOT + 1);
    outside(lock);
    expect(0);
}
END_TEST

/* What was seen under the handler before does not count for the next one. */
START_TEST(open_under_another_handler) {
    start();
    install(SLOT + 1);
    outside(lock);
    install(SLOT);
    in_handler(lock, true, LGR_EXCLUSIVE);
    expect(0);
}
END_TEST

START_TEST(two_readers) {
    start();
    in_handler(lock, true, LGR_SHARED);
    request(lock, false, LGR_SHARED);
    expect(0);
    outside(lock);
    expect(1);
}
END_TEST

START_TEST(none_installed) {
    start();
    install(LGE_NO_SLOT);
    outside(lock);
    ck_assert_uint_eq(lge_signals_handled, 0);
    expect(0);
}
END_TEST

/* A handler left by siglongjmp is known by the stack above it. */
START_TEST(left_by_the_stack) {
    struct lge_handler_mark mark = {.frame = 5000};
    ck_assert(!lge_handler_left(&mark, 4000));
    ck_assert(lge_handler_left(&mark, 6000));
    mark.low = 3000;
    mark.high = 5500;
    ck_assert(!lge_handler_left(&mark, 4000));
    ck_assert(lge_handler_left(&mark, 2000));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine signals");
    TCase *tests = engine_case(suite, "handlers");
    tcase_add_test(tests, open_first);
    tcase_add_test(tests, handler_first);
    tcase_add_test(tests, blocked_then_open);
    tcase_add_test(tests, stack_does_not_lead_to_the_handler);
    tcase_add_test(tests, another_lock);
    tcase_add_test(tests, another_handler_by_then);
    tcase_add_test(tests, open_under_another_handler);
    tcase_add_test(tests, two_readers);
    tcase_add_test(tests, none_installed);
    tcase_add_test(tests, left_by_the_stack);
    return engine_run(suite);
}
