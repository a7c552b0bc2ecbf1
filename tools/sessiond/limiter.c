#include "limiter.h"

#include <stdlib.h>

#include "clock.h"
#include "lock_order.h"
#include "timed.h"

enum { HEADS = 256, TOKEN = 1000000 /* tokens are counted in millionths */ };

struct bucket {
    int64_t user, tokens, at_us;
    struct bucket *next;
};

struct sd_limiter {
    int64_t rate_per_s, most; /* most: of tokens, in millionths */
    lg_mutex_t lock;          /* the buckets, and where the clean-up is */
    struct bucket *heads[HEADS];
    size_t count, next_head;
};

struct sd_limiter *sd_limiter_create(int32_t rate_per_s, int32_t burst, struct sd_error *error) {
    struct sd_limiter *limiter = calloc(1, sizeof *limiter);
    if (limiter == NULL || lg_mutex_init(&limiter->lock, "limiter.lock", SD_LEVEL_LEAF) != 0) {
        free(limiter);
        sd_fail_busy(error, "no_memory", 1, "no memory for the rate limiter");
        return NULL;
    }
    limiter->rate_per_s = rate_per_s;
    limiter->most = (int64_t)burst * TOKEN;
    return limiter;
}

void sd_limiter_destroy(struct sd_limiter *limiter) {
    if (limiter == NULL)
        return;
    for (size_t head = 0; head < HEADS; head++)
        while (limiter->heads[head] != NULL) {
            struct bucket *next = limiter->heads[head]->next;
            free(limiter->heads[head]);
            limiter->heads[head] = next;
        }
    lg_mutex_destroy(&limiter->lock);
    free(limiter);
}

/* In an hour every bucket is full: more would only overflow. */
static void refill(const struct sd_limiter *limiter, struct bucket *bucket, int64_t now_us) {
    int64_t passed = now_us - bucket->at_us;
    if (passed > 3600LL * 1000000)
        bucket->tokens = limiter->most;
    else
        bucket->tokens += passed * limiter->rate_per_s; /* a microsecond is a millionth at 1/s */
    if (bucket->tokens > limiter->most)
        bucket->tokens = limiter->most;
    bucket->at_us = now_us;
}

static struct bucket *find(struct sd_limiter *limiter, int64_t user, int64_t now_us) {
    struct bucket **head = &limiter->heads[(uint64_t)user % HEADS];
    for (struct bucket *bucket = *head; bucket != NULL; bucket = bucket->next)
        if (bucket->user == user)
            return bucket;
    struct bucket *bucket = calloc(1, sizeof *bucket);
    if (bucket == NULL)
        return NULL;
    *bucket = (struct bucket){user, limiter->most, now_us, *head};
    *head = bucket;
    limiter->count++;
    return bucket;
}

bool sd_limiter_admit(struct sd_limiter *limiter, int64_t user, struct sd_error *error) {
    int64_t now_us = sd_now_us(), missing = TOKEN;
    if (!sd_lock(&limiter->lock, error))
        return false;
    struct bucket *bucket = find(limiter, user, now_us);
    if (bucket != NULL) {
        refill(limiter, bucket, now_us);
        missing = TOKEN - bucket->tokens;
        if (missing <= 0)
            bucket->tokens -= TOKEN;
    }
    sd_unlock(&limiter->lock);
    if (missing <= 0)
        return true;
    sd_fail(error, 429, "rate_limited", "more than %lld requests a second", (long long)limiter->rate_per_s);
    if (error != NULL)
        error->retry_after_s = (int)(missing / limiter->rate_per_s / 1000000) + 1;
    return false;
}

/* Under the lock: one chain. */
static size_t drop_full(struct sd_limiter *limiter, struct bucket **at, int64_t now_us) {
    size_t dropped = 0;
    while (*at != NULL) {
        struct bucket *bucket = *at;
        refill(limiter, bucket, now_us);
        if (bucket->tokens < limiter->most) {
            at = &bucket->next;
            continue;
        }
        *at = bucket->next;
        free(bucket);
        limiter->count--;
        dropped++;
    }
    return dropped;
}

bool sd_limiter_clean_up(struct sd_limiter *limiter, int32_t limit_ms, size_t *dropped,
                         struct sd_error *error) {
    int64_t until_ms = sd_now_ms() + limit_ms;
    *dropped = 0;
    for (size_t looked = 0; looked < HEADS && sd_left_ms(until_ms) > 0; looked++) {
        if (!sd_lock(&limiter->lock, error))
            return false;
        *dropped += drop_full(limiter, &limiter->heads[limiter->next_head], sd_now_us());
        limiter->next_head = (limiter->next_head + 1) % HEADS;
        sd_unlock(&limiter->lock);
    }
    return true;
}

size_t sd_limiter_buckets(struct sd_limiter *limiter) {
    if (!sd_lock(&limiter->lock, NULL))
        return 0;
    size_t count = limiter->count;
    sd_unlock(&limiter->lock);
    return count;
}
