/* The lg_ API under the runtime; natively what its header makes of it with LOCKGRAPH_DISABLE. */
#define _GNU_SOURCE
#include "micro.h"

#include <dlfcn.h>
#include <lockgraph/mutex.h>
#include <stddef.h>

static lg_mutex_t outer = LG_MUTEX_INITIALIZER("outer", 10), inner = LG_MUTEX_INITIALIZER("inner", 20);

static int native_lock(lg_mutex_t *m) { return pthread_mutex_lock(&m->mutex); }
static int native_unlock(lg_mutex_t *m) { return pthread_mutex_unlock(&m->mutex); }
static int (*lock)(lg_mutex_t *m) = native_lock, (*unlock)(lg_mutex_t *m) = native_unlock;

/* Of the runtime that is preloaded, if one is. */
static void prepare_api(void) {
    void *its_lock = dlsym(RTLD_DEFAULT, "lg_mutex_lock"),
         *its_unlock = dlsym(RTLD_DEFAULT, "lg_mutex_unlock");

    if (its_lock == NULL || its_unlock == NULL)
        return;
    *(void **)(void *)&lock = its_lock;
    *(void **)(void *)&unlock = its_unlock;
}

static void run_api_pair(uint64_t rounds) {
    for (; rounds != 0; rounds--) {
        lock(&outer);
        unlock(&outer);
    }
}

static void run_api_nested(uint64_t rounds) {
    for (; rounds != 0; rounds--) {
        lock(&outer);
        lock(&inner);
        unlock(&inner);
        unlock(&outer);
    }
}

const struct micro_case micro_api_cases[] = {
    {"lg-pair", MICRO_THREAD_CPU, 1, prepare_api, run_api_pair, NULL},
    {"lg-nested2", MICRO_THREAD_CPU, 2, prepare_api, run_api_nested, NULL},
    {0}};
