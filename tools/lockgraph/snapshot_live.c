/* The snapshot of a running process, through proc(5) and ptrace(2). */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "snapshot.h"
#include "text.h"

enum { PAGE = 4096, STACK_PAGES = 128, RED_ZONE = 128, AROUND_FUTEX = 64 };

/* One thread on the way into the snapshot. */
struct target {
    struct snapshot_thread thread;
    uint32_t listed; /* its kernel id; in `thread` 0 once it ended */
    bool seized, stopped;
    int signal; /* that was about to be delivered, and is given back */
};
struct targets {
    struct target *items;
    size_t count;
};

/* ---- proc(5) ---- */

static uint64_t now_us(void) { return clock_now_ns(CLOCK_MONOTONIC) / 1000; }

static bool read_line(const char *path, char *line, size_t size) {
    FILE *file = fopen(path, "re");
    bool got = file && fgets(line, (int)size, file);
    if (file)
        fclose(file);
    if (got)
        line[strcspn(line, "\n")] = '\0';
    return got;
}

static bool read_task_line(pid_t pid, uint32_t tid, const char *what, char *line, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%u/%s", (int)pid, tid, what);
    return read_line(path, line, size);
}

/* "number a0 a1 a2 a3 a4 a5 sp pc", "-1 sp pc" or "running". */
struct call {
    long number; /* -1: blocked outside of any */
    uint64_t arguments[6], sp, pc;
};
enum { RUNS = -2 }; /* or cannot be looked at */

static struct call call_of(pid_t pid, uint32_t tid) {
    char line[256];
    struct call call = {.number = RUNS};
    unsigned long long a[6] = {0}, sp = 0, pc = 0;
    long number = 0;
    if (!read_task_line(pid, tid, "syscall", line, sizeof line))
        return call;
    int got = sscanf(line, "%ld %llx %llx %llx %llx %llx %llx %llx %llx", &number, &a[0], &a[1], &a[2], &a[3],
                     &a[4], &a[5], &sp, &pc);
    if (got == 9) {
        for (int i = 0; i < 6; i++)
            call.arguments[i] = a[i];
        call.sp = sp;
        call.pc = pc;
    }
    if (got == 9 || got == 3)
        call.number = got == 9 ? number : -1;
    return call;
}

/* State and flags in /proc/PID/task/TID/stat; a state of 0: it is gone. */
struct task_stat {
    char state;
    unsigned flags;
};

static struct task_stat stat_of(pid_t pid, uint32_t tid) {
    char line[512];
    struct task_stat stat = {0};
    const char *end = read_task_line(pid, tid, "stat", line, sizeof line) ? strrchr(line, ')') : NULL;
    if (end)
        sscanf(end + 1, " %c %*d %*d %*d %*d %*d %u", &stat.state, &stat.flags);
    return stat;
}

/* Ended, and only not yet waited for: may not be looked at, whoever asks. */
static bool is_over(pid_t pid, uint32_t tid) {
    char state = stat_of(pid, tid).state;
    return state == 0 || state == 'Z' || state == 'X';
}

static bool is_of_kernel(pid_t pid) {
    enum { PF_KTHREAD = 0x00200000 }; /* Linux, include/linux/sched.h */
    return (stat_of(pid, (uint32_t)pid).flags & PF_KTHREAD) != 0;
}

/* A number in a line of /proc/PID/task/TID/status, the last of several; 0: none. */
static uint32_t status_number(pid_t pid, uint32_t tid, const char *name) {
    char path[64], line[256];
    uint32_t number = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%u/status", (int)pid, tid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        const char *last = strrchr(line, '\t');
        if (strncmp(line, name, strlen(name)) == 0 && last)
            number = (uint32_t)strtoul(last, NULL, 10);
    }
    if (file)
        fclose(file);
    return number;
}

/* ---- stopping ---- */

static bool known(const struct targets *targets, uint32_t tid) {
    for (size_t i = 0; i < targets->count; i++)
        if (targets->items[i].listed == tid)
            return true;
    return false;
}

/* What runs may make threads; what waits in another call than futex may not be
 * disturbed. */
static bool to_be_stopped(const struct call *call) {
    return call->number < 0 || call->number == SYS_futex || call->number == SYS_restart_syscall;
}

/* Nothing else is asked before it stands still: each thread waits for all others. */
static bool add_target(struct snapshot *snapshot, struct targets *targets, uint32_t tid) {
    struct call call = call_of(snapshot->pid, tid);
    struct target target = {.thread = {.tid = tid, .name = "", .pc = call.pc, .sp = call.sp}};
    target.thread.state = call.number == RUNS ? 'R' : 'S';
    if (to_be_stopped(&call)) {
        target.seized = ptrace(PTRACE_SEIZE, (pid_t)tid, NULL, NULL) == 0;
        int why = target.seized ? 0 : errno;
        if (!target.seized && why != ESRCH && !is_over(snapshot->pid, tid)) {
            errno = why;
            return false;
        }
        if (target.seized)
            ptrace(PTRACE_INTERRUPT, (pid_t)tid, NULL, NULL);
        else
            target.thread.tid = 0;
    }
    target.listed = tid;
    targets->items = checked_resize(targets->items, targets->count + 1, sizeof *targets->items);
    targets->items[targets->count++] = target;
    return true;
}

/* Returns how many were new; negative: errno says why not. */
static long add_new_targets(struct snapshot *snapshot, struct targets *targets) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)snapshot->pid);
    DIR *directory = opendir(path);
    long added = directory ? 0 : -1;
    for (struct dirent *entry; added >= 0 && (entry = readdir(directory)) != NULL;) {
        uint32_t tid = (uint32_t)strtoul(entry->d_name, NULL, 10);
        if (tid == 0 || known(targets, tid))
            continue;
        added = add_target(snapshot, targets, tid) ? added + 1 : -1;
    }
    int saved = errno;
    if (directory)
        closedir(directory);
    errno = saved;
    return added;
}

/* The end of a child of our own is left for whoever waits for it: `lockgraph run`. */
static bool is_end_of_child(pid_t pid, pid_t tid, const siginfo_t *what) {
    return what->si_pid == tid && tid == pid && what->si_code != CLD_TRAPPED &&
           what->si_code != CLD_STOPPED && status_number(pid, (uint32_t)pid, "PPid:") == (uint32_t)getpid();
}

/* As waitpid(2) without hanging; negative: it ended, and is not to be waited for. */
static pid_t wait_unless_child(pid_t pid, pid_t tid, int *status) {
    siginfo_t what = {0};
    int got = waitid(P_PID, (id_t)tid, &what, WEXITED | WSTOPPED | WNOHANG | WNOWAIT | __WALL);
    if (got == 0 && is_end_of_child(pid, tid, &what))
        return -1;
    return waitpid(tid, status, __WALL | WNOHANG);
}

/* One that cannot be stopped, as in a page fault on a file system that does not
 * answer, is not waited for: it is let go when this process ends. */
static pid_t wait_a_while(pid_t pid, pid_t tid, int *status) {
    enum { PATIENCE_US = 500000, PAUSE_US = 200 };
    pid_t changed = 0;
    for (uint64_t start = now_us(); changed == 0 && now_us() - start < PATIENCE_US;) {
        changed = wait_unless_child(pid, tid, status);
        if (changed == 0)
            usleep(PAUSE_US);
    }
    return changed;
}

static void wait_for_stop(pid_t pid, struct target *target) {
    int status;
    if (!target->seized || target->stopped)
        return;
    pid_t changed = wait_a_while(pid, (pid_t)target->thread.tid, &status);
    if (changed == 0) {
        target->seized = false;
        return;
    }
    if (changed < 0 || !WIFSTOPPED(status)) {
        target->seized = false; /* it ended */
        target->thread.tid = 0;
        return;
    }
    target->stopped = true;
    if (status >> 16 == 0)
        target->signal = WSTOPSIG(status);
}

static bool any_left(const struct targets *targets) {
    for (size_t i = 0; i < targets->count; i++)
        if (targets->items[i].thread.tid != 0)
            return true;
    errno = ESRCH;
    return false;
}

/* Until nobody is left who could make another thread. */
static bool stop_all(struct snapshot *snapshot, struct targets *targets) {
    for (;;) {
        long added = add_new_targets(snapshot, targets);
        int why = errno;
        for (size_t i = 0; i < targets->count; i++)
            wait_for_stop(snapshot->pid, &targets->items[i]);
        errno = why;
        if (added <= 0)
            return added == 0 && any_left(targets);
    }
}

static void let_go(const struct targets *targets) {
    for (size_t i = 0; i < targets->count; i++)
        if (targets->items[i].stopped)
            ptrace(PTRACE_DETACH, (pid_t)targets->items[i].thread.tid, NULL,
                   (void *)(intptr_t)targets->items[i].signal);
}

/* ---- copying ---- */

/* Page by page, up to the first that cannot be read. */
static void copy_memory(struct snapshot *snapshot, uint64_t from, size_t pages) {
    struct iovec local, remote[STACK_PAGES];
    uint8_t *bytes = checked_resize(NULL, pages, PAGE);
    local = (struct iovec){bytes, pages * PAGE};
    for (size_t i = 0; i < pages; i++)
        remote[i] = (struct iovec){(void *)(uintptr_t)(from + i * PAGE), PAGE};
    ssize_t got = process_vm_readv(snapshot->witness, &local, 1, remote, pages, 0);
    if (got > 0) {
        uint8_t *kept = pool_alloc(snapshot->pool, (size_t)got);
        memcpy(kept, bytes, (size_t)got);
        snapshot_add_piece(snapshot, from, kept, (size_t)got);
    }
    free(bytes);
}

static void copy_stack(struct snapshot *snapshot, const struct snapshot_thread *thread) {
    if (thread->sp > RED_ZONE)
        copy_memory(snapshot, (thread->sp - RED_ZONE) & ~(uint64_t)(PAGE - 1), STACK_PAGES);
}

/* A lock may lie across two pages. */
static void copy_lock(struct snapshot *snapshot, const struct futex_wait *futex) {
    uint64_t from = (futex->address - AROUND_FUTEX) & ~(uint64_t)(PAGE - 1);
    if (futex->waits && futex->address > AROUND_FUTEX)
        copy_memory(snapshot, from, futex->address + AROUND_FUTEX >= from + PAGE ? 2 : 1);
}

static void look_at(struct snapshot *snapshot, struct target *target) {
    struct user_regs_struct registers;
    struct iovec room = {&registers, sizeof registers};
    struct snapshot_thread *thread = &target->thread;
    if (target->stopped &&
        ptrace(PTRACE_GETREGSET, (pid_t)thread->tid, (void *)1 /* NT_PRSTATUS */, &room) == 0) {
        struct call call = call_of(snapshot->pid, thread->tid);
        snapshot_set_registers(thread, &registers);
        if (snapshot_interrupted(&registers))
            thread->futex = snapshot_futex(call.number, call.arguments);
    }
    copy_stack(snapshot, thread);
    copy_lock(snapshot, &thread->futex);
}

/* ---- the whole ---- */

static const char *kernel_thread(const struct snapshot *snapshot) {
    return pool_printf(snapshot->pool, "process %d is a thread of the kernel: it has no stack of a program",
                       (int)snapshot->pid);
}

static const char *why_not(struct snapshot *snapshot) {
    if (errno == ENOSYS)
        return pool_printf(
            snapshot->pool,
            "process %d cannot be looked at: ptrace(2) is missing here, as in some sandboxes and "
            "emulators",
            (int)snapshot->pid);
    bool forbidden = errno == EPERM || errno == EACCES;
    if (is_of_kernel(snapshot->pid))
        return kernel_thread(snapshot);
    uint32_t tracer = forbidden ? status_number(snapshot->pid, (uint32_t)snapshot->pid, "TracerPid:") : 0;
    if (tracer)
        return pool_printf(snapshot->pool,
                           "process %d is traced by process %u, a debugger perhaps: end that first",
                           (int)snapshot->pid, tracer);
    if (forbidden)
        return pool_printf(snapshot->pool,
                           "may not look at process %d: be its user or root, and see "
                           "/proc/sys/kernel/yama/ptrace_scope (0 lets a user look at all of its own)",
                           (int)snapshot->pid);
    bool zombie = stat_of(snapshot->pid, (uint32_t)snapshot->pid).state == 'Z';
    return pool_printf(snapshot->pool,
                       zombie ? "process %d has ended, and its parent does not know yet"
                              : "there is no process %d",
                       (int)snapshot->pid);
}

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_linux_proc_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
};

/* 0: they are there; else errno, or -1: see dwfl_errmsg. */
static int find_modules(struct snapshot *snapshot) {
    snapshot->dwfl = dwfl_begin(&callbacks);
    int why = snapshot->dwfl ? dwfl_linux_proc_report(snapshot->dwfl, snapshot->witness) : -1;
    return why ? why : dwfl_report_end(snapshot->dwfl, NULL, NULL);
}

/* One that is killed loses its memory before it counts as ended; a thread of the kernel,
 * which has no program, never had any. */
static const char *why_no_modules(const struct snapshot *snapshot, int why) {
    if (is_of_kernel(snapshot->pid))
        return kernel_thread(snapshot);
    if (why == ESRCH || why == ENOENT || is_over(snapshot->pid, (uint32_t)snapshot->pid))
        return pool_printf(snapshot->pool, "process %d has just ended", (int)snapshot->pid);
    return pool_printf(snapshot->pool, "the modules of process %d cannot be read: %s", (int)snapshot->pid,
                       why > 0 ? strerror(why) : dwfl_errmsg(-1));
}

static const char *program_of(struct snapshot *snapshot) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/%d/exe", (int)snapshot->witness);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    return text_clean(snapshot->pool, path);
}

static const char *name_of(struct snapshot *snapshot, uint32_t tid) {
    char name[64] = "";
    read_task_line(snapshot->pid, tid, "comm", name, sizeof name);
    return text_clean(snapshot->pool, name);
}

/* The main thread first. */
static void keep(struct snapshot *snapshot, const struct targets *targets) {
    for (int main_thread = 1; main_thread >= 0; main_thread--)
        for (size_t i = 0; i < targets->count; i++) {
            struct snapshot_thread thread = targets->items[i].thread;
            if (thread.tid == 0 || (thread.tid == (uint32_t)snapshot->pid) != (main_thread == 1))
                continue;
            thread.name = name_of(snapshot, thread.tid);
            thread.inner_tid = status_number(snapshot->pid, thread.tid, "NSpid:");
            if (thread.inner_tid == 0)
                thread.inner_tid = thread.tid;
            snapshot_add_thread(snapshot, &thread);
        }
}

/* The main thread, unless it has ended before the others. */
static pid_t witness_of(const struct snapshot *snapshot, const struct targets *targets) {
    pid_t witness = snapshot->pid;
    for (size_t i = 0; i < targets->count; i++) {
        uint32_t tid = targets->items[i].thread.tid;
        if (targets->items[i].stopped && tid == (uint32_t)snapshot->pid)
            return snapshot->pid;
        if (targets->items[i].stopped && witness == snapshot->pid)
            witness = (pid_t)tid;
    }
    return witness;
}

bool snapshot_live(struct snapshot *snapshot, pid_t pid, const char **error) {
    struct targets targets = {0};
    snapshot->pid = pid;
    uint64_t start = now_us();
    errno = ESRCH; /* where there is nobody to stop */
    bool stopped = stop_all(snapshot, &targets);
    if (!stopped)
        *error = why_not(snapshot);
    snapshot->witness = witness_of(snapshot, &targets);
    for (size_t i = 0; stopped && i < targets.count; i++)
        look_at(snapshot, &targets.items[i]);
    let_go(&targets);
    snapshot->stopped_us = now_us() - start;
    snapshot->program = program_of(snapshot);
    int why = stopped ? find_modules(snapshot) : 0;
    if (why) {
        *error = why_no_modules(snapshot, why);
        stopped = false;
    }
    if (stopped)
        keep(snapshot, &targets);
    else
        snapshot_end(snapshot);
    free(targets.items);
    return stopped;
}
