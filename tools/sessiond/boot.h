/* Which of the processes that share a database live.  Each holds the lock (flock) of a
 * file of its own in data_dir/boots from before its first claim in the queue until it
 * ends, however it ends; so nobody takes a claim from one that is only slow, or stopped.
 * No locks among threads: a boot belongs to who opened it. */
#ifndef SD_BOOT_H
#define SD_BOOT_H

#include <stdbool.h>

#include "config.h"
#include "error.h"

enum { SD_BOOT_NAME = 32 };

struct sd_boot {
    char name[SD_BOOT_NAME];
    char path[SD_PATH + 64];
    int fd; /* -1: not open */
};

/* A new one, in a directory that is there.  Files of boots that are gone are removed. */
bool sd_boot_open(struct sd_boot *boot, const char *data_dir, struct sd_error *error);
void sd_boot_close(struct sd_boot *boot);
/* Also where it is not known. */
bool sd_boot_lives(const char *data_dir, const char *name);

#endif
