#include "http_wake.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lock_order.h"
#include "log.h"
#include "timed.h"

static lg_mutex_t wakes = LG_MUTEX_INITIALIZER("http.wakes", SD_LEVEL_LEAF);
static struct sd_wake *first, **last = &first; /* under wakes */
static bool taken;                             /* under wakes: there is a server */
static struct sd_loop *of_loop;                /* under wakes: it is told how many wait; NULL: closed */
static _Atomic bool some;                      /* a hint: the list is not empty */
static int wake_fd = -1;                       /* made once, never closed: others may write late */
static _Thread_local bool on_http_thread;

/* What waits here would wait for good if it were left. */
static void lock_in_any_case(void) {
    while (!sd_lock(&wakes, NULL))
        sd_log(SD_LOG_WARNING, "http.wakes was not to be had; trying again");
}

/* With the lock held. */
static void count(int change) {
    if (of_loop != NULL)
        sd_loop_waiting(of_loop, change);
}

bool sd_wake_open(struct sd_loop *loop, int *fd, struct sd_error *error) {
    if (wake_fd < 0)
        wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_fd < 0)
        return sd_fail_busy(error, "no_descriptor", 1, "eventfd: %s", strerror(errno));
    *fd = wake_fd;
    on_http_thread = true;
    lock_in_any_case();
    taken = true;
    of_loop = loop;
    sd_unlock(&wakes);
    return true;
}

bool sd_wake_put(struct sd_wake *wake) {
    const uint64_t one = 1;
    lock_in_any_case();
    bool well = taken, silent = first != NULL || on_http_thread;
    if (taken && !wake->queued) {
        wake->queued = true;
        wake->next = NULL;
        *last = wake;
        last = &wake->next;
        count(1);
        atomic_store(&some, true);
    }
    sd_unlock(&wakes);
    if (well && !silent && write(wake_fd, &one, sizeof one) < 0) {
        /* Full: the loop is woken already. */
    }
    return well;
}

void sd_wake_remove(struct sd_wake *wake) {
    lock_in_any_case();
    if (wake->queued) {
        struct sd_wake **at = &first;
        while (*at != wake)
            at = &(*at)->next;
        *at = wake->next;
        if (last == &wake->next)
            last = at;
        wake->queued = false;
        count(-1);
    }
    sd_unlock(&wakes);
}

static struct sd_wake *take_first(void) {
    lock_in_any_case();
    struct sd_wake *wake = first;
    if (wake != NULL) {
        first = wake->next;
        if (first == NULL)
            last = &first;
        wake->queued = false;
        count(-1);
    }
    atomic_store(&some, first != NULL);
    sd_unlock(&wakes);
    return wake;
}

void sd_wake_drain(void) {
    uint64_t told;
    if (read(wake_fd, &told, sizeof told) < 0) {
        /* Nothing was written since. */
    }
}

/* One at a time: what arrives may remove others. */
void sd_wake_run(void) {
    struct sd_wake *wake;
    if (!atomic_load(&some))
        return;
    while ((wake = take_first()) != NULL)
        wake->arrive(wake);
}

void sd_wake_close(void) {
    lock_in_any_case();
    taken = false;
    sd_unlock(&wakes);
    sd_wake_run();
    lock_in_any_case();
    of_loop = NULL;
    sd_unlock(&wakes);
}
