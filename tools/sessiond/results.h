/* The last good results of a dependency, by question: at most 256 and 4 MiB, the least
 * recently used one goes first; one of more than 64 KiB is not kept.  No locks: their owner's. */
#ifndef SD_RESULTS_H
#define SD_RESULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

enum { SD_RESULTS = 256, SD_RESULT_BYTES = 64 * 1024, SD_RESULTS_BYTES = 4 * 1024 * 1024 };

struct sd_results {
    struct {
        uint64_t hash, used; /* used: 0 where there is none */
        char *key, *result;  /* owned */
    } entries[SD_RESULTS];
    uint64_t uses;
    size_t bytes; /* of all keys and results */
};

/* Both are copied; without memory nothing is kept. */
void sd_results_keep(struct sd_results *results, const char *key, const char *result);
/* Adds it to `result`; false: there is none. */
bool sd_results_find(struct sd_results *results, const char *key, struct sd_text *result);
void sd_results_free(struct sd_results *results);

#endif
