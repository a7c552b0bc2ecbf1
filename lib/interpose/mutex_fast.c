#include "interpose/mutex_fast.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#include "engine/identity.h"
#include "interpose/real.h"
#include "platform/system.h"

enum { NORMAL = 0 };

int lgi_fast_wake(pthread_mutex_t *mutex) {
    lgp_syscall(SYS_futex, (long)&mutex->__data.__lock, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0);
    return 0;
}

static bool looks_like(const pthread_mutex_t *mutex, int lock, int owner, unsigned users) {
    return mutex->__data.__lock == lock && mutex->__data.__owner == owner &&
           mutex->__data.__nusers == users && mutex->__data.__kind == NORMAL;
}

/* libc locks as we would, and each unlocks what the other locked. */
static bool agrees_with_libc(uint32_t tid) {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    if (lgi_libc.mutex_lock(&mutex) != 0 || !looks_like(&mutex, 1, (int)tid, 1))
        return false;
    if (lgi_fast_lock(&mutex, tid))
        return false;
    lgi_fast_unlock(&mutex);
    if (!looks_like(&mutex, 0, 0, 0) || !lgi_fast_lock(&mutex, tid))
        return false;
    if (!looks_like(&mutex, 1, (int)tid, 1) || lgi_libc.mutex_trylock(&mutex) == 0)
        return false;
    return lgi_libc.mutex_unlock(&mutex) == 0 && looks_like(&mutex, 0, 0, 0);
}

void lgi_fast_start(void) {
    bool libc_is_next = lgi_real.mutex_lock == lgi_libc.mutex_lock &&
                        lgi_real.mutex_trylock == lgi_libc.mutex_trylock &&
                        lgi_real.mutex_unlock == lgi_libc.mutex_unlock;
    if (libc_is_next && agrees_with_libc(lgp_tid()))
        lge_hot.fast_kind = NORMAL;
}
