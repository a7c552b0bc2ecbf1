/* The engine: events in, findings out.
 *
 * It knows locks, threads, modes and call contexts, and no pthread name.  A
 * front end (interposition, wrapper, or a test without any thread) reports
 * what a thread is about to do and what it did; the engine keeps held stacks,
 * the order graph and the wait-for graph, and reports findings.
 *
 * Threads: an event about thread T is called by T itself, except where said.
 * Any number of threads may call at once.  No call is async-signal-safe by
 * itself: the front end keeps its own re-entry guard.
 *
 * Order of events for one acquisition:
 *   lge_check(request)         before it may block; inserts the dependency and
 *                              looks for cycles
 *   [lge_wait_begin … lge_wait_end]   only when the lock was busy
 *   lge_acquired(request)      once it is held
 *   lge_released(address)      before it is given up
 * A trylock skips lge_check: as a request it can close no cycle.  A condition
 * wait is lge_released, lge_check, the wait, lge_acquired. */
#ifndef LOCKGRAPH_ENGINE_ENGINE_H
#define LOCKGRAPH_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/format.h" /* enum lgr_mode, lgr_kind, lgr_verdict, lgr_severity, lgr_reason, lgr_lock_kind */

struct lge_thread;

struct lge_finding_edge {
    uint64_t from, to; /* as in the evidence: lock ids, or what struct lgr_finding says */
    uint32_t from_class, to_class;
    uint32_t thread; /* serial */
    uint32_t held_context, request_context;
    uint8_t mode_from, mode_to, timed, wait_kind;
    uint32_t held_count;
    const struct lgr_held *held; /* whole held stack, outermost first */
    uint64_t since_realtime_ns;  /* of a wait in a stall; 0: not known */
};
struct lge_finding {
    enum lgr_kind kind;
    enum lgr_verdict verdict;
    enum lgr_severity severity;
    uint32_t problem; /* the same number again: the problem was regraded upwards */
    enum lgr_reason reason_kind;
    uint64_t reason_id;
    bool timed;
    bool recorded; /* in the evidence file, by the time it is told */
    size_t edge_count;
    const struct lge_finding_edge *edges;
    const char *text; /* of kind user: what the program says; else NULL */
};

/* A lock wait that is past its limit, as of now. */
struct lge_overdue {
    uint64_t lock;
    const void *address;
    uint8_t kind; /* enum lgr_lock_kind */
    uint64_t waited_ns;
    uint32_t holder;       /* kernel id of the first of them, or of the thread itself; 0: nobody is known */
    uint32_t holder_known; /* its serial; 0: no thread of this process that is known */
    uintptr_t taken_at;    /* 0: not known */
    uint64_t held_ns;      /* 0: not known */
    bool held_exactly;     /* else at least so long */
    bool at_first;         /* what is said of the holder was so when the wait began */
    uint32_t more_holders;
    uint32_t queue; /* other threads that wait for the lock */
    /* What the holder itself waits for; enum lgr_wait_kind. */
    uint32_t holder_waits;
    uint64_t holder_wants; /* by that kind: lock id, serial of a thread, 0 */
    const void *holder_wants_address;
    bool holder_at_condition; /* it will want that lock once it is woken */
    char holder_name[16];     /* "" where it is not known */
};

/* A hold that lasts longer than allowed. */
struct lge_overlong {
    uint64_t lock;
    const void *address;
    uint8_t kind; /* enum lgr_lock_kind */
    uint64_t lasted_ns, limit_ns;
    uintptr_t taken_at;
    uint32_t holder; /* kernel id; 0: the calling thread */
    bool given_up;   /* now; else it goes on */
};
/* Time limits that follow how long locks are held. */
struct lge_adaptive_limits {
    uint32_t factor_percent; /* of the time that 99 of 100 holds do not last longer than; 0: none of this */
    uint32_t least_ms, most_ms;
};
/* The limit of a class, in an operation, changed. */
struct lge_adapted {
    uint32_t class_id;
    const char *operation;   /* NULL: in none */
    uint32_t from_ms, to_ms; /* from 0: the fixed one */
    uint64_t holds;
    uint64_t p99_ns;
};

/* What is traced of a thread: each request, acquisition and release. */
enum lge_traced { LGE_TRACED_REQUEST, LGE_TRACED_ACQUISITION, LGE_TRACED_RELEASE };

/* A thread that waits for ever, as the front end is asked about it. */
struct lge_sleeper {
    uint32_t tid;
    bool spins;         /* it never sleeps */
    const void *object; /* the lock, condition or barrier; NULL: none */
};
/* Whether those who wait are by themselves. */
enum lge_company {
    LGE_ALONE,
    LGE_UNSETTLED, /* one of them is not asleep (yet, or any more) */
    LGE_LEAVING,   /* a thread that ended still runs its last steps */
    LGE_IN_COMPANY /* a thread that is not known, a signal handler, or another process may end a wait */
};

struct lge_config {
    uint64_t max_memory;    /* bytes for engine state, 0: no limit */
    uint64_t search_budget; /* steps per cycle search */
    uint32_t stack_depth;   /* frames kept per context */
    bool recording;         /* write the evidence file */
    /* Called for every finding as it is made or regraded, on the thread that
     * made it, with engine locks held: it must not call back.  May be NULL. */
    void (*on_finding)(const struct lge_finding *finding, void *user);
    void *user;
    /* Whether the lock with that id still is at that address; reads memory that
     * may be gone, so it must not fault.  Called with engine locks held.  NULL:
     * all are. */
    bool (*lock_alive)(const void *address, uint64_t id, uint8_t kind, uint8_t attributes);
    /* Whether nobody gets a shared hold of the lock at that address before one of
     * its holders gives up: a writer waits, and there are just `shared` holders,
     * none of them granted and not told yet.  Must not fault.  NULL: as the waits
     * say. */
    bool (*shut_out)(const void *address, uint32_t shared);
    /* The thread that runs the routine of that once control at this moment; NULL: none
     * does, or it is not known.  Must not fault. */
    struct lge_thread *(*runs_once)(const void *control);
    /* Whether that thread is in a once routine for certain, by its stack in its wait. */
    bool (*inside_once)(const struct lge_thread *thread, const uintptr_t *frames, size_t count);
    /* After so long a lock wait is told, and again each time so long has passed;
     * 0: never. */
    uint64_t wait_limit_ns;
    /* Tells of it; by the thread that waits, without engine locks.  May be NULL. */
    void (*on_overdue)(const struct lge_overdue *overdue);
    /* How long a lock may be held exclusively, and shared; 0: for ever.  Each time it
     * was longer that is told, by the holder or a thread that waits, without engine
     * locks.  May be NULL. */
    uint64_t hold_limit_ns, hold_limit_shared_ns;
    void (*on_overlong)(const struct lge_overlong *overlong);
    /* Single holds and waits are kept in the evidence from so long on; 0: none. */
    uint64_t timeline_ns;
    /* Told of each step, with the lock's enum lgr_lock_kind and how long the request
     * took, or the hold lasted (0: not known); engine locks may be held.  NULL: nothing
     * is traced. */
    void (*on_traced)(enum lge_traced what, uint64_t lock, const void *address, uint8_t kind, uint64_t ns);
    bool profile; /* holds are timed: hold_times.h */
    struct lge_adaptive_limits adaptive;
    /* Tells of a new limit; on the thread whose hold brought it.  May be NULL. */
    void (*on_adapted)(const struct lge_adapted *adapted);
    /* What but the known threads may end a wait of these.  The caller, who need
     * not sleep, may be among them.  Called without engine locks.  NULL: nobody
     * can tell, and no stall is looked for. */
    enum lge_company (*company)(const struct lge_sleeper *sleepers, size_t count);
    /* Whether the semaphore at that address has no slot left.  Must not fault.
     * NULL: nobody can tell. */
    bool (*exhausted)(const void *address);
    /* Who signalled the condition at that address last (serial), and from where
     * (return address); false: not known.  NULL: never. */
    bool (*last_signal)(const void *condition, uint32_t *thread, uintptr_t *site);
    uint8_t severity_of_kind[LGR_KINDS]; /* by enum lgr_kind: 0 default, 255 off, else an lgr_severity that
                                            overrides */
};

/* Once, before any other call. */
void lge_start(const struct lge_config *config);
/* The same configuration once more, after everything was forgotten. */
void lge_start_again(void);
/* Cycle searches that ran out of budget are taken up again with a larger one;
 * at process exit, on any thread. */
void lge_finish(void);
/* Tests: forgets everything, frees everything; no thread may be in a call. */
void lge_reset(void);

/* ---- threads ---- */

/* A new thread; called by `parent`, or by the thread itself with NULL (the
 * main thread, threads that were not created through us).  Establishes
 * parent's past -> child's start.  Never NULL except out of memory. */
struct lge_thread *lge_thread_new(struct lge_thread *parent, uintptr_t start_routine,
                                  uint32_t creation_context);
/* First event of the thread itself: its kernel id, the end of its stack (0:
 * unknown) and what lies below that without belonging to anybody else. */
void lge_thread_begin(struct lge_thread *thread, uint32_t tid, uintptr_t stack_top, size_t stack_size);
/* The calling thread was not created through us: nobody will tell of its end,
 * so its block is taken back once the kernel knows it no more. */
void lge_thread_adopted(struct lge_thread *thread);
/* Whether the thread of that serial, whose block this was, has begun (and
 * perhaps ended). */
bool lge_thread_begun(const struct lge_thread *thread, uint32_t serial);
/* Whether the thread has ended: what it still runs are destructors. */
bool lge_thread_over(const struct lge_thread *thread);
/* The thread will report no further events. */
void lge_thread_end(struct lge_thread *thread);
/* Nobody will join the thread: its block may be reused once it is gone.  Before
 * or after its end, by anybody. */
void lge_thread_detached(struct lge_thread *thread);
/* `thread` learnt that the thread of that serial, whose block `target` is, ended
 * (after a successful join): its whole past -> what follows.  Ends its life, which
 * may have ended already (detached meanwhile): then nothing happens. */
void lge_thread_joined(struct lge_thread *thread, struct lge_thread *target, uint32_t serial);
/* lge_thread_new failed to start after all. */
void lge_thread_abandon(struct lge_thread *thread);

uint32_t lge_thread_serial(const struct lge_thread *thread);
struct lge_thread *lge_thread_by_tid(uint32_t tid);

/* ---- synchronisation that orders, other than create and join ---- */

/* A point through which one thread's past reaches another's future. */
struct lge_sync;
struct lge_sync *lge_sync_new(void);
void lge_sync_free(struct lge_sync *sync);
/* The caller's past flows into `sync` (accumulates). */
void lge_sync_release(struct lge_thread *thread, struct lge_sync *sync);
/* What flowed into `sync` is before everything that `thread` does from now on. */
void lge_sync_acquire(struct lge_thread *thread, struct lge_sync *sync, enum lgr_reason kind);

/* ---- classes and locks ---- */

#define LGE_CLASS_NONE 0u

uint32_t lge_class_named(const char *name);
uint32_t lge_class_initialised_at(uint32_t context);
/* The same, called so. */
uint32_t lge_class_initialised_as(const char *name, uint32_t context);
uint32_t lge_class_guessed(uint32_t context);
uint32_t lge_class_static(uintptr_t address);
/* The same, but LGE_CLASS_NONE when that class exists already: storage that
 * holds one lock after another is no static variable in the sense of a role. */
uint32_t lge_class_static_first(uintptr_t address);

/* A new lock identity of that class: ids are never reused; the class is part
 * of the id.  Costs no record. */
uint64_t lge_lock_id_new(struct lge_thread *thread, uint32_t class_id);
uint32_t lge_lock_class(uint64_t id);
/* Custom locks, which may have a pthread lock as their first member, are known by an
 * address that nothing else has; and that as a person knows it. */
#define LGE_CUSTOM_ADDRESS ((uintptr_t)1 << 63)
static inline const void *lge_address_shown(const void *address) {
    return (const void *)((uintptr_t)address & ~LGE_CUSTOM_ADDRESS);
}
/* The lock is gone: its instance leaves the order graph. */
void lge_lock_destroyed(uint64_t id);

/* ---- contexts ---- */

/* Interns a call stack of return addresses, innermost first; 0 only when count
 * is 0 or memory is out. */
uint32_t lge_context_intern(const uintptr_t *frames, size_t count, bool partial);

/* ---- acquisitions ---- */

enum lge_request_flags {
    LGE_TIMED = 1u,            /* a time limit that the program itself chose */
    LGE_RECURSIVE = 2u,        /* the lock may be re-acquired by its holder */
    LGE_WRITER_PREFERRED = 4u, /* a shared request queues behind waiting writers; also set for these */
    LGE_TAKEN_BACK = 8u,       /* given up for a wait that ends with it */
    LGE_HOLDERS_UNKNOWN = 64u, /* shared holds of the lock are given back by other threads */
    LGE_OTHERS_HOLD = 128u     /* holds the lock shared, as others do, and wants it exclusively */
};

struct lge_request {
    const void *address;
    uint64_t id;
    uintptr_t site;     /* return address of the locking call; any stable number in tests */
    uintptr_t sp;       /* stack pointer of the caller at the call; 0 in tests */
    uint32_t context;   /* 0: captured by the engine when needed */
    uint8_t mode;       /* enum lgr_mode */
    uint8_t kind;       /* enum lgr_lock_kind */
    uint8_t flags;      /* enum lge_request_flags */
    uint8_t attributes; /* enum lgr_lock_attribute */
};

/* About to request, blocking.  Inserts the dependencies of the held stack and
 * the request, and reports cycles they close. */
void lge_check(struct lge_thread *thread, const struct lge_request *request);
/* Now held. */
void lge_acquired(struct lge_thread *thread, const struct lge_request *request);
/* About to be released: the newest hold of `address`.  False when it is not
 * held by the thread. */
bool lge_released(struct lge_thread *thread, const void *address);
bool lge_holds(const struct lge_thread *thread, const void *address);
size_t lge_held_count(const struct lge_thread *thread);

/* ---- waiting ---- */

/* The lock was busy: publishes that the thread waits, and looks for a wait-for
 * cycle that this closes.  `owner` points to the lock's owner field, a kernel
 * thread id (thread.h: lge_owner_id), read until lge_wait_end; NULL when the lock has none: then the
 * holders are looked for in the held stacks of waiting threads.  A rwlock's
 * tells of a writer, and readers are looked for as well.  True when the
 * thread is part of a deadlock (reported).  Reported at most once per wait. */
bool lge_wait_begin(struct lge_thread *thread, const struct lge_request *request, const int *owner);
/* The same for a semaphore that signals: any thread may post it. */
bool lge_wait_signal(struct lge_thread *thread, const struct lge_request *request);
struct lge_condition_wait {
    const void *condition;
    const _Atomic uint32_t
        *signalled;   /* of those who wait for it; the front end's, readable during the wait */
    uint32_t context; /* of the call */
    bool endless;     /* no limit, and only threads of this process signal it */
};
/* The thread gave `request`'s lock up for a condition and must have it back
 * before it can do anything else: under what else it holds, it waits for that
 * lock's owner, signalled or not.  Published with its stack, for others to find;
 * looks for a stall only.  A wait with a limit by a thread that holds nothing is
 * not to be told. */
bool lge_wait_condition(struct lge_thread *thread, const struct lge_request *request, const int *owner,
                        const struct lge_condition_wait *wait);
/* The same for waiting until `target` ends. */
bool lge_wait_join(struct lge_thread *thread, struct lge_thread *target, uintptr_t site, uintptr_t sp,
                   uint32_t context, bool timed);
/* The same for the once routine of that control, which another thread runs, or this
 * one: then it waits for itself. */
bool lge_wait_once(struct lge_thread *thread, const void *control, uintptr_t site, uintptr_t sp);
/* Waiting at a barrier until *all_here, which is the front end's and stays
 * readable during the wait, is not 0.  Anybody may come and end the wait: it is
 * part of a deadlock only when all threads wait without limit. */
bool lge_wait_barrier(struct lge_thread *thread, const void *barrier, const _Atomic uint32_t *all_here,
                      uintptr_t site, uintptr_t sp);
/* Still waiting after a while: records stacks and the thread's state in the
 * evidence file and looks again. */
bool lge_wait_again(struct lge_thread *thread);
/* Nanoseconds from `now`, on the monotonic clock, until lge_wait_again has something to
 * tell or to look at: 0: any time from now on, UINT64_MAX: never. */
uint64_t lge_wait_left(const struct lge_thread *thread, uint64_t now);
/* Nothing happens when the wait is over already. */
void lge_wait_end(struct lge_thread *thread);
/* A signal handler begins on the thread, which may post, signal or jump away: its wait,
 * if there is one, is none until it is over, and not endless any more.  Then the result
 * is true, and the end of the handler resumes it, unless the handler waited itself.
 * Async-signal-safe. */
bool lge_wait_suspend(struct lge_thread *thread);
void lge_wait_resume(struct lge_thread *thread);

/* ---- figures ---- */

struct lge_figures {
    uint64_t locks, threads, nested, contended, edges, class_edges, dependencies, contexts, findings;
    uint64_t searches, search_steps, reorders, unwrapped, degraded; /* degraded: enum lgr_degraded bits */
};
void lge_figures(struct lge_figures *figures);

#endif
