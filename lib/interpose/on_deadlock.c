#include "interpose/on_deadlock.h"

#include <signal.h>
#include <sys/syscall.h>

#include "interpose/runtime.h"
#include "interpose/self.h"
#include "interpose/told_later.h"
#include "platform/system.h"

static enum lgp_on_deadlock on_deadlock;

void lgi_on_deadlock_start(enum lgp_on_deadlock action) { on_deadlock = action; }

/* The evidence lies in the page cache, which outlives the process. */
void lgi_on_deadlock(void) {
    lgi_write_figures();
    if (lgi_local.noted != NULL)
        lgi_tell_noted();
    if (on_deadlock == LGP_ON_DEADLOCK_LEAVE)
        return;
    int signal = on_deadlock == LGP_ON_DEADLOCK_KILL ? SIGKILL : SIGABRT;
    lgp_syscall(SYS_kill, (long)lgp_pid(), signal, 0, 0, 0, 0);
}
