#include "histogram.h"

enum { FIRST_US = 16 };

static int64_t next_limit(int64_t limit) { return limit + limit / 4; }

int64_t sd_histogram_limit_us(int bucket) {
    int64_t limit = FIRST_US;
    while (bucket-- > 0)
        limit = next_limit(limit);
    return limit;
}

void sd_histogram_add(struct sd_histogram *histogram, int64_t us) {
    uint64_t value = us < 0 ? 0 : (uint64_t)us;
    int bucket = 0;
    for (int64_t limit = FIRST_US; us > limit && bucket < SD_HISTOGRAM_BUCKETS - 1; bucket++)
        limit = next_limit(limit);
    histogram->buckets[bucket]++;
    histogram->count++;
    histogram->sum_us += value;
    if (value > histogram->most_us)
        histogram->most_us = value;
}

int64_t sd_histogram_quantile(const struct sd_histogram *histogram, int percent) {
    uint64_t rank = (histogram->count * (uint64_t)percent + 99) / 100, seen = 0;
    int bucket = 0;
    if (histogram->count == 0)
        return 0;
    for (; bucket < SD_HISTOGRAM_BUCKETS - 1; bucket++) {
        seen += histogram->buckets[bucket];
        if (seen >= rank)
            break;
    }
    int64_t limit = sd_histogram_limit_us(bucket), most = (int64_t)histogram->most_us;
    return limit < most && bucket < SD_HISTOGRAM_BUCKETS - 1 ? limit : most;
}
