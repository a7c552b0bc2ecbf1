#include "cpu_pool.h"

#include <poll.h>
#include <stdlib.h>

#include <lockgraph/lockgraph.h>

#include "lock_order.h"
#include "threads.h"
#include "timed.h"
#include "wakeup.h"

/* On the stack of who waits for it. */
struct job {
    sd_cpu_work *work;
    void *argument;
    struct sd_cancel *cancel;
    struct sd_error *error;
    bool result;
    int done;         /* wakeup: waited for together with the token's */
    struct job *next; /* under lock */
};

struct sd_cpu_pool {
    lg_mutex_t lock;
    lg_cond_t changed;
    struct job *first, **end; /* under lock */
    bool stopping;            /* under lock */
    int32_t count;
    struct sd_thread *threads[];
};

static struct job *next_job(struct sd_cpu_pool *pool) {
    struct job *job;
    sd_lock_surely(&pool->lock);
    while ((job = pool->first) == NULL && !pool->stopping)
        lg_cond_wait(&pool->changed, &pool->lock);
    if (job != NULL && (pool->first = job->next) == NULL)
        pool->end = &pool->first;
    sd_unlock(&pool->lock);
    return job;
}

static void run(void *of) {
    struct job *job;
    while ((job = next_job(of)) != NULL) {
        int done = job->done; /* after that is set the job may be gone */
        job->result =
            sd_cancel_check(job->cancel, job->error) && job->work(job->argument, job->cancel, job->error);
        sd_wakeup_set(done);
    }
}

struct sd_cpu_pool *sd_cpu_pool_create(int32_t threads, struct sd_error *error) {
    struct sd_cpu_pool *pool = calloc(1, sizeof *pool + (size_t)threads * sizeof(struct sd_thread *));
    if (pool == NULL || lg_mutex_init(&pool->lock, "cpu_pool.lock", SD_LEVEL_LEAF) != 0 ||
        lg_cond_init(&pool->changed) != 0) {
        free(pool);
        sd_fail_busy(error, "no_memory", 1, "no memory for the CPU pool");
        return NULL;
    }
    pool->end = &pool->first;
    for (; pool->count < threads; pool->count++) {
        pool->threads[pool->count] = sd_thread_start("cpu", run, pool, error);
        if (pool->threads[pool->count] == NULL) {
            sd_cpu_pool_destroy(pool);
            return NULL;
        }
    }
    return pool;
}

void sd_cpu_pool_destroy(struct sd_cpu_pool *pool) {
    if (pool == NULL)
        return;
    sd_lock_surely(&pool->lock);
    pool->stopping = true;
    lg_cond_broadcast(&pool->changed);
    sd_unlock(&pool->lock);
    for (int32_t i = 0; i < pool->count; i++)
        sd_thread_join(pool->threads[i]);
    lg_cond_destroy(&pool->changed);
    lg_mutex_destroy(&pool->lock);
    free(pool);
}

static bool submit(struct sd_cpu_pool *pool, struct job *job, struct sd_error *error) {
    if (!sd_lock(&pool->lock, error))
        return false;
    *pool->end = job;
    pool->end = &job->next;
    lg_cond_signal(&pool->changed);
    sd_unlock(&pool->lock);
    return true;
}

/* false: it has begun. */
static bool withdraw(struct sd_cpu_pool *pool, struct job *job) {
    sd_lock_surely(&pool->lock);
    struct job **link = &pool->first;
    while (*link != NULL && *link != job)
        link = &(*link)->next;
    bool found = *link != NULL;
    if (found && (*link = job->next) == NULL)
        pool->end = link;
    sd_unlock(&pool->lock);
    return found;
}

/* Until it is done, or the token is cancelled. */
static void wait_for(const struct job *job, bool look_at_token) {
    struct pollfd descriptors[] = {{job->done, POLLIN, 0},
                                   {look_at_token ? sd_cancel_fd(job->cancel) : -1, POLLIN, 0}};
    while (poll(descriptors, 2, -1) < 0)
        continue;
}

static bool perform(struct sd_cpu_pool *pool, struct job *job, struct sd_error *error) {
    if (!submit(pool, job, error))
        return false;
    wait_for(job, true);
    if (sd_cancelled(job->cancel)) {
        if (withdraw(pool, job))
            return sd_cancel_check(job->cancel, error);
        wait_for(job, false);
    }
    return job->result;
}

bool sd_cpu_pool_run(struct sd_cpu_pool *pool, sd_cpu_work *work, void *argument, struct sd_cancel *cancel,
                     struct sd_error *error) {
    struct job job = {work, argument, cancel, error, false, -1, NULL};
    if (!sd_wakeup_open(&job.done, error))
        return false;
    bool result = perform(pool, &job, error);
    sd_wakeup_close(&job.done);
    return result;
}
