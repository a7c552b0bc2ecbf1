/* The lock is tried first, as everywhere; only what is busy is published, and
 * then the thread waits in the real call, which alone has its place in the
 * kernel's queue, is interrupted as it should be, and knows of deadlocks between
 * processes.
 *
 * The kernel looks at the arguments before we do: a call that it refuses is
 * returned as it is. */
#include "interpose/file_lock.h"

#include <errno.h>
#include <pthread.h>

#include "engine/context.h"
#include "engine/misuse.h"
#include "engine/wait.h"
#include "interpose/file.h"
#include "interpose/file_descriptors.h"
#include "interpose/file_identify.h"
#include "interpose/on_deadlock.h"
#include "interpose/runtime.h"

/* Its wait is published: we are in a handler that came meanwhile. */
static bool waits_already(const struct lge_thread *thread) { return lge_waiting(lge_wait_sequence(thread)); }

/* In a handler nothing is taken note of but what is given up. */
static bool in_handler(const struct lge_thread *thread) {
    return thread->handlers.depth != 0 || waits_already(thread);
}

/* ---- which lock ---- */

static bool find_owner(struct lgi_file_call *call, bool *shared) {
    call->owner = (struct lge_file_owner){LGE_OWNED_BY_PROCESS, call->descriptor};
    *shared = call->of_process;
    if (call->of_process)
        return true;
    call->owner.description =
        lgi_description_of(call->descriptor, &call->key, lge_thread_serial(call->thread), shared);
    return call->owner.description != 0;
}

static bool find_lock(struct lgi_file_call *call, struct lge_file_lock *lock) {
    if (lge_file_lock_find(&call->key, lock))
        return true;
    char text[LGI_FILE_NAME_SIZE];
    struct lgp_text name = {text, sizeof text, 0};
    lgi_file_name(call->descriptor, &call->key, &name);
    return lge_file_lock_new(call->thread, &call->key, text, call->site, call->sp, lock);
}

/* False where the kernel does not tell, or memory is out. */
static bool identify(struct lgi_file_call *call, const struct flock *range, bool *shared) {
    return lgi_file_identify(call->descriptor, call->ranges, &call->key) &&
           (!call->ranges || lgi_file_narrow(call->descriptor, range, &call->key)) &&
           find_owner(call, shared);
}

static bool make_request(struct lgi_file_call *call, const struct flock *range, uint8_t mode) {
    struct lge_file_lock lock;
    bool shared;
    if (!identify(call, range, &shared) || !find_lock(call, &lock))
        return false;
    if (shared)
        lge_file_lock_share(lock.id);
    call->request = (struct lge_request){
        .address = lock.address,
        .id = lock.id,
        .site = call->site,
        .sp = call->sp,
        .context = lge_context_at_site(call->thread, call->site, call->sp),
        .mode = mode,
        .kind = LGR_LOCK_FILE,
        .attributes = LGR_LOCK_PSHARED,
    };
    return true;
}

/* ---- waiting ---- */

static void end_wait(void *argument) {
    struct lge_thread *thread = argument;
    if (lgi_enter() == NULL)
        return;
    lge_wait_end(thread);
    lgi_leave(thread);
}

static bool lock_there(const struct lge_file_owner *owner, bool ranges) {
    return lgi_file_lock_there(owner->descriptor, ranges);
}

/* Entered before, left afterwards. */
static int block(const struct lgi_file_call *call) {
    int result;
    lge_file_holds_ask(call->request.id, lock_there);
    bool deadlock = lge_wait_in_kernel(call->thread, &call->request);
    lgi_write_figures();
    if (deadlock)
        lgi_on_deadlock();
    lgi_leave(call->thread);
    pthread_cleanup_push(end_wait, call->thread);
    result = call->make(call, true);
    pthread_cleanup_pop(1);
    return result;
}

static int pass(const struct lgi_file_call *call, bool wait) {
    lgi_leave(call->thread);
    return call->make(call, wait);
}

/* fcntl's deadlock between processes, as the kernel sees it. */
static void refused(const struct lgi_file_call *call) {
    struct lge_misuse misuse = {.kind = LGR_KIND_API_ERROR,
                                .lock = call->request.id,
                                .site = call->site,
                                .sp = call->sp,
                                .address = call->request.address,
                                .lock_kind = LGR_LOCK_FILE,
                                .attributes = LGR_LOCK_PSHARED,
                                .detail = EDEADLK};
    lge_report_misuse(call->thread, &misuse);
}

/* ---- the call ---- */

/* Whoever asks for what it has, in part or in another mode, waits for others, not
 * for itself: flock gives up first what it had, fcntl keeps it. */
static bool converts(const struct lgi_file_call *call) {
    if (!call->ranges)
        lge_file_hold_end(call->thread, &call->key, &call->owner);
    return call->ranges && lge_file_hold_overlaps(&call->key, &call->owner);
}

static void note_taken(const struct lgi_file_call *call) {
    lge_file_hold_end(call->thread, &call->key, &call->owner);
    lge_file_hold_begin(call->thread, &call->request, &call->key, &call->owner);
}

/* Before the thread can wait for anything else, which is early enough. */
static void succeeded(struct lgi_file_call *call, bool wait) {
    struct flock range = {0};
    uint8_t mode = LGR_EXCLUSIVE;
    bool shared;
    if (!call->range(call, &range, &mode)) {
        if (identify(call, &range, &shared))
            lge_file_hold_end(call->thread, &call->key, &call->owner);
    } else if (!in_handler(call->thread) && make_request(call, &range, mode)) {
        if (!converts(call) && wait)
            lge_check(call->thread, &call->request);
        note_taken(call);
    }
}

/* Left afterwards. */
static int wait_for(struct lgi_file_call *call) {
    bool converted = converts(call);
    if (!converted)
        lge_check(call->thread, &call->request);
    int result = converted ? pass(call, true) : block(call);
    int error = errno;
    if (lgi_enter() == NULL)
        return result;
    if (result == 0)
        note_taken(call);
    else if (error == EDEADLK)
        refused(call);
    lgi_leave(call->thread);
    return result;
}

static int busy(struct lgi_file_call *call, bool wait, int saved) {
    struct flock range = {0};
    uint8_t mode = LGR_EXCLUSIVE;
    bool shared;
    int error = errno;
    errno = wait ? saved : error;
    if (wait && !in_handler(call->thread) && call->range(call, &range, &mode) &&
        make_request(call, &range, mode))
        return wait_for(call);
    /* flock has given up what it had before it found out that it must wait. */
    if (!call->ranges && identify(call, &range, &shared))
        lge_file_hold_end(call->thread, &call->key, &call->owner);
    if (wait)
        return pass(call, true);
    lgi_leave(call->thread);
    return -1;
}

/* A handler interrupted the runtime, or there is nothing to be followed. */
static int lock_unseen(struct lgi_file_call *call, bool wait) {
    struct flock range;
    uint8_t mode;
    int result = call->make(call, wait);
    if (result == 0 && lgi_descriptor_marked(call->descriptor) && lgi_files_followed() &&
        !call->range(call, &range, &mode)) {
        lge_file_locks_doubt();
        lge_file_holds_end_all();
    }
    return result;
}

static bool would_block(int error) { return error == EAGAIN || error == EACCES; }

int lgi_file_lock(struct lgi_file_call *call, bool wait) {
    int saved = errno;
    call->thread = lgi_files_followed() ? lgi_enter() : NULL;
    if (call->thread == NULL)
        return lock_unseen(call, wait);
    int result = call->make(call, false);
    if (result != 0 && would_block(errno))
        return busy(call, wait, saved);
    if (result != 0 && wait) { /* refused, as it will be again */
        errno = saved;
        return pass(call, true);
    }
    if (result == 0)
        succeeded(call, wait);
    lgi_leave(call->thread);
    return result;
}
