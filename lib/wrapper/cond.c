/* lg_cond_*: include/lockgraph/cond.h. */
#include "lockgraph/cond.h"

#include "interpose/cond.h"
#include "wrapper/call.h"
#include "wrapper/pin.h"

/* The mutex is to be had back under all else that is held. */
static int permit(struct lge_thread *thread, const struct lgw_call *call, pthread_mutex_t *mutex) {
    struct lge_held own;
    if (!lge_pop(thread, call->address, &own))
        return 0;
    int error = lgw_permit(thread, call, lgi_mutex_known(mutex));
    struct lge_request request = {.address = own.address,
                                  .id = own.id,
                                  .site = own.site,
                                  .sp = own.sp,
                                  .context = own.context,
                                  .mode = own.mode,
                                  .kind = own.kind,
                                  .attributes = own.attributes};
    lge_acquired(thread, &request);
    return error;
}

/* Only where the mutex is not the newest hold can anything be wrong with it. */
static int before(lg_mutex_t *m, const struct lgw_call *call) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return 0;
    int error = thread->top->address == call->address ? 0 : permit(thread, call, &m->mutex);
    lgi_leave(thread);
    return error;
}

static int wait(lg_cond_t *c, lg_mutex_t *m, const struct lgw_call *call, const struct lgi_limit *limit) {
    int error = lgw_unpinned(m, call->site, call->sp);
    if (error == 0)
        error = before(m, call);
    if (error != 0) {
        lgw_taken(call, 0);
        return error;
    }
    int result = lgi_cond_wait(&c->condition, &m->mutex, limit, call->site, call->sp);
    lgw_taken(call, 0); /* whatever the result, it has the mutex back */
    return result;
}

LGI_EXPORT int lg_cond_wait(lg_cond_t *c, lg_mutex_t *m) {
    struct lgw_call call = LGW_CALL(m, mutex, LGR_LOCK_MUTEX, LGR_EXCLUSIVE);
    return wait(c, m, &call, NULL);
}

LGI_EXPORT int lg_cond_timedwait(lg_cond_t *c, lg_mutex_t *m, int32_t ms) {
    struct lgw_call call = LGW_CALL(m, mutex, LGR_LOCK_MUTEX, LGR_EXCLUSIVE);
    struct lgi_limit limit = lgw_after(ms), absolute;
    struct timespec at;
    return wait(c, m, &call, lgi_limit_absolute(&limit, &absolute, &at));
}

LGI_EXPORT int lg_cond_wait_until(lg_cond_t *c, lg_mutex_t *m, const struct timespec *at) {
    struct lgw_call call = LGW_CALL(m, mutex, LGR_LOCK_MUTEX, LGR_EXCLUSIVE);
    struct lgi_limit limit = lgw_until(at);
    return wait(c, m, &call, &limit);
}
