#include "clock.h"

#include <time.h>

static int64_t read_us(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t sd_now_us(void) { return read_us(CLOCK_MONOTONIC); }
int64_t sd_now_ms(void) { return read_us(CLOCK_MONOTONIC) / 1000; }
int64_t sd_wall_ms(void) { return read_us(CLOCK_REALTIME) / 1000; }
int64_t sd_thread_cpu_us(void) { return read_us(CLOCK_THREAD_CPUTIME_ID); }

int32_t sd_left_ms(int64_t at_ms) {
    int64_t left = at_ms - sd_now_ms();
    if (left < 0)
        return 0;
    return left > INT32_MAX ? INT32_MAX : (int32_t)left;
}
