/* signal-handler: SIGUSR1 is to be counted, and its handler takes manager.metrics (11).
 * When it interrupts a thread that holds it, that thread waits for itself.
 *
 * Found: signal-unsafe, as soon as the handler has taken the lock once, on a good day; and
 * the self-deadlock, when it comes to that.
 * Without Lockgraph: nothing for long; then a page of figures hangs, and all who count. */
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "inject_list.h"
#include "inject_stage.h"
#include "threads.h"
#include "timed.h"

enum { PATIENCE_MS = 1000, HUNG_MS = PATIENCE_MS / 2, LOOK_MS = 1 };

static struct sd_service *served; /* set before the handler is installed */
static _Atomic unsigned signals;
static _Atomic int64_t longest_ms; /* of a page */
static _Atomic bool busy, hung, ends;

static void count_signal(int number) {
    (void)number;
    if (sd_lock_within(&served->locks.metrics, PATIENCE_MS, NULL)) /* right: signalfd, on a loop */
        sd_unlock(&served->locks.metrics);
    else
        atomic_store(&hung, true);
    atomic_fetch_add(&signals, 1);
}

static void write_page(void) {
    struct sd_text page = {0};
    int64_t began_ms = sd_now_ms();
    sd_metrics_write(served->http.metrics, &page, NULL);
    sd_text_free(&page);
    int64_t took_ms = sd_now_ms() - began_ms;
    if (took_ms > atomic_load(&longest_ms))
        atomic_store(&longest_ms, took_ms);
}

/* One page; and, when there are many clients, one after another. */
static void write_pages(void *of) {
    sigset_t usr1;
    (void)of;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
    write_page();
    while (!atomic_load(&busy))
        sd_cancel_pause(NULL, LOOK_MS);
    while (!atomic_load(&ends))
        write_page();
}

/* A signal now and then, until one hung or `ms` passed. */
static void send_signals(int thread, int32_t ms) {
    int64_t until_ms = sd_now_ms() + ms;
    while (!atomic_load(&hung) && sd_left_ms(until_ms) > 0) {
        syscall(SYS_tgkill, getpid(), thread, SIGUSR1);
        sd_cancel_pause(NULL, LOOK_MS);
    }
}

static void play(const struct sd_thread *thread) {
    while (sd_thread_id(thread) == 0)
        sd_cancel_pause(NULL, LOOK_MS);
    while (atomic_load(&signals) == 0) {
        sd_cancel_pause(NULL, 10 * LOOK_MS);
        syscall(SYS_tgkill, getpid(), sd_thread_id(thread), SIGUSR1);
    }
    atomic_store(&busy, true);
    send_signals(sd_thread_id(thread), 2 * PATIENCE_MS);
    atomic_store(&ends, true);
}

static bool run(struct sd_service *service, struct sd_error *error) {
    struct sigaction action = {.sa_handler = count_signal, .sa_flags = SA_RESTART};
    served = service;
    sigaction(SIGUSR1, &action, NULL);
    struct sd_thread *thread = sd_thread_start("pages", write_pages, NULL, error);
    if (thread == NULL)
        return false;
    play(thread);
    sd_thread_join(thread);
    long long took_ms = (long long)atomic_load(&longest_ms);
    return took_ms < HUNG_MS || sd_fail_busy(error, "hung", 1, "a page of figures took %lld ms", took_ms);
}

const struct sd_injection sd_inject_signal_handler = {
    "signal-handler", "signal-unsafe", "error",
    "a page of figures hangs in a signal's handler, and all who count with it", run};
