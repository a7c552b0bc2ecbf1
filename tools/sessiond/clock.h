/* Time: monotonic for limits and ages, wall clock for people.  No locks. */
#ifndef SD_CLOCK_H
#define SD_CLOCK_H

#include <stdint.h>

int64_t sd_now_ms(void);  /* CLOCK_MONOTONIC */
int64_t sd_now_us(void);  /* CLOCK_MONOTONIC */
int64_t sd_wall_ms(void); /* since 1970 */
int64_t sd_thread_cpu_us(void);
/* What is left until `at_ms` (sd_now_ms), for the limit of a call: 0 to INT32_MAX. */
int32_t sd_left_ms(int64_t at_ms);

#endif
