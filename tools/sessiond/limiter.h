/* Token buckets, one for each user: rate and burst.  Takes limiter.lock (80).  Buckets
 * that are full again are dropped by the clean-up. */
#ifndef SD_LIMITER_H
#define SD_LIMITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct sd_limiter;

struct sd_limiter *sd_limiter_create(int32_t rate_per_s, int32_t burst, struct sd_error *error);
void sd_limiter_destroy(struct sd_limiter *limiter);
/* false: 429 rate_limited with Retry-After. */
bool sd_limiter_admit(struct sd_limiter *limiter, int64_t user, struct sd_error *error);
/* Goes on where the last round ended, in short holds of the lock, until all were looked
 * at or `limit_ms` passed; how many were dropped. */
bool sd_limiter_clean_up(struct sd_limiter *limiter, int32_t limit_ms, size_t *dropped,
                         struct sd_error *error);
size_t sd_limiter_buckets(struct sd_limiter *limiter);

#endif
