#include "interpose/rwlock_wait.h"

#include <errno.h>
#include <sys/syscall.h>

#include "engine/overdue.h"
#include "interpose/on_deadlock.h"
#include "interpose/real.h"
#include "interpose/rwlock_fast.h"
#include "interpose/wait_slices.h"
#include "platform/memory.h"
#include "platform/system.h"

static uint32_t state_of(const pthread_rwlock_t *lock) {
    return __atomic_load_n(&lock->__data.__readers, __ATOMIC_RELAXED);
}

/* glibc answers a writer that asks again with EDEADLK. */
static bool answers_at_once(const pthread_rwlock_t *lock, const struct lge_thread *thread) {
    return (uint32_t)__atomic_load_n(&lock->__data.__cur_writer, __ATOMIC_RELAXED) == lge_thread_tid(thread);
}

static uint32_t own_reads(const struct lge_thread *thread, const pthread_rwlock_t *lock) {
    uint32_t count = 0;
    for (const struct lge_held *held = thread->top; held > thread->base; held--)
        count += held->address == lock && held->mode == LGR_SHARED;
    return count;
}

/* A reader wants to write, and is not the only one who reads. */
static bool others_may_upgrade(const struct lge_thread *thread, const pthread_rwlock_t *lock,
                               const struct lge_request *request) {
    if (request->mode != LGR_EXCLUSIVE)
        return false;
    uint32_t own = own_reads(thread, lock);
    return own != 0 && state_of(lock) / LGI_RW_READER > own;
}

static int wait_slice(pthread_rwlock_t *lock, uint8_t mode, struct lgi_slices *slices) {
    const struct timespec *until = lgi_slice_begin(slices);
    lgi_block();
    int result = mode == LGR_SHARED ? lgi_real.rwlock_clockrdlock(lock, slices->clock, until)
                                    : lgi_real.rwlock_clockwrlock(lock, slices->clock, until);
    lgi_unblock();
    return result;
}

static int wait_in_slices(struct lge_thread *thread, pthread_rwlock_t *lock,
                          const struct lge_request *request, const struct lgi_limit *limit) {
    struct lgi_slices slices = lgi_slices_start(thread, CLOCK_MONOTONIC, limit);
    for (;;) {
        int result = wait_slice(lock, request->mode, &slices);
        if (result != ETIMEDOUT || slices.last) {
            lgi_limit_passed(thread, limit, result);
            return result;
        }
        lgi_slice_passed(thread, request, &lock->__data.__cur_writer);
    }
}

/* A writer that readers queue behind must not step out of the queue between
 * slices: they would get in, and a program that hangs by itself would not.  Its
 * wait is recorded before it blocks, and if it is too long told afterwards. */
static int wait_in_place(struct lge_thread *thread, pthread_rwlock_t *lock, const struct lge_request *request,
                         const struct lgi_limit *limit) {
    if (request->flags & LGE_OTHERS_HOLD) {
        struct timespec slice = {.tv_nsec = (long)lgi_first_slice_ns()};
        lgi_block();
        lgp_syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, (long)&slice, 0, 0, 0);
        lgi_unblock();
    }
    lgi_slice_passed(thread, request, &lock->__data.__cur_writer);
    struct lge_keepers keepers = lge_overdue_note(thread);
    lgi_block();
    int result = lgi_rwlock_pass_through(lock, request->mode, limit);
    lgi_unblock();
    if (!lgi_limit_passed(thread, limit, result))
        lge_overdue_ended(thread, &keepers);
    return result;
}

int lgi_rwlock_wait(struct lge_thread *thread, pthread_rwlock_t *lock, struct lge_request *request,
                    const struct lgi_limit *limit) {
    struct lgi_limit absolute;
    struct timespec at;
    limit = lgi_limit_absolute(limit, &absolute, &at);
    if (answers_at_once(lock, thread))
        return lgi_rwlock_pass_through(lock, request->mode, limit);
    if (limit == NULL && others_may_upgrade(thread, lock, request))
        request->flags |= LGE_OTHERS_HOLD;
    if (lge_wait_begin(thread, request, &lock->__data.__cur_writer))
        lgi_on_deadlock();
    bool in_place = request->mode == LGR_EXCLUSIVE && lgi_rwlock_prefers_writers(lock);
    int result =
        in_place ? wait_in_place(thread, lock, request, limit) : wait_in_slices(thread, lock, request, limit);
    lge_wait_end(thread);
    return result;
}

bool lgi_rwlock_shut_out(const void *address, uint32_t shared) {
    pthread_rwlock_t copy;
    if (!lgp_read_safely(&copy, address, sizeof copy))
        return false;
    uint32_t state = copy.__data.__readers;
    return (state & (LGI_RW_WRITE_PHASE | LGI_RW_WRITER)) == LGI_RW_WRITER && state / LGI_RW_READER == shared;
}
