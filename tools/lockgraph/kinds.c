#include "kinds.h"

#include <stddef.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct {
    const char *name, *meaning;
} kinds[] = {
    [LGR_KIND_ORDER_CYCLE] = {"order-cycle", "locks are taken in orders that contradict each other"},
    [LGR_KIND_DEADLOCK] = {"deadlock", "threads wait for each other, and never go on"},
    [LGR_KIND_SELF_DEADLOCK] = {"self-deadlock", "a thread waits for a lock that it holds itself"},
    [LGR_KIND_UNLOCK_UNHELD] = {"unlock-unheld", "a lock is unlocked that nobody holds"},
    [LGR_KIND_UNLOCK_FOREIGN] = {"unlock-foreign", "a lock is unlocked that another thread holds"},
    [LGR_KIND_DESTROY_HELD] = {"destroy-held", "a lock is destroyed while it is held"},
    [LGR_KIND_DESTROY_WAITED] = {"destroy-waited", "a lock is destroyed while a thread waits for it"},
    [LGR_KIND_USE_DESTROYED] = {"use-destroyed", "a lock is used after it was destroyed"},
    [LGR_KIND_REINIT_HELD] = {"reinit-held", "a lock is initialised again while it is held"},
    [LGR_KIND_FREE_HELD] = {"free-held", "the memory of a lock is given up or overwritten while it is held"},
    [LGR_KIND_THREAD_EXIT_HELD] = {"thread-exit-held", "a thread ends while it holds a lock"},
    [LGR_KIND_COND_WAIT_UNHELD] = {"cond-wait-unheld",
                                   "a condition is waited for with a mutex that the thread does not hold"},
    [LGR_KIND_COND_TWO_MUTEXES] = {"cond-two-mutexes", "a condition is waited for with two mutexes at once"},
    [LGR_KIND_COND_DESTROY_WAITED] = {"cond-destroy-waited",
                                      "a condition variable is destroyed while a thread waits for it"},
    [LGR_KIND_SIGNAL_UNSAFE] = {"signal-unsafe",
                                "a signal handler takes what the code that it interrupts may hold"},
    [LGR_KIND_WRONG_TYPE] = {"wrong-type", "something that is no lock is used as one"},
    [LGR_KIND_JOIN_SELF] = {"join-self", "a thread waits for its own end"},
    [LGR_KIND_SEM_MISUSE] = {"sem-misuse", "a semaphore is used after, or while, it is taken away"},
    [LGR_KIND_BARRIER_MISUSE] = {"barrier-misuse", "a barrier is used after, or while, it is taken away"},
    [LGR_KIND_ASSERT_FAILED] = {"assert-failed", "what the program says of its locks is not so"},
    [LGR_KIND_STALL] = {"stall", "every thread of the process waits for ever"},
    [LGR_KIND_LEVEL_VIOLATION] = {"level-violation", "a lock is taken against the declared order"},
    [LGR_KIND_WAIT_TIMEOUT] = {"wait-timeout", "a lock is waited for longer than the limit"},
    [LGR_KIND_HOLD_TOO_LONG] = {"hold-too-long", "a lock is held for longer than the limit"},
    [LGR_KIND_BLOCKED_UNDER_LOCK] = {"blocked-under-lock",
                                     "a call blocks for longer than the limit while a lock is held"},
    [LGR_KIND_HEARTBEAT_MISSED] = {"heartbeat-missed", "a thread that promised a heartbeat gives none"},
    [LGR_KIND_CANCEL_UNSAFE] =
        {"cancel-unsafe", "a thread can be cancelled while it holds a lock, which nobody gives back then"},
    [LGR_KIND_API_ERROR] = {"api-error", "a call is refused, and does nothing"},
    [LGR_KIND_COND_WAIT_HOLDING] =
        {"cond-wait-holding", "a condition is waited for while a lock is held that its signaller may need"},
    [LGR_KIND_FORK_HELD] =
        {"fork-held", "a process forks while another thread holds a lock, which stays held in the child"},
    [LGR_KIND_USER] = {"user", "the program reports it"},
};
_Static_assert(COUNT(kinds) == LGR_KINDS, "a kind without a name");

static const struct {
    const char *name, *meaning;
} verdicts[] = {
    [LGR_VERDICT_SINGLE_THREAD] = {"single-thread", "one thread did both"},
    [LGR_VERDICT_GATED] = {"gated", "a common lock keeps the two orders apart"},
    [LGR_VERDICT_ORDERED] = {"ordered", "the program keeps the two orders apart in time"},
    [LGR_VERDICT_ACROSS_RUNS] = {"across-runs", "the two orders come from different runs"},
    [LGR_VERDICT_CLASS_PATTERN] = {"class-pattern", "the same kinds of locks, never the same locks"},
    [LGR_VERDICT_TIMED] = {"timed", "it stalls until a time limit, then a request fails"},
    [LGR_VERDICT_FEASIBLE] = {"feasible", "it can happen"},
    [LGR_VERDICT_CONFIRMED] = {"confirmed", "a steered re-run reached it"},
    [LGR_VERDICT_ACTUAL] = {"actual", "it happened"},
};

static const char *const severities[] = {
    [LGR_NOTE] = "note", [LGR_WARNING] = "warning", [LGR_ERROR] = "error"};

static const char *const lock_kinds[] = {
    [LGR_LOCK_MUTEX] = "mutex",         [LGR_LOCK_RWLOCK] = "rwlock",      [LGR_LOCK_SPIN] = "spinlock",
    [LGR_LOCK_SEMAPHORE] = "semaphore", [LGR_LOCK_CUSTOM] = "custom lock", [LGR_LOCK_FILE] = "file lock",
};

const char *kind_name(uint16_t kind) {
    return kind < COUNT(kinds) && kinds[kind].name ? kinds[kind].name : "unknown";
}

const char *kind_meaning(uint16_t kind) {
    return kind < COUNT(kinds) && kinds[kind].meaning ? kinds[kind].meaning : "a newer runtime reports it";
}

const char *verdict_name(uint8_t verdict) {
    return verdict < COUNT(verdicts) ? verdicts[verdict].name : NULL;
}

const char *verdict_meaning(uint8_t verdict) {
    return verdict < COUNT(verdicts) && verdicts[verdict].meaning ? verdicts[verdict].meaning : "";
}

const char *severity_name(unsigned severity) {
    return severity < COUNT(severities) && severities[severity] ? severities[severity] : "error";
}

const char *lock_kind_name(uint16_t kind) {
    return kind < COUNT(lock_kinds) && lock_kinds[kind] ? lock_kinds[kind] : "lock";
}

bool severity_parse(const char *word, unsigned *threshold) {
    for (unsigned i = LGR_NOTE; i < COUNT(severities); i++)
        if (strcmp(word, severities[i]) == 0) {
            *threshold = i;
            return true;
        }
    *threshold = SEVERITY_NEVER;
    return strcmp(word, "never") == 0;
}
