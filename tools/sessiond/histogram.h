/* A histogram of durations in microseconds: buckets that grow by a quarter from 16 µs to
 * some minutes, so a quantile is right to about 12 %.  Whoever owns it locks it. */
#ifndef SD_HISTOGRAM_H
#define SD_HISTOGRAM_H

#include <stdint.h>

enum { SD_HISTOGRAM_BUCKETS = 84 };

struct sd_histogram {
    uint64_t count, sum_us, most_us;
    uint32_t buckets[SD_HISTOGRAM_BUCKETS];
};

void sd_histogram_add(struct sd_histogram *histogram, int64_t us);
/* In microseconds; 0 where nothing was added. `percent` is 50, 95, 99 … */
int64_t sd_histogram_quantile(const struct sd_histogram *histogram, int percent);
/* The upper end of a bucket. */
int64_t sd_histogram_limit_us(int bucket);

#endif
