/* All injections, each in the file of its name, where it says which locks it takes. */
#ifndef SD_INJECT_LIST_H
#define SD_INJECT_LIST_H

#include "inject.h"

extern const struct sd_injection sd_inject_reverse_order, sd_inject_abba, sd_inject_three_way,
    sd_inject_pool_exhaustion, sd_inject_held_over_io, sd_inject_stall, sd_inject_lost_task,
    sd_inject_unlock_twice, sd_inject_forgotten_unlock, sd_inject_signal_handler, sd_inject_fork_held;

#endif
