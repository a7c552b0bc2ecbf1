/* Locks of the program's own making, announced by annotations: orders, readers, tries
 * and misuse as with any other lock.

   case: abba
   expect: order-cycle feasible error
   edge: HOLDS first -> WANTS second
   edge: HOLDS second -> WANTS first
   says: custom
   case: with-a-mutex
   expect: order-cycle feasible error
   edge: HOLDS the mutex -> WANTS a custom lock
   edge: HOLDS a custom lock -> WANTS the mutex
   case: one-order
   silent
   near: order-cycle
   case: readers
   silent
   near: order-cycle
   case: tried
   silent
   near: order-cycle
   case: given-up
   silent
   near: order-cycle
   case: inner-mutex
   silent
   near: unlock-unheld, unlock-foreign
   case: unheld
   expect: unlock-unheld none error
   call: RELEASED but not held
   lock: left
   case: foreign
   expect: unlock-foreign none error
   call: RELEASED by another
   earlier: TAKEN by main
   case: destroyed
   expect: destroy-held none error
   call: DESTROYED while held
   earlier: TAKEN to be destroyed
   case: level
   expect: level-violation none error
   call: WANTS first
   earlier: HOLDS second
   lock: left
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include <lockgraph/annotate.h>

/* Its first member is a lock itself. */
struct own_lock {
    pthread_mutex_t mutex;
    pthread_cond_t free;
    int taken;
};
static struct own_lock left = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
static struct own_lock right = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;

static void take(struct own_lock *lock) {
    pthread_mutex_lock(&lock->mutex);
    while (lock->taken)
        pthread_cond_wait(&lock->free, &lock->mutex);
    lock->taken = 1;
    pthread_mutex_unlock(&lock->mutex);
}

static void give(struct own_lock *lock) {
    LG_CUSTOM_RELEASED(lock);
    pthread_mutex_lock(&lock->mutex);
    lock->taken = 0;
    pthread_cond_signal(&lock->free);
    pthread_mutex_unlock(&lock->mutex);
}

/* The annotations stand where they are seen: a macro, as in a header. */
#define TAKE(lock) (LG_CUSTOM_ACQUIRING(lock), take(lock), LG_CUSTOM_ACQUIRED(lock))

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

static void *mutex_first(void *nothing) {
    pthread_mutex_lock(&plain); /* HOLDS the mutex */
    TAKE(&left);                /* WANTS a custom lock */
    give(&left);
    pthread_mutex_unlock(&plain);
    return nothing;
}

static void *mutex_last(void *nothing) {
    TAKE(&left);                /* HOLDS a custom lock */
    pthread_mutex_lock(&plain); /* WANTS the mutex */
    pthread_mutex_unlock(&plain);
    give(&left);
    return nothing;
}

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
static void with_a_mutex(void) { two(mutex_first, mutex_last); }
static void one_order(void) { two(left_right, left_right); }

static void read_both(struct own_lock *outer, struct own_lock *inner) {
    LG_CUSTOM_ACQUIRING_SHARED(outer);
    LG_CUSTOM_ACQUIRED_SHARED(outer);
    LG_CUSTOM_ACQUIRING_SHARED(inner);
    LG_CUSTOM_ACQUIRED_SHARED(inner);
    LG_CUSTOM_RELEASED(inner);
    LG_CUSTOM_RELEASED(outer);
}

static void *read_left_right(void *nothing) { return read_both(&left, &right), nothing; }
static void *read_right_left(void *nothing) { return read_both(&right, &left), nothing; }
static void readers(void) { two(read_left_right, read_right_left); }

static void *try_left(void *nothing) {
    TAKE(&right);
    LG_CUSTOM_ACQUIRED(&left);
    LG_CUSTOM_RELEASED(&left);
    give(&right);
    return nothing;
}
static void tried(void) { two(left_right, try_left); }

/* What was not to be had is not held: no order follows for what comes next. */
static void *give_up(void *nothing) {
    LG_CUSTOM_ACQUIRING(&right);
    LG_CUSTOM_BLOCKING(&right);
    LG_CUSTOM_FAILED(&right);
    TAKE(&left);
    give(&left);
    return nothing;
}
static void given_up(void) { two(left_right, give_up); }

static void inner_mutex(void) {
    for (int i = 0; i < 3; i++) {
        pthread_mutex_lock(&left.mutex);
        LG_CUSTOM_ACQUIRED(&left);
        pthread_mutex_unlock(&left.mutex);
        pthread_mutex_lock(&left.mutex);
        pthread_mutex_unlock(&left.mutex);
        LG_CUSTOM_RELEASED(&left);
    }
    LG_CUSTOM_DESTROYED(&left);
}

static void unheld(void) {
    left_right(NULL);
    LG_CUSTOM_RELEASED(&left); /* RELEASED but not held */
}

static void *release(void *nothing) {
    LG_CUSTOM_RELEASED(&left); /* RELEASED by another */
    return nothing;
}

static void foreign(void) {
    pthread_t thread;
    TAKE(&left); /* TAKEN by main */
    pthread_create(&thread, NULL, release, NULL);
    pthread_join(thread, NULL);
    give(&left);
}

static void destroyed(void) {
    TAKE(&left);                /* TAKEN to be destroyed */
    LG_CUSTOM_DESTROYED(&left); /* DESTROYED while held */
}

static void level(void) {
    LG_LEVEL(&left, 10);
    LG_LEVEL(&right, 20);
    right_left(NULL);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"abba", abba},
    {"with-a-mutex", with_a_mutex},
    {"one-order", one_order},
    {"readers", readers},
    {"tried", tried},
    {"given-up", given_up},
    {"inner-mutex", inner_mutex},
    {"unheld", unheld},
    {"foreign", foreign},
    {"destroyed", destroyed},
    {"level", level},
};

int main(int count, char **arguments) {
    LG_CUSTOM_CREATED(&left, "left custom");
    LG_CUSTOM_CREATED(&right, "right custom");
    for (size_t i = 0; count > 1 && i < sizeof cases / sizeof cases[0]; i++)
        if (strcmp(arguments[1], cases[i].name) == 0)
            cases[i].run();
    return 0;
}
