#include "kinds.h"

#include <stddef.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const kinds[] = {
    [LGR_KIND_ORDER_CYCLE] = "order-cycle",
    [LGR_KIND_DEADLOCK] = "deadlock",
    [LGR_KIND_SELF_DEADLOCK] = "self-deadlock",
};

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
