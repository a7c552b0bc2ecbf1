/* lg_spin_*: include/lockgraph/spin.h. */
#include "interpose/spin.h"
#include "engine/identity.h"
#include "lockgraph/spin.h"
#include "wrapper/call.h"

LGI_EXPORT int lg_spin_init(lg_spin_t *l, const char *name, int level) {
    int error = lgw_declare(&l->declared, name, level, false, 0);
    if (error == 0)
        error = pthread_spin_init(&l->lock, PTHREAD_PROCESS_PRIVATE);
    struct lge_thread *thread = error == 0 ? lgi_enter() : NULL;
    if (thread == NULL)
        return error;
    uint32_t class_id = lgw_class(&l->declared);
    const void *address = (const void *)(uintptr_t)&l->lock;
    if (class_id != LGE_CLASS_NONE) {
        lge_identity_table_forget(address);
        lgi_spin_declared(thread, &l->lock, class_id);
    }
    lgi_leave(thread);
    return 0;
}

LGI_EXPORT int lg_spin_destroy(lg_spin_t *l) { return pthread_spin_destroy(&l->lock); }

static uint64_t identify(struct lge_thread *thread, const struct lgw_call *call) {
    uint32_t class_id = lgw_class(call->declared);
    return class_id == LGE_CLASS_NONE
               ? 0
               : lgi_spin_declared(thread, (pthread_spinlock_t *)(uintptr_t)call->address, class_id);
}

LGI_EXPORT int lg_spin_lock(lg_spin_t *l) {
    struct lgw_call call = LGW_CALL(l, lock, LGR_LOCK_SPIN, LGR_EXCLUSIVE);
    int error = lgw_before(&call, identify, false);
    return error != 0 ? error : lgw_taken(&call, lgi_spin_lock(&l->lock, call.site, call.sp));
}

LGI_EXPORT int lg_spin_trylock(lg_spin_t *l) {
    struct lgw_call call = LGW_CALL(l, lock, LGR_LOCK_SPIN, LGR_EXCLUSIVE);
    return lgw_taken(&call, lgi_spin_trylock(&l->lock, call.site, call.sp));
}

LGI_EXPORT int lg_spin_unlock(lg_spin_t *l) { return lgi_spin_unlock(&l->lock, LGI_SITE(), LGI_SP()); }
