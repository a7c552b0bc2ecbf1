#include "interpose/self.h"

#include "interpose/thread_table.h"
#include "platform/system.h"

__thread struct lgi_thread_local lgi_local __attribute__((tls_model("initial-exec")));
bool lgi_up;

/* Where the loader found the first thread's stack to begin. */
extern void *__libc_stack_end __attribute__((weak));

static uintptr_t top_of_stack(uint32_t tid) {
    return tid == lgp_pid() && &__libc_stack_end != NULL ? (uintptr_t)__libc_stack_end : 0;
}

static struct lge_thread *adopt(void) {
    uint32_t tid = lgp_tid();
    struct lge_thread *thread = lge_thread_new(NULL, 0, 0);
    if (thread == NULL)
        return NULL;
    lge_thread_begin(thread, tid, top_of_stack(tid));
    if (tid != lgp_pid())
        lge_thread_adopted(thread);
    lgi_table_put(pthread_self(), thread, lge_thread_serial(thread));
    lgi_local.block = thread;
    return thread;
}

struct lge_thread *lgi_enter(void) {
    if (!lgi_up || lgi_local.inside)
        return NULL;
    lgi_local.inside = true;
    struct lge_thread *thread = lgi_local.block;
    if (thread == NULL)
        thread = adopt();
    if (thread == NULL)
        lgi_local.inside = false;
    lgi_local.self = NULL;
    return thread;
}

void lgi_leave(struct lge_thread *thread) {
    lgi_local.self = lgi_up ? thread : NULL;
    lgi_local.inside = false;
}
