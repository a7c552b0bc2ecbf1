#include "hand_over.h"

static const struct model_thread *thread_of(const struct model_finding *finding, uint32_t serial) {
    for (size_t i = 0; i < finding->edge_count; i++)
        if (finding->edges[i].thread->serial == serial)
            return finding->edges[i].thread;
    return NULL;
}

/* The first wait for that condition by another thread of the cycle. */
static const struct lgr_condition *wait_for(const struct lgr_file *file, const struct model_finding *finding,
                                            const struct lgr_condition *signal) {
    for (size_t i = 0; i < lgr_condition_count(file); i++) {
        const struct lgr_condition *use = lgr_condition_at(file, i);
        if (use->role == LGR_CONDITION_WAITS && use->condition == signal->condition &&
            use->serial != signal->serial && thread_of(finding, use->serial))
            return use;
    }
    return NULL;
}

void find_hand_over(struct model *model, struct model_process *process, struct model_finding *finding) {
    const struct lgr_file *file = process->file;
    if (finding->verdict != LGR_VERDICT_FEASIBLE)
        return;
    for (size_t i = 0; i < lgr_condition_count(file) && !finding->hand_over.from; i++) {
        const struct lgr_condition *use = lgr_condition_at(file, i);
        bool signals = use->role == LGR_CONDITION_SIGNALS && thread_of(finding, use->serial);
        const struct lgr_condition *wait = signals ? wait_for(file, finding, use) : NULL;
        if (!wait)
            continue;
        finding->hand_over.from = thread_of(finding, use->serial);
        finding->hand_over.to = thread_of(finding, wait->serial);
        finding->hand_over.mutex = wait->mutex ? model_lock_of(model, process, wait->mutex) : NULL;
    }
}

const char *tell_hand_over(struct pool *pool, const struct model_finding *finding) {
    if (!finding->hand_over.from)
        return "";
    return pool_printf(
        pool,
        "; but %s signals a condition for which %s waits at times: what it hands over under %s "
        "to a thread that comes late, and need not wait, cannot be seen, and may keep the "
        "orders apart",
        finding->hand_over.from->label, finding->hand_over.to->label,
        finding->hand_over.mutex ? finding->hand_over.mutex->short_name : "its mutex");
}
