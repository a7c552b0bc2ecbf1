#include "kin.h"

/* Of one that was killed, or still runs, the end is not known. */
static bool started_before_end_of(const struct model_process *one, const struct model_process *other) {
    return other->header->end_realtime_ns == 0 ||
           one->header->start_realtime_ns < other->header->end_realtime_ns;
}

static bool at_same_time(const struct model_process *one, const struct model_process *other) {
    return started_before_end_of(one, other) && started_before_end_of(other, one);
}

uint64_t memory_family(const struct model_process *process) {
    return lgr_merged(process->file) ? 0 : process->header->family;
}

static bool belong_together(const struct lgr_header_copy *one, const struct lgr_header_copy *other) {
    return (one->family != 0 && one->family == other->family) || one->ppid == other->ppid ||
           one->ppid == other->pid || other->ppid == one->pid;
}

bool are_kin(const struct model_process *one, const struct model_process *other) {
    return one != other && !lgr_merged(one->file) && !lgr_merged(other->file) && at_same_time(one, other) &&
           belong_together(one->header, other->header);
}
