/* fork: POSIX.1-2017 pthread_atfork(3p), child side only: what the child needs is
 * done there (platform/part.h says why nothing is locked before).  Handlers of the
 * child run in the order in which they were registered, and an allocator that was
 * initialised before us initialises in its own what it holds: ours comes before
 * anybody's. */
#include "interpose/fork.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "engine/identity.h"
#include "engine/lifecycle.h"
#include "engine/orphan.h"
#include "engine/thread.h"
#include "interpose/barrier_order.h"
#include "interpose/cond_order.h"
#include "interpose/file.h"
#include "interpose/once_order.h"
#include "interpose/once_runner.h"
#include "interpose/real.h"
#include "interpose/runtime.h"
#include "interpose/self.h"
#include "interpose/signal.h"
#include "interpose/spin_fast.h"
#include "interpose/thread_exit.h"
#include "interpose/thread_table.h"
#include "interpose/watchdog.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"
#include "platform/own_locks.h"
#include "platform/system.h"
#include "record/writer.h"

static bool forked; /* written by the only thread of a forked child */
bool lgi_forked(void) { return forked; }

/* Where the program called fork, for the child; 0: not known. */
static __thread struct { uintptr_t site, sp; } fork_call __attribute__((tls_model("initial-exec")));

/* The held stacks were read while their owners went on: the lock itself must
 * say the same.  Of other kinds than these it cannot be asked. */
static bool held_in_child(const struct lge_held *held, uint32_t tid) {
    pthread_mutex_t mutex;
    pthread_rwlock_t rwlock;
    int spin;
    switch (held->kind) {
    case LGR_LOCK_MUTEX:
        return lgp_read_safely(&mutex, held->address, sizeof mutex) && mutex.__data.__lock != 0 &&
               (uint32_t)mutex.__data.__owner == tid;
    case LGR_LOCK_RWLOCK:
        return lgp_read_safely(&rwlock, held->address, sizeof rwlock) &&
               (held->mode == LGR_SHARED ? rwlock.__data.__readers >> 3 != 0
                                         : (uint32_t)rwlock.__data.__cur_writer == tid);
    case LGR_LOCK_SPIN:
        return !lge_hot.fast_spin ||
               (lgp_read_safely(&spin, held->address, sizeof spin) && spin != LGI_SPIN_FREE);
    default:
        return false;
    }
}

static void begin_anew(void) {
    lgi_local.noted = NULL; /* the parent tells it; of its memory nothing is known yet */
    struct lge_thread *self = lgi_enter();
    if (self == NULL) { /* forked from inside the runtime, by a handler, which may return there */
        lgi_up = false;
        lgp_lock_orphaned();
        return;
    }
    lge_orphans_collect(self, held_in_child);
    lgr_writer_fork_child();
    lge_fork_child(self, lgp_tid());
    lgi_table_forget();
    lgi_condition_forget();
    lgi_watchdog_forget();
    lgi_barriers_after_fork();
    lgi_once_forget();
    lgi_once_runner_forget();
    lgi_files_after_fork();
    lgi_signal_after_fork();
    lgi_thread_exit_after_fork();
    lgi_open_evidence();
    lge_orphans_note(self, fork_call.site, fork_call.sp);
    lgi_leave(self);
}

/* Forked by a callback of the program, which returns into the runtime in the child, too:
 * nothing is half done there. */
static void begin_anew_in_callback(void) {
    lgi_local.inside = false;
    begin_anew();
    lgi_local.self = NULL;
    lgi_local.inside = lgi_local.blocked = true;
}

static void child(void) {
    forked = true;
    lgp_own_after_fork();
    if (lgi_local.inside && lgi_local.blocked)
        begin_anew_in_callback();
    else
        begin_anew();
}

/* The handlers above do the work; this only knows who called. */
LGI_EXPORT pid_t fork(void) {
    fork_call.site = LGI_SITE();
    fork_call.sp = LGI_SP();
    bool within = lgi_local.forking;
    lgi_local.forking = true;
    pid_t pid = lgi_real.fork();
    lgi_local.forking = within;
    if (lgi_local.noted != NULL)
        lgi_local.self = NULL; /* the next call tells */
    fork_call.site = fork_call.sp = 0;
    return pid;
}

/* It runs no handlers, and may be called by a signal handler, as what its child may
 * call: sem_post, for one. */
LGI_EXPORT pid_t _Fork(void) {
    if (lgi_real.bare_fork == NULL)
        lgi_real_start();
    if (lgi_real.bare_fork == NULL) {
        errno = ENOSYS;
        return -1;
    }
    pid_t pid = lgi_real.bare_fork();
    if (pid == 0 && lgi_up)
        child();
    return pid;
}

extern void *__dso_handle;

void lgi_fork_start(void) {
    static _Atomic bool registered; /* by whoever comes first */
    if (!atomic_exchange_explicit(&registered, true, memory_order_relaxed))
        lgi_real.register_atfork(NULL, NULL, child, &__dso_handle);
}

/* What pthread_atfork is in every program and library; perhaps before our
 * constructor. */
LGI_EXPORT int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child_handler)(void),
                                 void *object) {
    lgi_fork_start();
    return lgi_real.register_atfork(prepare, parent, child_handler, object);
}
