#include <pthread.h>
#include <string.h>

#include "engine/step_cache.h"
#include "engine_support.h"

/* Stacks of the tests are walked natively once and, with the unwinder switched
 * off, from steps alone afterwards. */

static struct lge_thread *self;
static struct lgp_frame frames[64];
static size_t count;

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
    lgp_unwind_start(LGP_UNWIND_GCC);
}

#ifdef __clang__
#define STANDING __attribute__((noinline, optnone))
#else
#define STANDING __attribute__((noinline, noclone, noipa))
#endif
#define NOT_LAST() __asm__ volatile("" ::: "memory")

static uintptr_t last_pc, last_sp;

STANDING static void unwind_here(size_t max) {
    last_pc = (uintptr_t)__builtin_return_address(0);
    last_sp = (uintptr_t)__builtin_dwarf_cfa();
    count = lge_steps_unwind(self, last_pc, last_sp, frames, max);
    NOT_LAST();
}
STANDING static void left(size_t max, unsigned path);
STANDING static void right(size_t max, unsigned path) {
    if (path == 1)
        unwind_here(max);
    else
        (path & 1 ? right : left)(max, path >> 1);
    NOT_LAST();
}
STANDING static void left(size_t max, unsigned path) {
    if (path == 1)
        unwind_here(max);
    else
        (path & 1 ? right : left)(max, path >> 1);
    NOT_LAST();
}

static size_t unwind_path(unsigned path, size_t max, struct lgp_frame *into) {
    left(max, path);
    memcpy(into, frames, count * sizeof *into);
    return count;
}

/* The same calls; the tests themselves call from several places. */
static bool same_functions(const struct lgp_frame *a, const struct lgp_frame *b, size_t count_of_both) {
    for (size_t i = 0; i < count_of_both; i++)
        if (a[i].pc != b[i].pc)
            return false;
    return true;
}

enum { PATHS = 64, TURNS = 7 };

/* The walk of `path` by the unwinder alone. */
static size_t unwind_afresh(unsigned path, struct lgp_frame *into) {
    lge_step_cache_free(self);
    lgp_unwind_start(LGP_UNWIND_GCC);
    return unwind_path(PATHS | path, 64, into);
}

/* All paths of six turns are made of the steps of a few. */
START_TEST(new_stacks_are_made_of_known_steps) {
    enum { SHOWN = 4 };
    static const unsigned shown[SHOWN] = {0, 63, 21, 42}; /* every turn at every depth */
    static struct lgp_frame native[PATHS][64];
    size_t lengths[PATHS], by_steps = 0;
    for (unsigned path = 0; path < PATHS; path++)
        lengths[path] = unwind_afresh(path, native[path]);
    lge_step_cache_free(self);
    for (volatile unsigned i = 0; i < SHOWN + PATHS; i++) { /* volatile: one place of the call */
        struct lgp_frame walked[64];
        lgp_unwind_start(i < SHOWN ? LGP_UNWIND_GCC : LGP_UNWIND_NONE);
        size_t length = unwind_path(PATHS | (i < SHOWN ? shown[i] : i - SHOWN), 64, walked);
        if (i < SHOWN || length == 0)
            continue;
        by_steps++;
        ck_assert_uint_ge(length, TURNS);
        ck_assert(same_functions(native[i - SHOWN], walked, TURNS));
    }
    lgp_unwind_start(LGP_UNWIND_GCC);
    /* Where the stack lies decides which steps push each other out: one that is taken
     * by half of the paths, or two.  Without the cache none is walked. */
    ck_assert_uint_ge(by_steps, PATHS / 8);
    ck_assert_uint_ge(lengths[0], TURNS);
}
END_TEST

STANDING static void with_room(size_t room) {
    char array[room];
    __asm__ volatile("" : : "r"(&array[0]) : "memory");
    unwind_here(64);
    NOT_LAST();
}

START_TEST(frames_of_varying_size_are_told_apart_by_the_stack_pointer) {
    static const size_t rooms[] = {64, 4096, 64, 4096, 1024};
    struct lgp_frame walked[5][64];
    for (volatile size_t i = 0; i < 5; i++) {
        lgp_unwind_start(i < 2 ? LGP_UNWIND_GCC : LGP_UNWIND_NONE);
        with_room(rooms[i]);
        memcpy(walked[i], frames, count * sizeof frames[0]);
        ck_assert_uint_ge(count, i == 4 ? 0 : 4);
        if (i == 2 || i == 3)
            ck_assert(same_functions(walked[i - 2], walked[i], 4));
    }
    lgp_unwind_start(LGP_UNWIND_GCC);
    ck_assert_uint_eq(count, 0); /* a size never seen */
}
END_TEST

START_TEST(a_stack_that_was_cut_has_no_end) {
    struct lgp_frame walked[64];
    static const size_t wanted[] = {5, 4, 64}, expected[] = {5, 4, 0};
    for (volatile int i = 0; i < 3; i++) {
        size_t length = unwind_path(PATHS, wanted[i], walked);
        lgp_unwind_start(LGP_UNWIND_NONE);
        ck_assert_uint_eq(length, expected[i]);
    }
    lgp_unwind_start(LGP_UNWIND_GCC);
}
END_TEST

/* Its own frames only: another stack may be unmapped at any time, and may end anyhow. */
START_TEST(on_another_stack_nothing_is_remembered) {
    struct lgp_frame walked[64];
    self->stack_low = self->stack_top = 0;
    ck_assert_uint_gt(unwind_path(PATHS, 64, walked), 5);
    ck_assert_ptr_null(self->steps);
    self->stack_low = self->stack_top = last_sp - 1;
    ck_assert_uint_eq(unwind_path(PATHS, 64, walked), 0);
    ck_assert_ptr_null(self->steps);
    self->handlers.depth = 1; /* a signal stack */
    ck_assert_uint_gt(unwind_path(PATHS, 64, walked), 5);
    ck_assert_ptr_null(self->steps);
    self->handlers.depth = 0;
}
END_TEST

START_TEST(a_call_site_is_matched_with_its_activation) {
    struct lgp_frame walked[64];
    size_t length = unwind_path(PATHS, 64, walked);
    ck_assert_uint_gt(length, 5);
    ck_assert(lge_step_same_function(self, walked[0].pc, &walked[1]) ==
              (lgp_function_start(walked[0].pc) == lgp_function_start(walked[1].pc)));
    ck_assert(lge_step_same_function(self, (uintptr_t)left + 1, &walked[0]));
    ck_assert(!lge_step_same_function(self, (uintptr_t)unwind_here + 1, &walked[0]));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine_step_cache");
    TCase *steps = tcase_create("steps");
    tcase_add_checked_fixture(steps, set_up, engine_down);
    tcase_add_test(steps, new_stacks_are_made_of_known_steps);
    tcase_add_test(steps, frames_of_varying_size_are_told_apart_by_the_stack_pointer);
    tcase_add_test(steps, a_stack_that_was_cut_has_no_end);
    tcase_add_test(steps, on_another_stack_nothing_is_remembered);
    tcase_add_test(steps, a_call_site_is_matched_with_its_activation);
    suite_add_tcase(suite, steps);
    return engine_run(suite);
}
