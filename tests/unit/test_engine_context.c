#include <pthread.h>
#include <string.h>

#include "engine/context.h"
#include "engine/context_cache.h"
#include "engine_support.h"
#include "platform/unwind.h"

static struct lge_thread *self;
static uint32_t captured;
static uintptr_t last_site, last_sp;

static uintptr_t stack_top(void) {
    pthread_attr_t attributes;
    void *lowest;
    size_t size;
    ck_assert_int_eq(pthread_getattr_np(pthread_self(), &attributes), 0);
    pthread_attr_getstack(&attributes, &lowest, &size);
    pthread_attr_destroy(&attributes);
    return (uintptr_t)lowest + size;
}

static void set_up(void) {
    engine_up();
    self = lge_thread_new(NULL, 0, 0);
    lge_thread_begin(self, 1, stack_top(), 64 << 20);
}

/* Stands for the interposed locking call. */
#define LOCKING __attribute__((noinline, noclone, noipa))
#ifdef __clang__
#undef LOCKING
#define LOCKING __attribute__((noinline, optnone))
#endif
#define NOT_LAST() __asm__ volatile("" ::: "memory")

LOCKING static void capture_here(void) {
    last_site = (uintptr_t)__builtin_return_address(0);
    last_sp = (uintptr_t)__builtin_dwarf_cfa();
    captured = lge_context_capture(self, last_site, last_sp);
    NOT_LAST();
}

LOCKING static void wrapper(void) {
    capture_here();
    NOT_LAST();
}
LOCKING static void deposit(void) {
    wrapper();
    NOT_LAST();
}
LOCKING static void withdraw(void) {
    wrapper();
    NOT_LAST();
}

static bool in_function(uintptr_t pc, void (*function)(void)) {
    return lgp_function_start(pc) == (uintptr_t)function;
}

/* capture_here's caller first, then that one's. */
static void check_context(uint32_t id, void (*inner)(void), void (*outer)(void)) {
    struct lge_context *context = lge_context_get(id);
    ck_assert_ptr_nonnull(context);
    ck_assert_uint_eq(context->partial, 0);
    ck_assert_uint_ge(context->count, 3);
    ck_assert(in_function(context->frames[0], inner));
    ck_assert(in_function(context->frames[1], outer));
}

START_TEST(two_callers_of_one_wrapper_are_two_contexts) {
    void (*const callers[])(void) = {deposit, withdraw};
    enum { CALLS = 8 };
    uint32_t contexts[CALLS];
    uintptr_t sites[CALLS], sps[CALLS];
    for (volatile int i = 0; i < CALLS; i++) { /* volatile: one place of the call */
        lgp_unwind_start(i < 2 ? LGP_UNWIND_GCC : LGP_UNWIND_NONE);
        callers[i % 2]();
        contexts[i] = captured, sites[i] = last_site, sps[i] = last_sp;
    }
    lgp_unwind_start(LGP_UNWIND_GCC);
    ck_assert_uint_ne(contexts[0], contexts[1]);
    check_context(contexts[0], wrapper, deposit);
    check_context(contexts[1], wrapper, withdraw);
    ck_assert_uint_eq(sites[0], sites[1]); /* or the test would test nothing */
    ck_assert_uint_eq(sps[0], sps[1]);
    for (int i = 2; i < CALLS; i++) /* only the cache could tell */
        ck_assert_uint_eq(contexts[i], contexts[i % 2]);
}
END_TEST

/* The same wrapper through the same caller, told apart one level further up. */
LOCKING static void morning(void) {
    deposit();
    NOT_LAST();
}
LOCKING static void evening(void) {
    deposit();
    NOT_LAST();
}

START_TEST(the_callers_of_a_caller_are_told_apart_in_the_cache) {
    void (*const callers[])(void) = {morning, evening};
    enum { CALLS = 8 };
    uint32_t contexts[CALLS];
    for (volatile int i = 0; i < CALLS; i++) {
        lgp_unwind_start(i < 2 ? LGP_UNWIND_GCC : LGP_UNWIND_NONE);
        callers[i % 2]();
        contexts[i] = captured;
    }
    lgp_unwind_start(LGP_UNWIND_GCC);
    for (int i = 0; i < CALLS; i++) {
        ck_assert_uint_eq(contexts[i], contexts[i % 2]);
        check_context(contexts[i], wrapper, deposit);
        ck_assert(in_function(lge_context_get(contexts[i])->frames[2], callers[i % 2]));
    }
}
END_TEST

START_TEST(without_a_known_stack_top_nothing_is_cached) {
    lge_thread_begin(self, 1, 0, 0);
    deposit();
    check_context(captured, wrapper, deposit);
    ck_assert_ptr_null(self->contexts);
    ck_assert_uint_eq(lge_context_cached(self, last_site, last_sp), 0);
    self->stack_low = self->stack_top = last_sp - 1; /* another stack: nothing of it is read */
    ck_assert_uint_eq(lge_context_cached(self, last_site, last_sp), 0);
    deposit();
    ck_assert_ptr_null(self->contexts);
}
END_TEST

START_TEST(without_unwinding_a_context_is_one_frame) {
    lgp_unwind_start(LGP_UNWIND_NONE);
    deposit();
    struct lge_context *context = lge_context_get(captured);
    ck_assert_uint_eq(context->count, 1);
    ck_assert_uint_eq(context->partial, 1);
    ck_assert_uint_eq(context->frames[0], last_site);
    ck_assert_uint_eq(lge_context_capture(self, 0x1234, 0), lge_context_capture(self, 0x1234, 0));
    ck_assert_uint_ne(lge_context_capture(self, 0x1234, 0), captured);
}
END_TEST

START_TEST(a_cache_forgets_with_its_thread) {
    deposit();
    ck_assert_ptr_nonnull(self->contexts);
    lge_context_cache_free(self);
    ck_assert_ptr_null(self->contexts);
    ck_assert_uint_eq(lge_context_cached(self, last_site, last_sp), 0);
}
END_TEST

/* ---- holds that learn their context later ---- */

static struct lge_request at_call(uint64_t id, uintptr_t site, uintptr_t sp) {
    return (struct lge_request){
        .address = (void *)(uintptr_t)id, .id = id, .site = site, .sp = sp, .kind = LGR_LOCK_MUTEX};
}

LOCKING static void lock_here(uint64_t id) {
    last_site = (uintptr_t)__builtin_return_address(0);
    last_sp = (uintptr_t)__builtin_dwarf_cfa();
    struct lge_request request = at_call(id, last_site, last_sp);
    lge_acquired(self, &request);
    NOT_LAST();
}

LOCKING static void resolve_here(void) {
    last_site = (uintptr_t)__builtin_return_address(0);
    last_sp = (uintptr_t)__builtin_dwarf_cfa();
    captured = lge_context_resolve(self, last_site, last_sp);
    NOT_LAST();
}

LOCKING static void inner_request(void) {
    resolve_here();
    NOT_LAST();
}
LOCKING static void holding(void) {
    lock_here(7);
    inner_request();
    NOT_LAST();
}

START_TEST(a_hold_in_a_living_frame_is_the_tail_of_the_request) {
    holding();
    check_context(captured, inner_request, holding);
    struct lge_context *request = lge_context_get(captured), *hold = lge_context_get(self->top->context);
    ck_assert_ptr_nonnull(hold);
    ck_assert_uint_eq(hold->partial, 0);
    ck_assert_uint_eq(hold->frames[0], self->top->site);
    ck_assert(in_function(hold->frames[0], holding));
    ck_assert_uint_eq(hold->count + 1, request->count);
    for (uint16_t i = 1; i < hold->count; i++)
        ck_assert_uint_eq(hold->frames[i], request->frames[i + 1]);
    ck_assert(!lge_site_wrapper(self->top->site));
}
END_TEST

LOCKING static void lock_wrapper(void) {
    lock_here(8);
    NOT_LAST();
}
LOCKING static void holding_through_wrapper(void) {
    lock_wrapper();
    inner_request();
    NOT_LAST();
}

/* What is below the frame that returned may look alike: it must not be taken. */
START_TEST(a_hold_whose_frame_is_gone_makes_its_site_a_wrapper) {
    holding_through_wrapper();
    struct lge_context *hold = lge_context_get(self->top->context);
    ck_assert_uint_eq(hold->partial, 1);
    ck_assert_uint_eq(hold->count, 1);
    ck_assert_uint_eq(hold->frames[0], self->top->site);
    ck_assert(lge_site_wrapper(self->top->site));
    check_context(captured, inner_request, holding_through_wrapper);
}
END_TEST

LOCKING static void resolve_before(uint64_t id) {
    if (id == 3)
        captured = lge_context_resolve(self, last_site, last_sp);
    NOT_LAST();
}
LOCKING static void take_in_a_loop(void) {
    /* volatile: the compiler must keep one call site */
    for (volatile uint64_t id = 1; id <= 3; id++) {
        resolve_before(id);
        lock_here(id);
        NOT_LAST();
    }
}

START_TEST(a_loop_is_ambiguous_and_says_so) {
    take_in_a_loop();
    struct lge_context *hold = lge_context_get(self->base[1].context);
    ck_assert_uint_eq(self->base[1].site, self->base[3].site);
    ck_assert_uint_eq(self->base[1].sp, self->base[3].sp);
    ck_assert_uint_eq(hold->partial, 1);
    ck_assert(lge_site_wrapper(self->top->site));
}
END_TEST

START_TEST(holds_that_know_their_context_keep_it) {
    uintptr_t frames[] = {1, 2, 3};
    struct lge_request request = at_call(5, 0x99, 0);
    request.context = lge_context_intern(frames, 3, false);
    lge_acquired(self, &request);
    inner_request();
    ck_assert_uint_eq(self->top->context, request.context);
    ck_assert(in_function(lge_context_get(captured)->frames[0], inner_request));
    lgp_unwind_start(LGP_UNWIND_NONE);
    request = at_call(6, 0x98, 0);
    lge_acquired(self, &request);
    inner_request();
    ck_assert_uint_eq(lge_context_get(captured)->partial, 1);
    ck_assert_uint_eq(lge_context_get(self->top->context)->frames[0], 0x98);
}
END_TEST

/* ---- sites ---- */

START_TEST(a_site_is_new_then_plain) {
    enum { FIRST_USES = 64 };
    uintptr_t site = 0x5555;
    for (int i = 0; i <= FIRST_USES; i++) {
        ck_assert(!lge_site_plain(site));
        ck_assert_uint_ne(lge_context_at_site(self, site, 0), 0);
    }
    ck_assert(lge_site_plain(site));
    ck_assert_uint_eq(lge_context_at_site(self, site, 0), 0);
    ck_assert(!lge_site_plain(site + 1));
}
END_TEST

START_TEST(a_wrapper_is_captured_for_ever) {
    holding_through_wrapper();
    uintptr_t site = self->top->site;
    for (int i = 0; i < 300; i++)
        ck_assert_uint_ne(lge_context_at_site(self, site, 0), 0);
    ck_assert(lge_site_wrapper(site));
    ck_assert(!lge_site_plain(site));
    uintptr_t plain = site + 8; /* a plain site is found out, too */
    for (int i = 0; i < 70; i++)
        lge_context_at_site(self, plain, 0);
    struct lge_request request = at_call(9, plain, 16);
    lge_acquired(self, &request);
    lge_context_resolve(self, 0x77, 0);
    ck_assert(lge_site_wrapper(plain));
}
END_TEST

/* ---- interning ---- */

START_TEST(a_stack_is_interned_once) {
    uintptr_t frames[70];
    for (size_t i = 0; i < 70; i++)
        frames[i] = 100 + i;
    uint32_t id = lge_context_intern(frames, 5, false);
    ck_assert_uint_eq(lge_context_intern(frames, 5, false), id);
    ck_assert_uint_ne(lge_context_intern(frames, 5, true), id);
    ck_assert_uint_ne(lge_context_intern(frames, 4, false), id);
    ck_assert_uint_eq(lge_context_intern(frames, 0, false), 0);
    ck_assert_uint_eq(lge_context_head(id, 4), lge_context_intern(frames, 4, false));
    ck_assert_uint_eq(lge_context_head(id, 5), id);
    ck_assert_uint_eq(lge_context_head(0, 5), 0);
    ck_assert_ptr_null(lge_context_get(0));
    ck_assert_ptr_null(lge_context_get(1000));
    struct lge_context *longest = lge_context_get(lge_context_intern(frames, 70, false));
    ck_assert_uint_eq(longest->count, 24);
    ck_assert_uint_eq(longest->frames[23], 123);
}
END_TEST

START_TEST(depth_has_limits) {
    lge_context_start(0, 0);
    ck_assert_uint_eq(lge_context_depth(), 1);
    lge_context_start(1000, 0);
    ck_assert_uint_eq(lge_context_depth(), 64);
    lge_context_start(2, 0);
    deposit();
    ck_assert_uint_eq(lge_context_get(captured)->count, 2);
}
END_TEST

START_TEST(contexts_fill_many_pages) {
    for (uintptr_t i = 1; i <= 5000; i++)
        ck_assert_uint_eq(lge_context_intern(&i, 1, false), i);
    for (uint32_t i = 1; i <= 5000; i++)
        ck_assert_uint_eq(lge_context_get(i)->frames[0], i);
    ck_assert_uint_eq(lge_context_count(), 5000);
}
END_TEST

static void *intern_many(void *first) {
    static uint32_t ids[2][3000];
    uint32_t *mine = ids[*(int *)first];
    for (uintptr_t i = 0; i < 3000; i++) {
        mine[i] = lge_context_intern(&i, 1, false);
        if (lge_context_get(mine[i])->frames[0] != i)
            return NULL;
    }
    return mine;
}

START_TEST(threads_intern_the_same) {
    pthread_t threads[2];
    int numbers[2] = {0, 1};
    void *ids[2];
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, intern_many, &numbers[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], &ids[i]);
    ck_assert_ptr_nonnull(ids[0]);
    ck_assert_ptr_nonnull(ids[1]);
    ck_assert_mem_eq(ids[0], ids[1], 3000 * sizeof(uint32_t));
    ck_assert_uint_eq(lge_context_count(), 3000);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine_context");
    TCase *capture = tcase_create("capture");
    tcase_add_checked_fixture(capture, set_up, engine_down);
    tcase_add_test(capture, two_callers_of_one_wrapper_are_two_contexts);
    tcase_add_test(capture, the_callers_of_a_caller_are_told_apart_in_the_cache);
    tcase_add_test(capture, without_a_known_stack_top_nothing_is_cached);
    tcase_add_test(capture, without_unwinding_a_context_is_one_frame);
    tcase_add_test(capture, a_cache_forgets_with_its_thread);
    tcase_add_test(capture, a_hold_in_a_living_frame_is_the_tail_of_the_request);
    tcase_add_test(capture, a_hold_whose_frame_is_gone_makes_its_site_a_wrapper);
    tcase_add_test(capture, a_loop_is_ambiguous_and_says_so);
    tcase_add_test(capture, holds_that_know_their_context_keep_it);
    tcase_add_test(capture, a_site_is_new_then_plain);
    tcase_add_test(capture, a_wrapper_is_captured_for_ever);
    tcase_add_test(capture, depth_has_limits);
    suite_add_tcase(suite, capture);
    TCase *interning = engine_case(suite, "interning");
    tcase_add_test(interning, a_stack_is_interned_once);
    tcase_add_test(interning, contexts_fill_many_pages);
    tcase_add_test(interning, threads_intern_the_same);
    return engine_run(suite);
}
