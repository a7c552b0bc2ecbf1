#include "interpose/watchdog.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#include "engine/heartbeat.h"
#include "interpose/real.h"
#include "interpose/self.h"
#include "interpose/told_later.h"
#include "platform/system.h"

static _Atomic bool started;
static _Atomic uint32_t watchdog; /* relaxed; 0: there is none, or it has not begun */

bool lgi_is_watchdog(uint32_t tid) { return tid == atomic_load_explicit(&watchdog, memory_order_relaxed); }

void lgi_watchdog_forget(void) {
    atomic_store_explicit(&started, false, memory_order_relaxed);
    atomic_store_explicit(&watchdog, 0, memory_order_relaxed);
}

/* It is inside the runtime as long as it lives, and no thread of the program's. */
static void *watch(void *unused) {
    static const struct timespec period = {0, LGE_HEARTBEAT_LOOK_NS};
    lgi_local.inside = true;
    atomic_store_explicit(&watchdog, lgp_tid(), memory_order_relaxed);
    while (lgi_up) {
        lge_heartbeats_look();
        if (lgi_local.noted != NULL)
            lgi_tell_noted();
        lgp_syscall(SYS_nanosleep, (long)&period, 0, 0, 0, 0, 0);
    }
    return unused;
}

/* It has the mask of who creates it. */
static int create_blocking_signals(void) {
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = lgi_real.create(&thread, NULL, watch, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        lgi_real.detach(thread);
    return error;
}

int lgi_watchdog_start(void) {
    if (atomic_exchange_explicit(&started, true, memory_order_relaxed))
        return EALREADY;
    int error = create_blocking_signals();
    if (error != 0)
        lgi_watchdog_forget();
    return error;
}
