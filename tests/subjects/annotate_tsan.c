/* Locks of the program's own that call the annotations of ThreadSanitizer, which is not
 * there: understood by Lockgraph.

   case: abba
   expect: order-cycle feasible error
   edge: HOLDS first -> WANTS second
   edge: HOLDS second -> WANTS first
   case: one-order
   silent
   near: order-cycle
   case: tried
   silent
   near: order-cycle
   case: readers
   silent
   near: order-cycle
   case: recursive
   silent
   near: unlock-unheld
   case: unheld
   expect: unlock-unheld none error
   call: RELEASED but not held
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* As the header of ThreadSanitizer declares them, and programs that may run without. */
#define ANNOTATION __attribute__((weak))
ANNOTATION void __tsan_mutex_create(void *lock, unsigned flags);
ANNOTATION void __tsan_mutex_destroy(void *lock, unsigned flags);
ANNOTATION void __tsan_mutex_pre_lock(void *lock, unsigned flags);
ANNOTATION void __tsan_mutex_post_lock(void *lock, unsigned flags, int recursion);
ANNOTATION int __tsan_mutex_pre_unlock(void *lock, unsigned flags);
ANNOTATION void __tsan_mutex_post_unlock(void *lock, unsigned flags);
ANNOTATION void __tsan_mutex_pre_signal(void *lock, unsigned flags);
ANNOTATION void __tsan_mutex_post_signal(void *lock, unsigned flags);
ANNOTATION void __tsan_mutex_pre_divert(void *lock, unsigned flags);
ANNOTATION void __tsan_mutex_post_divert(void *lock, unsigned flags);

enum {
    READ_LOCK = 1 << 3,
    TRY_LOCK = 1 << 4,
    TRY_LOCK_FAILED = 1 << 5,
    RECURSIVE_LOCK = 1 << 6,
    RECURSIVE_UNLOCK = 1 << 7
};

static _Atomic int left, right;

static void spin(_Atomic int *lock) {
    while (atomic_exchange(lock, 1) != 0)
        continue;
}

#define TAKE(lock) (__tsan_mutex_pre_lock(lock, 0), spin(lock), __tsan_mutex_post_lock(lock, 0, 0))

static void give(_Atomic int *lock) {
    __tsan_mutex_pre_unlock(lock, 0);
    atomic_store(lock, 0);
    __tsan_mutex_post_unlock(lock, 0);
}

static void *left_right(void *nothing) {
    TAKE(&left);  /* HOLDS first */
    TAKE(&right); /* WANTS second */
    give(&right);
    give(&left);
    return nothing;
}

static void *right_left(void *nothing) {
    TAKE(&right); /* HOLDS second */
    TAKE(&left);  /* WANTS first */
    give(&left);
    give(&right);
    return nothing;
}

static void *try_left(void *nothing) {
    TAKE(&right);
    __tsan_mutex_pre_lock(&left, TRY_LOCK);
    int got = atomic_exchange(&left, 1) == 0;
    __tsan_mutex_post_lock(&left, got ? TRY_LOCK : TRY_LOCK | TRY_LOCK_FAILED, 0);
    if (got)
        give(&left);
    give(&right);
    return nothing;
}

static void read_both(_Atomic int *outer, _Atomic int *inner) {
    __tsan_mutex_pre_lock(outer, READ_LOCK);
    __tsan_mutex_post_lock(outer, READ_LOCK, 0);
    __tsan_mutex_pre_lock(inner, READ_LOCK);
    __tsan_mutex_post_lock(inner, READ_LOCK, 0);
    __tsan_mutex_pre_unlock(inner, READ_LOCK);
    __tsan_mutex_post_unlock(inner, READ_LOCK);
    __tsan_mutex_pre_unlock(outer, READ_LOCK);
    __tsan_mutex_post_unlock(outer, READ_LOCK);
}

static void *read_left_right(void *nothing) { return read_both(&left, &right), nothing; }
static void *read_right_left(void *nothing) { return read_both(&right, &left), nothing; }

/* One after the other, by what no lock-order tool sees. */
static _Atomic int first_is_done;
static void *(*first_routine)(void *), *(*second_routine)(void *);

static void *run_first(void *nothing) {
    first_routine(nothing);
    atomic_store(&first_is_done, 1);
    return nothing;
}

static void *run_second(void *nothing) {
    while (!atomic_load(&first_is_done))
        continue;
    return second_routine(nothing);
}

static void two(void *(*one)(void *), void *(*other)(void *)) {
    pthread_t threads[2];
    first_routine = one;
    second_routine = other;
    pthread_create(&threads[0], NULL, run_first, NULL);
    pthread_create(&threads[1], NULL, run_second, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
}

static void abba(void) { two(left_right, right_left); }
static void one_order(void) { two(left_right, left_right); }
static void tried(void) { two(left_right, try_left); }
static void readers(void) { two(read_left_right, read_right_left); }

/* Given up all at once, and taken again as often. */
static void recursive(void) {
    TAKE(&left);
    __tsan_mutex_pre_lock(&left, 0);
    __tsan_mutex_post_lock(&left, 0, 0);
    int count = __tsan_mutex_pre_unlock(&left, RECURSIVE_UNLOCK);
    if (count != 2)
        abort();
    __tsan_mutex_post_unlock(&left, RECURSIVE_UNLOCK);
    __tsan_mutex_pre_signal(&left, 0);
    __tsan_mutex_post_signal(&left, 0);
    __tsan_mutex_pre_lock(&left, RECURSIVE_LOCK);
    __tsan_mutex_pre_divert(&left, 0);
    __tsan_mutex_post_divert(&left, 0);
    __tsan_mutex_post_lock(&left, RECURSIVE_LOCK, count);
    for (int i = 0; i < count; i++)
        __tsan_mutex_pre_unlock(&left, 0);
    __tsan_mutex_destroy(&left, 0);
}

static void unheld(void) {
    one_order();
    __tsan_mutex_pre_unlock(&left, 0); /* RELEASED but not held */
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"abba", abba},       {"one-order", one_order}, {"tried", tried},
    {"readers", readers}, {"recursive", recursive}, {"unheld", unheld},
};

int main(int count, char **arguments) {
    if (__tsan_mutex_create == NULL)
        return 0; /* natively */
    __tsan_mutex_create(&left, 0);
    __tsan_mutex_create(&right, 0);
    for (size_t i = 0; count > 1 && i < sizeof cases / sizeof cases[0]; i++)
        if (strcmp(arguments[1], cases[i].name) == 0)
            cases[i].run();
    return 0;
}
