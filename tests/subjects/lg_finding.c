/* What the program says itself, and what it is told: lg_report, lg_on_finding, and pins.
 *
 * case: report
 *     expect: user none warning
 *     call: REPORTS
 *     says: account 7 of alice is overdrawn, reported at, ledger
 * case: report-error
 *     expect: user none error
 *     call: REPORTS GRAVELY
 * case: report-often
 *     expect: user none warning
 *     call: REPORTS OFTEN
 *     says: seen 100 times
 * case: callback
 *     expect: level-violation none error
 *     call: TAKES LOWER
 *     earlier: TAKES HIGHER
 * case: callback-deadlock
 *     expect: self-deadlock actual error
 *     line: TAKES AGAIN
 * case: pinned
 *     expect: assert-failed none error
 *     call: GIVES UP PINNED
 *     earlier: TAKES PINNED
 *     says: gives up ledger, which it pinned
 * case: pinned-wait
 *     expect: assert-failed none error
 *     call: WAITS WITH PINNED
 *     earlier: TAKES BEFORE WAIT
 * case: pinned-refused
 *     expect: assert-failed none error
 *     call: REFUSES
 *     earlier: TAKES TO KEEP
 *     options: -O on_violation=refuse
 *
 * case: note
 *     silent
 *     note: user none
 * case: off
 *     silent
 *     options: -O check.user=off
 * case: unpinned
 *     silent
 * case: callback-of-nothing
 *     silent
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lockgraph/lockgraph.h>

enum { OWN_ERRNO = 4321 };

static lg_mutex_t ledger = LG_MUTEX_INITIALIZER("ledger", 20), journal = LG_MUTEX_INITIALIZER("journal", 10);
static lg_cond_t condition = LG_COND_INITIALIZER;

static void must(int good) {
    if (!good)
        abort();
}

static struct {
    int calls;
    char kind[32], text[256];
    enum lg_severity severity;
} told;

static void note(const struct lg_finding *finding, void *user) {
    must(user == &told);
    strncpy(told.kind, finding->kind, sizeof told.kind - 1);
    strncpy(told.text, finding->text, sizeof told.text - 1);
    told.severity = finding->severity;
    told.calls++;
    static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER; /* is not watched, and finds nothing */
    pthread_mutex_lock(&own);
    lg_report(LG_ERROR, "from inside");
    pthread_mutex_unlock(&own);
    errno = 1;
}

static void report(void) {
    lg_mutex_lock(&ledger);
    lg_report(LG_WARNING, "account %d of %s is overdrawn", 7, "alice"); /* REPORTS */
    lg_mutex_unlock(&ledger);
}
static void report_error(void) {
    lg_report(LG_ERROR, "lost"); /* REPORTS GRAVELY */
    told.calls = 0;
}
static void report_often(void) {
    for (int i = 0; i < 100; i++)
        lg_report(LG_WARNING, "number %d", i); /* REPORTS OFTEN */
}
static void report_note(void) { lg_report(LG_NOTE, "all is well"); }

static void call_back(void) {
    lg_on_finding(note, &told);
    lg_mutex_lock(&ledger); /* TAKES HIGHER */
    errno = OWN_ERRNO;
    lg_mutex_lock(&journal); /* TAKES LOWER */
    must(errno == OWN_ERRNO);
    must(told.calls == 1 && strcmp(told.kind, "level-violation") == 0 && told.severity == LG_ERROR);
    must(strstr(told.text, "level-violation: a thread takes a lock") != NULL);
    lg_mutex_unlock(&journal);
    lg_mutex_unlock(&ledger);
    lg_on_finding(NULL, NULL);
    lg_report(LG_NOTE, "nobody hears");
    must(told.calls == 1);
}

static void leave(const struct lg_finding *finding, void *user) {
    (void)user;
    _exit(strcmp(finding->kind, "self-deadlock") == 0 ? 0 : 3);
}
/* It is called before the thread waits for ever. */
static void call_back_from_deadlock(void) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    lg_on_finding(leave, NULL);
    pthread_mutex_lock(&mutex);
    pthread_mutex_lock(&mutex); /* TAKES AGAIN */
}

static void give_up_pinned(void) {
    must(lg_mutex_pin(&ledger) == EPERM);
    lg_mutex_lock(&ledger); /* TAKES PINNED */
    must(lg_mutex_pin(&ledger) == 0);
    must(lg_mutex_unlock(&ledger) == 0); /* GIVES UP PINNED */
    must(lg_mutex_trylock(&ledger) == 0);
    must(lg_mutex_unlock(&ledger) == 0);
}

static void wait_with_pinned(void) {
    lg_mutex_lock(&ledger); /* TAKES BEFORE WAIT */
    lg_mutex_pin(&ledger);
    must(lg_cond_timedwait(&condition, &ledger, 10) == ETIMEDOUT); /* WAITS WITH PINNED */
    lg_mutex_unlock(&ledger);
}

static void keep_pinned(void) {
    lg_mutex_lock(&ledger); /* TAKES TO KEEP */
    lg_mutex_pin(&ledger);
    must(lg_mutex_unlock(&ledger) == EBUSY); /* REFUSES */
    lg_assert_held(&ledger);
    must(lg_mutex_unpin(&ledger) == 0 && lg_mutex_unlock(&ledger) == 0);
}

static void unpin_first(void) {
    lg_mutex_lock(&ledger);
    must(lg_mutex_pin(&ledger) == 0 && lg_mutex_unpin(&ledger) == 0);
    must(lg_mutex_unlock(&ledger) == 0);
    must(lg_mutex_unpin(&ledger) == EPERM);
}

static void call_back_of_nothing(void) {
    lg_on_finding(note, &told);
    lg_mutex_lock(&journal);
    lg_mutex_lock(&ledger);
    lg_mutex_unlock(&ledger);
    lg_mutex_unlock(&journal);
    must(told.calls == 0);
}

static const struct {
    const char *name;
    void (*function)(void);
} cases[] = {
    {"report", report},
    {"report-error", report_error},
    {"report-often", report_often},
    {"callback", call_back},
    {"callback-deadlock", call_back_from_deadlock},
    {"pinned", give_up_pinned},
    {"pinned-wait", wait_with_pinned},
    {"pinned-refused", keep_pinned},
    {"note", report_note},
    {"off", report_error},
    {"unpinned", unpin_first},
    {"callback-of-nothing", call_back_of_nothing},
};

int main(int argc, char **argv) {
    lg_mutex_lock(&journal); /* each case has a lock to see */
    lg_mutex_unlock(&journal);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (strcmp(cases[i].name, argc > 1 ? argv[1] : "report") == 0)
            cases[i].function();
    return 0;
}
