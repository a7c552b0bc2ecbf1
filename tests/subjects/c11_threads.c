/* What C11's threads do: results, thread-specific data whose destructors lock,
 * every way to end, detaching, waiting for each other.
 *
 * transcript
 */
#include <stdatomic.h>
#include <stdio.h>
#include <threads.h>
#include <time.h>

static mtx_t mutex, other;
static cnd_t changed;
static tss_t key;
static int stage, destroyed;
static atomic_int detached_done;

static void destructor(void *value) {
    mtx_lock(&mutex);
    destroyed += *(int *)value;
    mtx_unlock(&mutex);
}

static void exit_from_within(int value) {
    mtx_lock(&mutex);
    mtx_unlock(&mutex);
    thrd_exit(value);
}

static int exits(void *argument) {
    tss_set(key, argument);
    if (tss_get(key) != argument)
        puts("another value");
    exit_from_within(42);
    return 0;
}

static int returns(void *argument) {
    tss_set(key, argument);
    return 43;
}

static int waits(void *argument) {
    mtx_lock(&mutex);
    while (stage == 0)
        cnd_wait(&changed, &mutex);
    stage++;
    cnd_broadcast(&changed);
    mtx_unlock(&mutex);
    return *(int *)argument;
}

static int detached(void *argument) {
    mtx_lock(&mutex);
    *(int *)argument = thrd_equal(thrd_current(), thrd_current()) != 0;
    mtx_unlock(&mutex);
    detached_done = 1;
    return 0;
}

static void ends(thrd_start_t routine) {
    thrd_t thread;
    int value = 7, result = 0;
    int created = thrd_create(&thread, routine, &value);
    int joined = thrd_join(thread, &result);
    printf("%d %d %d, %d destroyed\n", created, joined, result, destroyed);
}

static void hand_over(void) {
    thrd_t threads[3];
    int value = 5, sum = 0;
    for (int i = 0; i < 3; i++)
        thrd_create(&threads[i], waits, &value);
    thrd_sleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    mtx_lock(&mutex);
    stage = 1;
    cnd_signal(&changed);
    cnd_broadcast(&changed);
    while (stage < 4)
        cnd_wait(&changed, &mutex);
    mtx_unlock(&mutex);
    for (int i = 0; i < 3; i++) {
        int result;
        thrd_join(threads[i], &result);
        sum += result;
    }
    printf("stage %d, sum %d\n", stage, sum);
}

static void let_go(void) {
    thrd_t thread;
    int value = 0;
    int created = thrd_create(&thread, detached, &value);
    int let = thrd_detach(thread);
    while (!detached_done)
        thrd_yield();
    printf("%d %d %d\n", created, let, value);
}

int main(void) {
    printf("%d ", mtx_init(&mutex, mtx_plain));
    printf("%d ", mtx_init(&other, 77));
    printf("%d ", cnd_init(&changed));
    printf("%d\n", tss_create(&key, destructor));
    ends(exits);
    ends(returns);
    hand_over();
    let_go();
    tss_delete(key);
    cnd_destroy(&changed);
    mtx_destroy(&mutex);
    return 0;
}
