/* fork: POSIX.1-2017 pthread_atfork(3p).  Registered from our constructor, so
 * our prepare runs after the program's own handlers and our parent and child
 * before them: no lock of the runtime is held while theirs run. */
#include "interpose/fork.h"

#include <pthread.h>

#include "engine/lifecycle.h"
#include "interpose/cond_order.h"
#include "interpose/runtime.h"
#include "interpose/self.h"
#include "interpose/thread.h"
#include "platform/memory.h"
#include "platform/system.h"
#include "record/writer.h"

/* The forking thread, inside the runtime from prepare on; NULL: it was inside
 * already (a fork from a handler), and nothing was prepared. */
static __thread struct lge_thread *forking __attribute__((tls_model("initial-exec")));

static void prepare(void) {
    forking = lgi_enter();
    if (forking == NULL) return;
    lgi_threads_fork_prepare();
    lgi_order_fork_prepare();
    lge_fork_prepare();
    lgr_writer_fork_prepare();
    lgp_memory_fork_prepare();
}

static void parent(void) {
    if (forking == NULL) return;
    lgp_memory_fork_done();
    lgr_writer_fork_parent();
    lge_fork_parent();
    lgi_order_fork_done();
    lgi_threads_fork_done();
    lgi_leave(forking);
}

static void child(void) {
    if (forking == NULL) {
        lgi_up = false;
        return;
    }
    lgp_memory_fork_done();
    lgr_writer_fork_child();
    lge_fork_child(forking, lgp_tid());
    lgi_order_fork_done();
    lgi_threads_fork_done();
    lgi_open_evidence();
    lgi_leave(forking);
}

void lgi_fork_start(void) { pthread_atfork(prepare, parent, child); }
