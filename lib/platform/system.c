#include "platform/system.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "platform/print.h"

#if defined(__x86_64__)
long lgp_syscall(long number, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
long lgp_syscall(long number, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc #0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory", "cc");
    return x0;
}
#else
#error "lockgraph has system calls for x86-64 and aarch64 only"
#endif

/* libc's own, never the program's or another interposer's; written once by the
 * constructor.  The system call serves until then. */
static int (*libc_clock)(clockid_t, struct timespec *);

void lgp_clock_start(int (*function)(clockid_t, struct timespec *)) { libc_clock = function; }

static uint64_t clock_ns(clockid_t clock) {
    struct timespec now = {0, 0};
    if (libc_clock == NULL || libc_clock(clock, &now) != 0)
        lgp_syscall(SYS_clock_gettime, clock, (long)&now, 0, 0, 0, 0);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t lgp_monotonic_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

uint64_t lgp_coarse_ns(void) { return clock_ns(CLOCK_MONOTONIC_COARSE); }

uint64_t lgp_realtime_ns(void) { return clock_ns(CLOCK_REALTIME); }

uint32_t lgp_pid(void) { return (uint32_t)lgp_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0); }

uint32_t lgp_tid(void) { return (uint32_t)lgp_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0); }

long lgp_open_to_read(const char *path, int flags) {
    return lgp_syscall(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC | flags, 0, 0, 0);
}

void lgp_close(long descriptor) { lgp_syscall(SYS_close, descriptor, 0, 0, 0, 0, 0); }

/* Not by the thread at once: emulators show their guest's by the first name only. */
long lgp_open_maps(void) {
    char first;
    long descriptor = lgp_open_to_read("/proc/self/maps", 0);
    if (descriptor >= 0 && lgp_syscall(SYS_read, descriptor, (long)&first, 1, 0, 0, 0) == 1) {
        lgp_syscall(SYS_lseek, descriptor, 0, SEEK_SET, 0, 0, 0);
        return descriptor;
    }
    if (descriptor >= 0)
        lgp_close(descriptor);
    return lgp_open_to_read("/proc/thread-self/maps", 0);
}

/* Unknown (more of them than fit, or forbidden): several. */
bool lgp_several_processors(void) {
    uint64_t set[128] = {0};
    long size = lgp_syscall(SYS_sched_getaffinity, 0, sizeof set, (long)set, 0, 0, 0);
    unsigned processors = 0;
    for (size_t i = 0; size > 0 && i < (size_t)size / sizeof set[0]; i++)
        processors += (unsigned)__builtin_popcountll(set[i]);
    return processors != 1;
}

/* A sandbox that forbids tgkill answers EPERM: then the thread counts as alive,
 * since taking a live one for dead would drop its held locks. */
bool lgp_thread_alive(uint32_t tid) {
    long result = lgp_syscall(SYS_tgkill, (long)lgp_pid(), (long)tid, 0, 0, 0, 0);
    return result == 0 || result == -EPERM;
}

void lgp_thread_name(char name[16]) {
    name[0] = '\0';
    lgp_syscall(SYS_prctl, PR_GET_NAME, (long)name, 0, 0, 0, 0);
    name[15] = '\0';
}

/* /proc/<pid>/task/<tid>/comm, proc(5): the name and a line's end. */
void lgp_thread_name_of(uint32_t tid, char name[16]) {
    char path[48];
    struct lgp_text text = {path, sizeof path, 0};
    name[0] = '\0';
    lgp_format(&text, "/proc/self/task/%u/comm", tid);
    long descriptor = lgp_open_to_read(path, 0);
    if (descriptor < 0)
        return;
    long length = lgp_syscall(SYS_read, descriptor, (long)name, 16, 0, 0, 0);
    lgp_close(descriptor);
    name[length > 0 ? length - 1 : 0] = '\0';
}

int lgp_high_descriptor(int descriptor) {
    enum { HIGH = 900, SPARE = 16 };
    struct rlimit limit = {1024, 1024};
    lgp_syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, (long)&limit, 0, 0);
    long floor = limit.rlim_cur > HIGH + SPARE ? HIGH : (long)limit.rlim_cur - SPARE;
    if (floor <= descriptor)
        return descriptor;
    long high = lgp_syscall(SYS_fcntl, descriptor, F_DUPFD_CLOEXEC, floor, 0, 0, 0);
    if (high < 0)
        return descriptor;
    lgp_close(descriptor);
    return (int)high;
}
