/* A descriptor that one thread makes readable and another waits for, with others (an
 * eventfd).  The opener closes it.  No locks. */
#ifndef SD_WAKEUP_H
#define SD_WAKEUP_H

#include <stdbool.h>

#include "error.h"

/* 503 no_descriptor, and -1. */
bool sd_wakeup_open(int *fd, struct sd_error *error);
/* Any thread; as often as wanted. */
void sd_wakeup_set(int fd);
/* Whether it was set; never waits. */
bool sd_wakeup_clear(int fd);
/* One that was never opened (-1) does no harm. */
void sd_wakeup_close(int *fd);

#endif
