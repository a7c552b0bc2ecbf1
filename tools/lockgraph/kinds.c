#include "kinds.h"

#include <stddef.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const kinds[] = {
    [LGR_KIND_ORDER_CYCLE] = "order-cycle",
    [LGR_KIND_DEADLOCK] = "deadlock",
    [LGR_KIND_SELF_DEADLOCK] = "self-deadlock",
    [LGR_KIND_UNLOCK_UNHELD] = "unlock-unheld",
    [LGR_KIND_UNLOCK_FOREIGN] = "unlock-foreign",
    [LGR_KIND_DESTROY_HELD] = "destroy-held",
    [LGR_KIND_DESTROY_WAITED] = "destroy-waited",
    [LGR_KIND_USE_DESTROYED] = "use-destroyed",
    [LGR_KIND_REINIT_HELD] = "reinit-held",
    [LGR_KIND_FREE_HELD] = "free-held",
    [LGR_KIND_THREAD_EXIT_HELD] = "thread-exit-held",
    [LGR_KIND_COND_WAIT_UNHELD] = "cond-wait-unheld",
    [LGR_KIND_COND_TWO_MUTEXES] = "cond-two-mutexes",
    [LGR_KIND_COND_DESTROY_WAITED] = "cond-destroy-waited",
    [LGR_KIND_SIGNAL_UNSAFE] = "signal-unsafe",
    [LGR_KIND_WRONG_TYPE] = "wrong-type",
    [LGR_KIND_JOIN_SELF] = "join-self",
    [LGR_KIND_SEM_MISUSE] = "sem-misuse",
    [LGR_KIND_BARRIER_MISUSE] = "barrier-misuse",
    [LGR_KIND_ASSERT_FAILED] = "assert-failed",
    [LGR_KIND_STALL] = "stall",
    [LGR_KIND_LEVEL_VIOLATION] = "level-violation",
    [LGR_KIND_WAIT_TIMEOUT] = "wait-timeout",
    [LGR_KIND_HOLD_TOO_LONG] = "hold-too-long",
    [LGR_KIND_BLOCKED_UNDER_LOCK] = "blocked-under-lock",
    [LGR_KIND_HEARTBEAT_MISSED] = "heartbeat-missed",
    [LGR_KIND_CANCEL_UNSAFE] = "cancel-unsafe",
    [LGR_KIND_API_ERROR] = "api-error",
    [LGR_KIND_COND_WAIT_HOLDING] = "cond-wait-holding",
    [LGR_KIND_FORK_HELD] = "fork-held",
    [LGR_KIND_USER] = "user",
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

const char *kind_name(uint16_t kind) { return kind < COUNT(kinds) && kinds[kind] ? kinds[kind] : "unknown"; }

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
