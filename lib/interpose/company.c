#include "interpose/company.h"

#include <stdatomic.h>

#include "engine/thread.h"
#include "interpose/watchdog.h"
#include "platform/memory.h"
#include "platform/system.h"
#include "platform/tasks.h"

static _Atomic bool for_good; /* relaxed */

void lgi_company_for_good(void) { atomic_store_explicit(&for_good, true, memory_order_relaxed); }

struct question {
    const struct lge_sleeper *sleepers;
    size_t count;
    uint32_t caller;
    enum lge_company answer;
};

static void worse(struct question *question, enum lge_company answer) {
    if (answer > question->answer)
        question->answer = answer;
}

static const struct lge_sleeper *sleeper_of(const struct question *question, uint32_t tid) {
    for (size_t i = 0; i < question->count; i++)
        if (question->sleepers[i].tid == tid)
            return &question->sleepers[i];
    return NULL;
}

/* A thread that is not among those who wait: gone, or running destructors, or
 * one that was made past us. */
static enum lge_company other(uint32_t tid) {
    if (lgp_task_state(tid) == LGP_TASK_GONE)
        return LGE_ALONE;
    const struct lge_thread *known = lge_thread_by_tid(tid);
    return known != NULL && lge_thread_over(known) ? LGE_LEAVING : LGE_IN_COMPANY;
}

static bool ask_thread(uint32_t tid, void *user) {
    struct question *question = user;
    const struct lge_sleeper *sleeper = sleeper_of(question, tid);
    if (tid == question->caller || lgi_is_watchdog(tid))
        return true;
    if (sleeper == NULL)
        worse(question, other(tid));
    else if (!sleeper->spins && lgp_task_state(tid) != LGP_TASK_SLEEPS)
        worse(question, LGE_UNSETTLED);
    return question->answer != LGE_IN_COMPANY;
}

static bool is_private(uintptr_t start, uintptr_t end, void *user) {
    const struct question *question = user;
    for (size_t i = 0; i < question->count; i++) {
        uintptr_t object = (uintptr_t)question->sleepers[i].object;
        if (object >= start && object < end)
            return false;
    }
    return true;
}

/* What costs most comes last. */
enum lge_company lgi_company(const struct lge_sleeper *sleepers, size_t count) {
    struct question question = {sleepers, count, lgp_tid(), LGE_ALONE};
    if (atomic_load_explicit(&for_good, memory_order_relaxed) || lgp_handlers_installed() ||
        !lgp_tasks_each(ask_thread, &question))
        return LGE_IN_COMPANY;
    if (question.answer == LGE_ALONE && !lgp_shared_mappings_each(is_private, &question))
        return LGE_IN_COMPANY;
    return question.answer;
}
