/* lg_sem_*: include/lockgraph/sem.h. */
#include "lockgraph/sem.h"

#include "interpose/sem.h"
#include "wrapper/call.h"

/* As POSIX reports it, without a trace in errno. */
static int error_of(int result, int saved) {
    int error = result == 0 ? 0 : errno;
    errno = saved;
    return error;
}

LGI_EXPORT int lg_sem_init(lg_sem_t *s, const char *name, int level, unsigned slots) {
    int error = lgw_declare(&s->declared, name, level, false, 0), saved = errno;
    if (error != 0)
        return error;
    struct lge_thread *thread = lgi_enter();
    uint32_t class_id = thread != NULL ? lgw_class(&s->declared) : LGE_CLASS_NONE;
    if (thread != NULL)
        lgi_leave(thread);
    return error_of(lgi_sem_init(&s->semaphore, slots, class_id, LGI_SITE(), LGI_SP()), saved);
}

LGI_EXPORT int lg_sem_destroy(lg_sem_t *s) {
    int saved = errno;
    return error_of(sem_destroy(&s->semaphore), saved);
}

static uint64_t identify(struct lge_thread *thread, const struct lgw_call *call) {
    return lgi_sem_identity(thread, (sem_t *)(uintptr_t)call->address, call->site, call->sp);
}

static int wait(lg_sem_t *s, const struct lgw_call *call, const struct lgi_limit *limit) {
    struct lgi_limit absolute;
    struct timespec at;
    int error = lgw_before(call, identify, false), saved = errno;
    if (error != 0)
        return error;
    limit = lgi_limit_absolute(limit, &absolute, &at);
    do
        error = error_of(lgi_sem_wait(&s->semaphore, call->site, call->sp, limit), saved);
    while (error == EINTR);
    return lgw_taken(call, error);
}

LGI_EXPORT int lg_sem_wait(lg_sem_t *s) {
    struct lgw_call call = LGW_CALL(s, semaphore, LGR_LOCK_SEMAPHORE, LGR_EXCLUSIVE);
    struct lgi_limit net;
    return wait(s, &call, lgw_net(&s->declared, &net));
}

LGI_EXPORT int lg_sem_timedwait(lg_sem_t *s, int32_t ms) {
    struct lgw_call call = LGW_CALL(s, semaphore, LGR_LOCK_SEMAPHORE, LGR_EXCLUSIVE);
    struct lgi_limit limit = lgw_after(ms);
    return wait(s, &call, &limit);
}

LGI_EXPORT int lg_sem_wait_until(lg_sem_t *s, const struct timespec *at) {
    struct lgw_call call = LGW_CALL(s, semaphore, LGR_LOCK_SEMAPHORE, LGR_EXCLUSIVE);
    struct lgi_limit limit = lgw_until(at);
    return wait(s, &call, &limit);
}

LGI_EXPORT int lg_sem_trywait(lg_sem_t *s) {
    struct lgw_call call = LGW_CALL(s, semaphore, LGR_LOCK_SEMAPHORE, LGR_EXCLUSIVE);
    int saved = errno;
    int error = error_of(lgi_sem_trywait(&s->semaphore, call.site, call.sp), saved);
    return lgw_taken(&call, error == EAGAIN ? EBUSY : error);
}

LGI_EXPORT int lg_sem_post(lg_sem_t *s) {
    int saved = errno;
    return error_of(lgi_sem_post(&s->semaphore, LGI_SITE(), LGI_SP()), saved);
}
