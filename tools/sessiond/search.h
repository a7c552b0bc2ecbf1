/* `search`: full-text search over stored messages, through one handle that all share.
 * It is opened at the first use, counted by users, closed when nobody used it for a time,
 * and reopened after an error.  Takes search.client (75) for each query: held over I/O,
 * since a handle does one thing at a time.  Answers as JSON text, which after about 48 KiB
 * ends with "truncated": true; with a URL set, that service is asked instead
 * ({"user":N,"query":"…","limit":N}). */
#ifndef SD_SEARCH_H
#define SD_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "cancel.h"
#include "config.h"
#include "error.h"
#include "text.h"

struct sd_search;

struct sd_search *sd_search_create(const struct sd_config *config, struct sd_error *error);
void sd_search_destroy(struct sd_search *search);
/* Whether that is a query at all, without asking anybody: 400 bad_field; takes search.syntax
 * (80).  True with a URL set. */
bool sd_search_check(struct sd_search *search, const char *query, struct sd_error *error);
/* A user's own messages only.  Answer: {"hits":[{"message":N,"session":N,"text":"…"}]}.
 * A query SQLite cannot parse is 400 bad_field, and says nothing about the dependency. */
bool sd_search_query(struct sd_search *search, int64_t user, const char *query, int32_t limit,
                     int32_t limit_ms, struct sd_cancel *cancel, struct sd_text *answer,
                     struct sd_error *error);
/* By a job: closes the handle if it is idle for search_idle_s. */
void sd_search_close_idle(struct sd_search *search);
bool sd_search_open(struct sd_search *search, int32_t *users); /* for figures */

#endif
