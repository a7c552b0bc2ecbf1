/* A process at one moment: where its threads are, and the memory that tells what
 * they wait for.  Of a running process or of a core file; neither needs to have been
 * prepared. */
#ifndef LOCKGRAPH_COMMAND_SNAPSHOT_H
#define LOCKGRAPH_COMMAND_SNAPSHOT_H

#include <elfutils/libdwfl.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "pool.h"

/* By DWARF number; the widest processor that is known here has 32. */
enum { SNAPSHOT_REGISTERS = 33 };

/* Headers older than Linux 5.14 do not name it. */
#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

/* A wait in the kernel, as futex(2) was called. */
struct futex_wait {
    bool waits;
    uint64_t address;
    int operation; /* FUTEX_WAIT, FUTEX_LOCK_PI, …; no flags */
    uint32_t value;
    bool limited; /* in time */
    bool again;   /* taken up again: nanosleep(2) and poll(2) may look the same */
};

struct snapshot_thread {
    uint32_t tid;
    uint32_t inner_tid; /* as the process itself knows it: another one in a container */
    const char *name;   /* clean; "" when not known */
    char state;         /* proc(5): 'R', 'S', 'D', 'T', …; 0 when not known */
    bool whole;         /* all registers are known, not only the two that a sleeping thread shows */
    uint64_t pc, sp;
    uint64_t registers[SNAPSHOT_REGISTERS];
    struct futex_wait futex;
};

struct snapshot_piece {
    uint64_t address;
    size_t size;
    const uint8_t *bytes;
};

struct snapshot {
    struct pool *pool;
    pid_t pid;
    pid_t witness; /* live: a thread by which the kernel shows memory and maps; of a main thread that ended it
                      shows none */
    const char *program; /* clean path, or the name that a core file gives */
    uint64_t stopped_us; /* how long the process stood still */
    Dwfl *dwfl;          /* its modules; ended by snapshot_end */
    size_t thread_count; /* the first is the main thread, where it is left */
    struct snapshot_thread *threads;
    size_t piece_count;
    struct snapshot_piece *pieces; /* of memory */
    void *core;                    /* what snapshot_core opened */
};

/* Both fill in a zeroed snapshot whose pool is set; false: `*error` says why in one
 * clean sentence, and nothing is left to end.
 *
 * Stops threads that run or wait in futex(2), which the kernel takes up again by
 * itself, for as long as it takes to copy their stacks.  Other system calls, some of
 * which would return early (signal(7)), are not touched. */
bool snapshot_live(struct snapshot *snapshot, pid_t pid, const char **error);
bool snapshot_core(struct snapshot *snapshot, const char *file, const char **error);
void snapshot_end(struct snapshot *snapshot);

/* False when that memory is not part of it. */
bool snapshot_read(const struct snapshot *snapshot, uint64_t address, void *to, size_t size);

/* ---- for the two of them ---- */

void snapshot_add_thread(struct snapshot *snapshot, const struct snapshot_thread *thread);
void snapshot_add_piece(struct snapshot *snapshot, uint64_t address, const uint8_t *bytes, size_t size);

/* As the kernel lays registers out for NT_PRSTATUS; sets pc, sp and all others. */
void snapshot_set_registers(struct snapshot_thread *thread, const void *registers);
/* futex(2) as it was called, where that is a wait; also where the kernel takes it up
 * again as restart_syscall(2), which leaves the arguments as they were. */
struct futex_wait snapshot_futex(long number, const uint64_t arguments[4]);
/* Whether a system call was waiting, as what its return register holds says. */
bool snapshot_interrupted(const void *registers);

#endif
