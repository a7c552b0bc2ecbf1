/* The three dependencies behind their breakers, and the last good results of two of them
 * (kept in memory, 256 of each, least recently used out first).  This is what operations
 * call; nothing else calls search, model or blob.  Takes what those take, and
 * dependencies.results (80), never over a call. */
#ifndef SD_DEPENDENCIES_H
#define SD_DEPENDENCIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "breaker.h"
#include "cancel.h"
#include "config.h"
#include "error.h"
#include "metrics.h"
#include "text.h"

struct sd_dependencies;
enum sd_dependency { SD_SEARCH, SD_MODEL, SD_STORE, SD_DEPENDENCY_COUNT };

struct sd_dependencies *sd_dependencies_create(const struct sd_config *config, struct sd_metrics *metrics,
                                               struct sd_error *error);
void sd_dependencies_destroy(struct sd_dependencies *all);

/* Before a search is begun; never waits.  400 bad_field query. */
bool sd_dependencies_check_query(struct sd_dependencies *all, const char *query, struct sd_error *error);
/* Answers are JSON objects that end in "degraded":false, or true where the breaker is
 * open and a good result of the same question is known; where none is: 503. */
bool sd_dependencies_search(struct sd_dependencies *all, int64_t user, const char *query, int32_t limit,
                            struct sd_cancel *cancel, struct sd_text *answer, struct sd_error *error);
bool sd_dependencies_score(struct sd_dependencies *all, int64_t user, const char *text,
                           struct sd_cancel *cancel, struct sd_text *answer, struct sd_error *error);
/* Never degraded: 503 with Retry-After while open. */
bool sd_dependencies_put(struct sd_dependencies *all, int64_t user, const char *name, const void *bytes,
                         size_t length, struct sd_cancel *cancel, struct sd_text *answer,
                         struct sd_error *error);

struct sd_breaker *sd_dependencies_breaker(struct sd_dependencies *all, enum sd_dependency which);
/* NULL: no such name. */
struct sd_breaker *sd_dependencies_find(struct sd_dependencies *all, const char *name);
/* The calls are counted here, and told to the metrics by this, with nothing held: it takes
 * manager.metrics (11), and operations call with their slot. */
void sd_dependencies_tell_metrics(struct sd_dependencies *all);
/* Whether the search client has its handle open, and who uses it. */
bool sd_dependencies_search_client(struct sd_dependencies *all, int32_t *users);
/* By jobs: idle clients. */
void sd_dependencies_close_idle(struct sd_dependencies *all);
/* By jobs: what nobody will finish any more; how many files. */
int sd_dependencies_sweep(const struct sd_dependencies *all);

#endif
