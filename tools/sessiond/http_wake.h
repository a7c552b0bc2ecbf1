/* How other threads get the HTTP thread's attention: a list of what is to be looked at,
 * and a descriptor that its loop watches.  One of each in the process.  Takes http.wakes
 * (80), for the list alone. */
#ifndef SD_HTTP_WAKE_H
#define SD_HTTP_WAKE_H

#include <stdbool.h>

#include "error.h"
#include "event_loop.h"

/* Part of what is to be looked at. */
struct sd_wake {
    struct sd_wake *next; /* under http.wakes, as the next one */
    bool queued;
    void (*arrive)(struct sd_wake *wake); /* on the HTTP thread, without locks */
};

/* By the HTTP thread, whose own calls of sd_wake_put need no descriptor.  The loop is told
 * how many wait, until sd_wake_close. */
bool sd_wake_open(struct sd_loop *loop, int *fd, struct sd_error *error);
/* Any thread; once until it arrives, however often it is put.  false: closed, and it will
 * never arrive. */
bool sd_wake_put(struct sd_wake *wake);
/* By the HTTP thread: it will not arrive, and can be freed. */
void sd_wake_remove(struct sd_wake *wake);
/* By the HTTP thread, when the descriptor is readable. */
void sd_wake_drain(void);
/* By the HTTP thread, each round: lets all arrive. */
void sd_wake_run(void);
/* By the HTTP thread: the last ones arrive, and no more are taken. */
void sd_wake_close(void);

#endif
