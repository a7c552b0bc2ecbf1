#include "threads.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lockgraph/lockgraph.h>

#include "clock.h"
#include "lock_order.h"
#include "log.h"
#include "text.h"
#include "timed.h"

enum { STACK = 1 << 20 };

struct sd_thread {
    pthread_t thread;
    sd_thread_body *body;
    void *user;
    char name[16];
    _Atomic int id; /* 0: not running yet */
    _Atomic bool ended;
    struct sd_thread *next; /* of abandoned, under registry */
};

static lg_mutex_t registry = LG_MUTEX_INITIALIZER("threads.registry", SD_LEVEL_LEAF);
static struct sd_thread *abandoned; /* under registry */
static _Atomic unsigned running;

/* Also where a body ends by pthread_exit. */
static void ended(void *of) {
    struct sd_thread *thread = of;
    atomic_store(&thread->ended, true);
    atomic_fetch_sub(&running, 1);
}

static void *run(void *of) {
    struct sd_thread *thread = of;
    pthread_setname_np(pthread_self(), thread->name);
    atomic_store(&thread->id, gettid());
    pthread_cleanup_push(ended, thread);
    thread->body(thread->user);
    pthread_cleanup_pop(1);
    return NULL;
}

/* A thread starts with the signal mask of who starts it. */
static int create(struct sd_thread *thread) {
    pthread_attr_t attributes;
    sigset_t all, before;
    int result = pthread_attr_init(&attributes);
    if (result != 0)
        return result;
    pthread_attr_setstacksize(&attributes, STACK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    result = pthread_create(&thread->thread, &attributes, run, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return result;
}

struct sd_thread *sd_thread_start(const char *name, sd_thread_body *body, void *user,
                                  struct sd_error *error) {
    struct sd_thread *thread = calloc(1, sizeof *thread);
    if (thread == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for a thread");
        return NULL;
    }
    thread->body = body;
    thread->user = user;
    sd_copy(thread->name, sizeof thread->name, name);
    atomic_fetch_add(&running, 1);
    int result = create(thread);
    if (result == 0)
        return thread;
    atomic_fetch_sub(&running, 1);
    free(thread);
    sd_fail_busy(error, "no_thread", 1, "thread %s: %s", name, strerror(result));
    return NULL;
}

bool sd_thread_ended(const struct sd_thread *thread) { return atomic_load(&thread->ended); }
const char *sd_thread_name(const struct sd_thread *thread) { return thread->name; }
int sd_thread_id(const struct sd_thread *thread) { return atomic_load(&thread->id); }
unsigned sd_threads_running(void) { return atomic_load(&running); }

void sd_thread_join(struct sd_thread *thread) {
    pthread_join(thread->thread, NULL);
    free(thread);
}

bool sd_thread_join_within(struct sd_thread *thread, int32_t ms) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    if (pthread_clockjoin_np(thread->thread, NULL, CLOCK_MONOTONIC, &at) != 0)
        return false;
    free(thread);
    return true;
}

void sd_thread_abandon(struct sd_thread *thread) {
    if (!sd_lock(&registry, NULL)) {
        sd_log(SD_LOG_WARNING, "thread %s will not be joined", thread->name);
        return;
    }
    thread->next = abandoned;
    abandoned = thread;
    sd_unlock(&registry);
}

static struct sd_thread *take_abandoned(void) {
    if (!sd_lock(&registry, NULL))
        return NULL;
    struct sd_thread *thread = abandoned;
    if (thread != NULL)
        abandoned = thread->next;
    sd_unlock(&registry);
    return thread;
}

unsigned sd_threads_join_all(int32_t ms) {
    int64_t until = sd_now_ms() + ms;
    unsigned left = 0;
    struct sd_thread *thread;
    while ((thread = take_abandoned()) != NULL) {
        if (sd_thread_join_within(thread, sd_left_ms(until)))
            continue;
        sd_log(SD_LOG_WARNING, "thread %s did not end", thread->name);
        left++;
    }
    return left;
}
