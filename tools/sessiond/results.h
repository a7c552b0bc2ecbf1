/* The last good results of a dependency, by question: at most 256, the least recently
 * used one goes first.  No locks: their owner's. */
#ifndef SD_RESULTS_H
#define SD_RESULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

enum { SD_RESULTS = 256 };

struct sd_results {
    struct {
        uint64_t hash, used; /* used: 0 where there is none */
        char *key, *result;  /* owned */
    } entries[SD_RESULTS];
    uint64_t uses;
};

/* Both are copied; without memory nothing is kept. */
void sd_results_keep(struct sd_results *results, const char *key, const char *result);
/* Adds it to `result`; false: there is none. */
bool sd_results_find(struct sd_results *results, const char *key, struct sd_text *result);
void sd_results_free(struct sd_results *results);

#endif
