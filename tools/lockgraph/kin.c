#include "kin.h"

#include <string.h>

/* Of one that was killed, or still runs, the end is not known. */
static bool started_before_end_of(const struct model_process *one, const struct model_process *other) {
    return other->header->end_realtime_ns == 0 ||
           one->header->start_realtime_ns < other->header->end_realtime_ns;
}

static bool at_same_time(const struct model_process *one, const struct model_process *other) {
    return started_before_end_of(one, other) && started_before_end_of(other, one);
}

/* Not another program, which begins with memory of its own. */
static bool forked_by(const struct model_process *child, const struct model_process *parent) {
    return child->header->ppid == parent->header->pid && strcmp(child->exe, parent->exe) == 0 &&
           parent->header->start_realtime_ns <= child->header->start_realtime_ns &&
           started_before_end_of(child, parent);
}

static bool forked_by_one(const struct model *model, const struct model_process *one,
                          const struct model_process *other) {
    for (size_t i = 0; one->header->ppid == other->header->ppid && i < model->process_count; i++)
        if (forked_by(one, &model->processes[i]) && forked_by(other, &model->processes[i]))
            return true;
    return false;
}

bool are_kin(const struct model *model, const struct model_process *one, const struct model_process *other) {
    return one != other && !lgr_merged(one->file) && !lgr_merged(other->file) && at_same_time(one, other) &&
           (forked_by(one, other) || forked_by(other, one) || forked_by_one(model, one, other));
}
