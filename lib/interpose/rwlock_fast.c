#include "interpose/rwlock_fast.h"

#include "engine/identity.h"
#include "interpose/real.h"
#include "platform/system.h"

static bool looks_like(const pthread_rwlock_t *lock, uint32_t readers, uint32_t writer) {
    return lock->__data.__readers == readers && lock->__data.__cur_writer == (int)writer;
}

/* libc reads as we would, and each gives back what the other took. */
static bool agrees_on_readers(void) {
    pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
    if (!looks_like(&lock, 0, 0) || lgi_real.rwlock_rdlock(&lock) != 0 || !lgi_fast_rdlock(&lock))
        return false;
    if (!looks_like(&lock, 2 * LGI_RW_READER, 0) || lgi_real.rwlock_trywrlock(&lock) == 0)
        return false;
    if (lgi_real.rwlock_unlock(&lock) != 0 || !looks_like(&lock, LGI_RW_READER, 0))
        return false;
    return lgi_fast_rdunlock(&lock) && looks_like(&lock, 0, 0) && !lgi_fast_rdunlock(&lock);
}

/* The bits of a writer keep the fast paths out. */
static bool agrees_on_writers(uint32_t tid) {
    pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
    if (!lgi_fast_rdlock(&lock) || !lgi_fast_rdunlock(&lock) || lgi_real.rwlock_wrlock(&lock) != 0)
        return false;
    if (!looks_like(&lock, LGI_RW_WRITE_PHASE | LGI_RW_WRITER, tid) || lgi_fast_rdlock(&lock))
        return false;
    if (lgi_real.rwlock_unlock(&lock) != 0 || !looks_like(&lock, LGI_RW_WRITE_PHASE, 0))
        return false;
    return !lgi_fast_rdlock(&lock) && lgi_real.rwlock_rdlock(&lock) == 0 && lgi_fast_rdunlock(&lock);
}

static bool libc_is_next(void) {
    return lgi_real_is_libc("pthread_rwlock_rdlock", (void *)lgi_real.rwlock_rdlock) &&
           lgi_real_is_libc("pthread_rwlock_unlock", (void *)lgi_real.rwlock_unlock);
}

void lgi_rwlock_fast_start(void) {
    lge_hot.fast_rwlock = libc_is_next() && agrees_on_readers() && agrees_on_writers(lgp_tid());
}
