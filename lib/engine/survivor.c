#include "engine/survivor.h"

static struct {
    struct lge_thread *thread;
    uint32_t tid, serial;
} survivor;

void lge_survivor_set(struct lge_thread *thread, uint32_t tid) {
    survivor.thread = thread;
    survivor.tid = tid;
    survivor.serial = lge_thread_serial(thread);
}

/* A block that was given to another thread has another serial. */
struct lge_thread *lge_survivor_by_tid(uint32_t tid) {
    struct lge_thread *thread = survivor.thread;
    bool is = thread != NULL && tid != 0 && tid == survivor.tid &&
              lge_thread_serial(thread) == survivor.serial && !lge_thread_over(thread);
    return is ? thread : NULL;
}

void lge_survivor_reset(void) { survivor.thread = NULL; }
