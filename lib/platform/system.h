/* Kernel services by raw system call: no errno is touched, no cancellation
 * point is added, nothing interposed is called. */
#ifndef LOCKGRAPH_PLATFORM_SYSTEM_H
#define LOCKGRAPH_PLATFORM_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* System call that returns its result or -errno.  Inline assembly on x86-64
 * and aarch64, so that libc's errno is not written. */
long lgp_syscall(long number, long a, long b, long c, long d, long e, long f);
/* For calls that return addresses: the last page of them are error numbers. */
static inline bool lgp_is_error(long result) { return result < 0 && result >= -4095; }

/* libc's clock_gettime, looked up in libc itself: it reads the vDSO, and a
 * program may have a clock_gettime of its own.  From the constructor. */
void lgp_clock_start(int (*function)(clockid_t, struct timespec *));
uint64_t lgp_monotonic_ns(void); /* vDSO clock_gettime through libc: touches no errno */
uint64_t lgp_realtime_ns(void);
uint64_t lgp_coarse_ns(void); /* monotonic, to a few milliseconds, and cheaper */
uint32_t lgp_pid(void);       /* system call, not cached */
uint32_t lgp_tid(void);       /* system call, not cached */
/* To be read, closed at exec; `flags` besides.  A descriptor; < 0: errno negated. */
long lgp_open_to_read(const char *path, int flags);
void lgp_close(long descriptor);
/* /proc/self/maps, or the same by the calling thread where the main thread, by which the
 * kernel shows it, has ended.  A descriptor to be closed; < 0: errno negated. */
long lgp_open_maps(void);
/* Whether the calling thread may run on more than one processor. */
bool lgp_several_processors(void);
/* For loops that wait for another processor. */
static inline void lgp_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield" ::: "memory");
#endif
}
/* True when `tid` is a live thread of this process.  A main thread that called
 * pthread_exit while others run on still counts as one. */
bool lgp_thread_alive(uint32_t tid);
/* The calling thread's kernel name, at most 16 bytes with terminator. */
void lgp_thread_name(char name[16]);
/* That of another thread of the process; "" when it is gone or not told. */
void lgp_thread_name_of(uint32_t tid, char name[16]);
/* The same file on a number that programs which close or reuse descriptors
 * leave alone; `descriptor` itself when there is none.  Close-on-exec. */
int lgp_high_descriptor(int descriptor);

#endif
