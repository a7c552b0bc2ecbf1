/* signal-handler: SIGUSR1 is to be counted, and its handler takes manager.metrics (11).
 * When it interrupts a thread that holds it, that thread waits for itself.
 *
 * Found: signal-unsafe, the first time the handler asks for the lock; and, where it comes
 * to that, the self-deadlock.
 * Without Lockgraph: the thread, and all who count, hang until lock_timeout. */
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "inject_list.h"
#include "inject_stage.h"
#include "threads.h"

enum { ROUNDS_MS = 1500, STUCK_MS = 500, LOOK_MS = 1 };

static struct sd_metrics *metrics; /* set before the handler is installed */
static _Atomic uint64_t pages;     /* written by the page's thread: its sign of life */
static _Atomic bool ends;

static void count_signal(int number) {
    (void)number;
    sd_metrics_count(metrics, SD_SERIES_LIMITED, "what=\"signal\"", 1); /* right: signalfd, on a loop */
}

/* Formats the figures again and again, as many clients would have it. */
static void write_pages(void *of) {
    sigset_t usr1;
    (void)of;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
    while (!atomic_load(&ends)) {
        struct sd_text page = {0};
        sd_metrics_write(metrics, &page, NULL);
        sd_text_free(&page);
        atomic_fetch_add(&pages, 1);
    }
}

/* Until the thread gives no sign of life for a while. */
static bool signal_until_stuck(int thread) {
    int64_t until_ms = sd_now_ms() + ROUNDS_MS, alive_ms = sd_now_ms();
    uint64_t seen = 0;
    while (sd_left_ms(until_ms) > 0 || sd_now_ms() - alive_ms > STUCK_MS / 2) {
        uint64_t now = atomic_load(&pages);
        if (now != seen)
            alive_ms = sd_now_ms();
        else if (sd_now_ms() - alive_ms > STUCK_MS)
            return true;
        seen = now;
        syscall(SYS_tgkill, getpid(), thread, SIGUSR1);
        sd_cancel_pause(NULL, LOOK_MS);
    }
    return false;
}

static bool run(struct sd_service *service, struct sd_error *error) {
    struct sigaction action = {.sa_handler = count_signal, .sa_flags = SA_RESTART};
    metrics = service->http.metrics;
    sigaction(SIGUSR1, &action, NULL);
    struct sd_thread *thread = sd_thread_start("pages", write_pages, NULL, error);
    if (thread == NULL)
        return false;
    while (sd_thread_id(thread) == 0 || atomic_load(&pages) == 0)
        sd_cancel_pause(NULL, LOOK_MS);
    bool stuck = signal_until_stuck(sd_thread_id(thread));
    atomic_store(&ends, true);
    sd_thread_join(thread);
    return !stuck || sd_fail_busy(error, "stuck", 1, "the page of figures hung in a signal's handler");
}

const struct sd_injection sd_inject_signal_handler = {
    "signal-handler", "signal-unsafe", "error",
    "a thread hangs in its own signal handler until lock_timeout, and all who count with it", run};
