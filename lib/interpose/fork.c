/* fork: POSIX.1-2017 pthread_atfork(3p), child side only: what the child needs is
 * done there (platform/part.h says why nothing is locked before).  Registered
 * from our constructor, so it runs before the child handlers of whoever
 * registered later. */
#include "interpose/fork.h"

#include <pthread.h>

#include "engine/lifecycle.h"
#include "interpose/barrier_order.h"
#include "interpose/cond_order.h"
#include "interpose/once_order.h"
#include "interpose/runtime.h"
#include "interpose/self.h"
#include "interpose/thread_table.h"
#include "platform/system.h"
#include "record/writer.h"

static bool forked; /* written by the only thread of a forked child */
bool lgi_forked(void) { return forked; }

static void child(void) {
    forked = true;
    struct lge_thread *self = lgi_enter();
    if (self == NULL) { /* forked from inside the runtime, by a handler */
        lgi_up = false;
        return;
    }
    lgr_writer_fork_child();
    lge_fork_child(self, lgp_tid());
    lgi_table_forget();
    lgi_condition_forget();
    lgi_barriers_after_fork();
    lgi_once_forget();
    lgi_open_evidence();
    lgi_leave(self);
}

void lgi_fork_start(void) { pthread_atfork(NULL, NULL, child); }
