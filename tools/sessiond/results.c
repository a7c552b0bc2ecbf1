#include "results.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a. */
static uint64_t hash_of(const char *key) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *key != 0; key++)
        hash = (hash ^ (unsigned char)*key) * 0x100000001b3u;
    return hash;
}

/* Where it is, or SD_RESULTS. */
static size_t place_of(const struct sd_results *results, uint64_t hash, const char *key) {
    size_t at = 0;
    while (at < SD_RESULTS && (results->entries[at].used == 0 || results->entries[at].hash != hash ||
                               strcmp(results->entries[at].key, key) != 0))
        at++;
    return at;
}

static void drop(struct sd_results *results, size_t at) {
    if (results->entries[at].used == 0)
        return;
    results->bytes -= strlen(results->entries[at].key) + strlen(results->entries[at].result);
    free(results->entries[at].key);
    free(results->entries[at].result);
    results->entries[at].key = results->entries[at].result = NULL;
    results->entries[at].used = 0;
}

/* Where there is any; 0 where there is none. */
static size_t least_used(const struct sd_results *results) {
    size_t least = 0;
    for (size_t at = 1; at < SD_RESULTS; at++)
        if (results->entries[at].used != 0 &&
            (results->entries[least].used == 0 || results->entries[at].used < results->entries[least].used))
            least = at;
    return least;
}

static size_t free_place(struct sd_results *results) {
    for (size_t at = 0; at < SD_RESULTS; at++)
        if (results->entries[at].used == 0)
            return at;
    size_t least = least_used(results);
    drop(results, least);
    return least;
}

void sd_results_keep(struct sd_results *results, const char *key, const char *result) {
    uint64_t hash = hash_of(key);
    size_t at = place_of(results, hash, key), bytes = strlen(key) + strlen(result);
    if (at < SD_RESULTS)
        drop(results, at); /* it is not the last one any more */
    if (bytes > SD_RESULT_BYTES)
        return;
    char *key_copy = strdup(key), *result_copy = strdup(result);
    if (key_copy == NULL || result_copy == NULL) {
        free(key_copy);
        free(result_copy);
        return;
    }
    while (results->bytes + bytes > SD_RESULTS_BYTES)
        drop(results, least_used(results));
    at = free_place(results);
    results->entries[at].key = key_copy;
    results->entries[at].result = result_copy;
    results->entries[at].hash = hash;
    results->entries[at].used = ++results->uses;
    results->bytes += bytes;
}

bool sd_results_find(struct sd_results *results, const char *key, struct sd_text *result) {
    size_t at = place_of(results, hash_of(key), key);
    if (at == SD_RESULTS)
        return false;
    results->entries[at].used = ++results->uses;
    sd_text_add(result, results->entries[at].result);
    return true;
}

void sd_results_free(struct sd_results *results) {
    for (size_t at = 0; at < SD_RESULTS; at++) {
        free(results->entries[at].key);
        free(results->entries[at].result);
    }
    *results = (struct sd_results){0};
}
