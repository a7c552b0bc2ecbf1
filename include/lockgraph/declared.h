/* What the program says of a lock: name, level, key, group and time limit.  Part of
 * every lock type of these headers; the program sets it through their macros and
 * init functions, and before other threads can see the lock. */
#ifndef LOCKGRAPH_DECLARED_H
#define LOCKGRAPH_DECLARED_H

#include <stdint.h>
#include <time.h>

/* Time limits in milliseconds. */
#define LG_DEFAULT_TIMEOUT 0
#define LG_NO_TIMEOUT      (-1)

/* A name of the line that it stands in. */
#define LG_JOINED(name, line) name##line
#define LG_JOIN(name, line)   LG_JOINED(name, line)

/* Locks that are set up together; the program's, as long as its locks live. */
typedef struct lg_group {
    const char *name;   /* begins the log lines about its locks: "session 17"; NULL: nothing does */
    int32_t timeout_ms; /* or LG_DEFAULT_TIMEOUT: as the process, LG_NO_TIMEOUT */
    int32_t policy;     /* enum lg_policy, and perhaps LG_MAY_BLOCK */
} lg_group_t;
/* Added to the policy of a group: its locks are meant to be held over calls that
 * block, which are not told (option blocked_limit). */
#define LG_MAY_BLOCK 0x100

/* Objects compiled with and without LOCKGRAPH_DISABLE do not fit together: their
 * locks differ in size.  One absolute symbol with two values makes that an error
 * of the link, and costs nothing. */
#ifdef LOCKGRAPH_DISABLE
__asm__(".globl lg_objects_with_and_without_LOCKGRAPH_DISABLE\n"
        ".hidden lg_objects_with_and_without_LOCKGRAPH_DISABLE\n"
        ".set lg_objects_with_and_without_LOCKGRAPH_DISABLE, 0x4c470002");
#else
__asm__(".globl lg_objects_with_and_without_LOCKGRAPH_DISABLE\n"
        ".hidden lg_objects_with_and_without_LOCKGRAPH_DISABLE\n"
        ".set lg_objects_with_and_without_LOCKGRAPH_DISABLE, 0x4c470001");
#endif

#ifdef LOCKGRAPH_DISABLE
static __inline__ void lg_default_timeout(int32_t ms) { (void)ms; }

#if defined __GLIBC__ && !defined __USE_POSIX199309
/* glibc hides them from those who asked for ISO C alone. */
int clock_gettime(__clockid_t clock, struct timespec *now);
#define LG_CLOCK_MONOTONIC ((__clockid_t)1)
#else
#define LG_CLOCK_MONOTONIC CLOCK_MONOTONIC
#endif

/* `ms` milliseconds from now on the monotonic clock. */
static __inline__ struct timespec lg_after(int32_t ms) {
    struct timespec at = {0, 0};
    if (ms <= 0)
        return at;
    clock_gettime(LG_CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}
#else
struct lg_declared {
    const char *name; /* NULL: none */
    lg_group_t *group;
    uint64_t key;
    int32_t timeout_ms;
    int16_t level;
    uint16_t keyed;
};
/* `name` and `group` stay readable as long as the lock lives. */
#define LG_DECLARED(name, level)                                                                             \
    { (name), (lg_group_t *)0, 0, 0, (int16_t)(level), 0 }
#define LG_DECLARED_KEYED(name, level, key)                                                                  \
    { (name), (lg_group_t *)0, (key), 0, (int16_t)(level), 1 }

#ifdef __cplusplus
extern "C" {
#endif
/* Of the process: 30,000 to begin with; LG_NO_TIMEOUT: locks wait for ever. */
void lg_default_timeout(int32_t ms);
#ifdef __cplusplus
}
#endif
#endif

#endif
