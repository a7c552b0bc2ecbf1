#include "clock.h"

#define SECOND 1000000000u

uint64_t clock_now_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

const char *clock_words(struct pool *pool, uint64_t realtime_ns, const char *form) {
    enum { ROOM = 32 };
    time_t seconds = (time_t)(realtime_ns / SECOND);
    struct tm local;
    char *text = pool_alloc(pool, ROOM);
    if (!localtime_r(&seconds, &local) || strftime(text, ROOM, form, &local) == 0)
        return "";
    return text;
}
