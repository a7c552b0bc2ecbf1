#include "loop_thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "threads.h"

struct sd_loop_thread {
    struct sd_thread *thread;
    struct sd_loop *loop; /* written before `begun` is */
    sd_loop_begin *begin;
    sd_loop_end *end;
    void *user;
    const char *name;
    int32_t heartbeat_ms;
    int begun; /* eventfd */
    bool well;
    struct sd_error error;
};

static void tell(int begun) {
    const uint64_t one = 1;
    while (write(begun, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

static void wait_until_told(int begun) {
    uint64_t told;
    while (read(begun, &told, sizeof told) < 0 && errno == EINTR)
        continue;
}

static void run(void *of) {
    struct sd_loop_thread *thread = of;
    thread->loop = sd_loop_create(thread->name, thread->heartbeat_ms, &thread->error);
    thread->well = thread->loop != NULL && thread->begin(thread->loop, thread->user, &thread->error);
    bool well = thread->well;
    tell(thread->begun);
    if (well) {
        sd_loop_run(thread->loop);
        if (thread->end != NULL)
            thread->end(thread->loop, thread->user);
    }
    if (thread->loop != NULL)
        sd_loop_destroy(thread->loop);
}

static void free_thread(struct sd_loop_thread *thread) {
    if (thread->begun >= 0)
        close(thread->begun);
    free(thread);
}

static bool start(struct sd_loop_thread *thread, struct sd_error *error) {
    if (thread->begun < 0)
        return sd_fail_busy(error, "no_descriptor", 1, "eventfd: %s", strerror(errno));
    thread->thread = sd_thread_start(thread->name, run, thread, error);
    if (thread->thread == NULL)
        return false;
    wait_until_told(thread->begun);
    if (thread->well)
        return true;
    sd_thread_join(thread->thread);
    if (error != NULL)
        *error = thread->error;
    return false;
}

struct sd_loop_thread *sd_loop_thread_start(const char *name, int32_t heartbeat_ms, sd_loop_begin *begin,
                                            sd_loop_end *end, void *user, struct sd_error *error) {
    struct sd_loop_thread *thread = calloc(1, sizeof *thread);
    if (thread == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for the loop %s", name);
        return NULL;
    }
    *thread = (struct sd_loop_thread){
        .begin = begin, .end = end, .user = user, .name = name, .heartbeat_ms = heartbeat_ms};
    thread->begun = eventfd(0, EFD_CLOEXEC);
    if (start(thread, error))
        return thread;
    free_thread(thread);
    return NULL;
}

void sd_loop_thread_stop(struct sd_loop_thread *thread) {
    sd_loop_stop(thread->loop);
    sd_thread_join(thread->thread);
    free_thread(thread);
}
