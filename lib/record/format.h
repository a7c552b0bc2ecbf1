/* The evidence file (.lgd): layout on disk, shared by the writer in the
 * runtime and the reader in the command.
 *
 * A file is one fixed header followed by records, appended one after another.
 * It is valid at every instant: a record counts only once its first word is
 * stored (release), so a file can be read while the program runs, after
 * SIGKILL, or from a truncated copy.
 *
 * Version rule.  Raise LGR_VERSION when a reader of the old version would
 * misread a new file: a field moved or changed its meaning, a record type was
 * reused.  Do not raise it for a new record type (readers skip unknown types),
 * for new bytes at the end of a record (behind its strings; readers pass over
 * what they do not know), for a new value of an enumeration (readers count such
 * a record as unknown; a finding of a new kind they keep) or for a new feature
 * bit.  Raise LGR_OLDEST only when the reader drops support.
 *
 * All integers have the byte order and the word size named in the header;
 * every struct here is made of naturally aligned fixed-size fields, so the
 * layout is the same on all machines this runs on. */
#ifndef LOCKGRAPH_RECORD_FORMAT_H
#define LOCKGRAPH_RECORD_FORMAT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "record/figures.h"

#define LGR_MAGIC         "LOCKGRPH" /* 8 bytes, no terminator */
#define LGR_VERSION       1u
#define LGR_OLDEST        1u
#define LGR_LITTLE_ENDIAN 1u
#define LGR_BIG_ENDIAN    2u

/* Records start at a multiple of LGR_ALIGN and are a multiple of it long. */
#define LGR_ALIGN 8u
/* A record never straddles a multiple of LGR_CHUNK; the rest of a chunk that
 * is too short for the next record is filled by one LGR_PAD record.  A record
 * larger than a chunk cannot be written: the writer splits or shortens. */
#define LGR_CHUNK (256u * 1024u)

/* How the recorded process image ended (header field `ended`). */
enum lgr_end { LGR_RUNNING = 0, LGR_EXITED = 1, LGR_EXECED = 2 };

/* Why recording is incomplete (header field `degraded`, a set of bits). */
enum lgr_degraded {
    LGR_DEGRADED_DISK = 1u << 0,     /* disk full or not writable: recording ended */
    LGR_DEGRADED_MAX_DATA = 1u << 1, /* max_data reached: only findings from then on */
    LGR_DEGRADED_MEMORY = 1u << 2,   /* memory budget spent: oldest dead evidence dropped */
    LGR_DEGRADED_SEARCH = 1u << 3,   /* a cycle search ran out of its work budget */
    LGR_DEGRADED_FILE = 1u << 4,     /* the program closed or replaced our descriptor */
    LGR_DEGRADED_UNWIND = 1u << 5,   /* stacks are incomplete: no unwinder could be loaded */
    LGR_DEGRADED_LEFT = 1u << 6,     /* a signal handler left the runtime half-way: nothing from then on */
};

/* Fixed header.  Written once by the process that owns the file, except the
 * fields marked live, which the owner updates with relaxed stores and readers
 * load whenever they look. */
struct lgr_header {
    char magic[8];
    uint16_t version;     /* LGR_VERSION of the writer */
    uint16_t word_size;   /* 4 or 8 */
    uint16_t endian;      /* LGR_LITTLE_ENDIAN or LGR_BIG_ENDIAN */
    uint16_t machine;     /* ELF e_machine */
    uint32_t header_size; /* records start here */
    uint32_t features;    /* reserved feature bits, 0 */
    uint32_t pid;
    uint32_t ppid;
    uint64_t start_realtime_ns;  /* CLOCK_REALTIME at start */
    uint64_t start_monotonic_ns; /* CLOCK_MONOTONIC at the same moment */

    /* live: */
    _Atomic uint64_t end_realtime_ns;     /* 0 while running (or killed) */
    _Atomic uint32_t ended;               /* enum lgr_end */
    _Atomic int32_t exit_status;          /* valid when ended == LGR_EXITED */
    _Atomic uint32_t degraded;            /* bits of enum lgr_degraded */
    _Atomic uint32_t findings;            /* LGR_FINDING records committed */
    _Atomic uint32_t deadlocks;           /* of those, with verdict actual */
    _Atomic uint32_t heartbeats;          /* LGR_HEARTBEAT records committed */
    _Atomic uint64_t locks;               /* distinct locks seen */
    _Atomic uint64_t threads;             /* threads seen */
    _Atomic uint64_t nested_acquisitions; /* taken while another lock was held; a lower bound while running */
    _Atomic uint64_t unwrapped;           /* events that could not be tracked */
    _Atomic uint64_t dropped;             /* records not written (max_data, disk) */
    _Atomic uint64_t contended;           /* acquisitions that had to wait */
    _Atomic uint64_t instance_edges;      /* ordered pairs of locks seen */
    _Atomic uint64_t edges;               /* LGR_EDGE records committed */

    uint64_t run;    /* the `lockgraph run` it belongs to; 0: none, or not known */
    uint64_t family; /* the same in all that were forked, without exec, one from another; 0: not known */
    uint64_t reserved2[3];
};

/* First word of each record.  size is the commit word, stored last.  It counts
 * the whole record including this word, is a multiple of LGR_ALIGN, and is 0 in
 * space not yet written: a reader stops there. */
struct lgr_record {
    uint32_t size;
    uint16_t type;  /* enum lgr_type */
    uint16_t flags; /* 0; meaning per type */
};

enum lgr_type {
    LGR_PAD = 1,
    LGR_PROCESS = 2,
    LGR_MODULE = 3,
    LGR_CONTEXT = 4,
    LGR_CLASS = 5,
    LGR_LOCK = 6,
    LGR_THREAD = 7,
    LGR_THREAD_NAME = 8,
    LGR_EDGE = 9,
    LGR_FINDING = 10,
    LGR_THREAD_STATE = 11,
    LGR_MESSAGE = 12,
    LGR_LOCK_STATS = 13,
    LGR_CONDITION = 14,
    LGR_HEARTBEAT = 15,
    LGR_USAGE = 16,
    LGR_LEVEL_NAME = 17,
    LGR_SEEN = 18,
    LGR_THREAD_WAITS = 19,
    LGR_SPANS = 20,
};

/* Ids: of several records with one id (one serial, one lock's totals, one level) the last
 * one counts, so a record is amended by writing it again.  An id may be named
 * whose record was never written (max_data).
 *
 * Strings: length in bytes, then the bytes, no terminator; they stand at the
 * end of their record, in the order of their length fields, unpadded. */

struct lgr_process {
    struct lgr_record record;
    uint32_t exe_length;     /* absolute path of the executable */
    uint32_t cmdline_length; /* arguments separated by NUL */
    uint32_t options_length; /* effective options, key=val:key=val */
    uint32_t tool_length;    /* name and version of the writer */
};

/* One mapped ELF object.  Frames name it by id; ids count from 1 in order of
 * discovery, 0 means "no module" (offset is then an absolute address). */
struct lgr_module {
    struct lgr_record record;
    uint32_t id;
    uint32_t build_id_length; /* bytes, raw; 0 when there is none */
    uint64_t start;           /* first mapped address */
    uint64_t end;             /* first address after it */
    uint64_t bias;            /* runtime address minus ELF virtual address */
    uint32_t path_length;     /* followed by: build id, path */
    uint32_t reserved;
};

/* A program location: a module and the ELF virtual address in it (runtime
 * address minus bias); module 0: an absolute address. */
struct lgr_location {
    uint32_t module;
    uint32_t reserved;
    uint64_t offset;
};

/* A call stack, innermost frame first.  Frames are return addresses (look up
 * offset - 1), except that frame 0 of an LGR_CONTEXT is, too, the return
 * address of the locking call.  Ids count from 1; 0 means "not known". */
struct lgr_context {
    struct lgr_record record;
    uint32_t id;
    uint32_t frame_count;
    uint32_t flags; /* LGR_CONTEXT_PARTIAL */
    uint32_t reserved;
    struct lgr_location frames[];
};
enum { LGR_CONTEXT_PARTIAL = 1u }; /* only the innermost frame is known */

enum lgr_class_kind {
    LGR_CLASS_NAMED = 1,  /* declared name */
    LGR_CLASS_INIT = 2,   /* initialisation call: context */
    LGR_CLASS_STATIC = 3, /* static variable: variable */
    LGR_CLASS_GUESS = 4,  /* first-acquisition site: context */
};
struct lgr_class {
    struct lgr_record record;
    uint32_t id; /* from 1 */
    uint16_t kind;
    int16_t level;                /* INT16_MIN: none declared */
    uint32_t context;             /* INIT, GUESS */
    uint32_t name_length;         /* NAMED */
    struct lgr_location variable; /* STATIC */
};

enum lgr_lock_kind {
    LGR_LOCK_MUTEX = 1,
    LGR_LOCK_RWLOCK = 2,
    LGR_LOCK_SPIN = 3,
    LGR_LOCK_SEMAPHORE = 4,
    LGR_LOCK_CUSTOM = 5,
    LGR_LOCK_FILE = 6,
};
/* A lock instance.  Written when it first appears in an LGR_EDGE, in a finding or
 * in a thread state; others are counted, not listed. */
struct lgr_lock {
    struct lgr_record record;
    uint64_t id; /* never reused within a process */
    uint64_t address;
    uint32_t class_id;
    uint16_t kind;       /* enum lgr_lock_kind */
    uint16_t attributes; /* enum lgr_lock_attribute */
};
enum lgr_lock_attribute {
    LGR_LOCK_RECURSIVE = 1u,
    LGR_LOCK_ERRORCHECK = 2u,
    LGR_LOCK_ROBUST = 4u,
    LGR_LOCK_PSHARED = 8u,
    LGR_LOCK_PRIO_INHERIT = 16u,
    LGR_LOCK_PRIO_PROTECT = 32u,
    /* Above these, of a semaphore used as a lock: its slots (0: not known), or
     * that there are so many or more. */
    LGR_LOCK_SLOTS_SHIFT = 8,
    LGR_LOCK_SLOTS_MOST = 255,
};

struct lgr_thread {
    struct lgr_record record;
    uint32_t serial; /* from 1, never reused within a process */
    uint32_t tid;    /* kernel id */
    uint32_t parent; /* serial of the creator, 0: none */
    uint32_t creation_context;
    struct lgr_location start_routine; /* module 0, offset 0: main thread or unknown */
    uint32_t name_length;              /* 0: none yet */
    uint32_t reserved;
};
struct lgr_thread_name {
    struct lgr_record record;
    uint32_t serial;
    uint32_t name_length;
};

enum lgr_mode { LGR_EXCLUSIVE = 0, LGR_SHARED = 1 };

/* One class-level dependency seen: a lock of class `to` requested while a lock
 * of class `from` was held.  One record per distinct
 * (from, to, modes, contexts). */
struct lgr_edge {
    struct lgr_record record;
    uint32_t from_class;
    uint32_t to_class;
    uint64_t from_lock; /* the instances of the first sighting */
    uint64_t to_lock;
    uint32_t thread; /* serial of the first sighting */
    uint32_t held_context;
    uint32_t request_context;
    uint8_t mode_from; /* enum lgr_mode */
    uint8_t mode_to;
    uint8_t timed; /* the request was a timed call of the program's own */
    uint8_t reserved;
};

enum lgr_kind {
    LGR_KIND_ORDER_CYCLE = 1,
    LGR_KIND_DEADLOCK = 2,
    LGR_KIND_SELF_DEADLOCK = 3,
    LGR_KIND_UNLOCK_UNHELD = 4,
    LGR_KIND_UNLOCK_FOREIGN = 5,
    LGR_KIND_DESTROY_HELD = 6,
    LGR_KIND_DESTROY_WAITED = 7,
    LGR_KIND_USE_DESTROYED = 8,
    LGR_KIND_REINIT_HELD = 9,
    LGR_KIND_FREE_HELD = 10,
    LGR_KIND_THREAD_EXIT_HELD = 11,
    LGR_KIND_COND_WAIT_UNHELD = 12,
    LGR_KIND_COND_TWO_MUTEXES = 13,
    LGR_KIND_COND_DESTROY_WAITED = 14,
    LGR_KIND_SIGNAL_UNSAFE = 15,
    LGR_KIND_WRONG_TYPE = 16,
    LGR_KIND_JOIN_SELF = 17,
    LGR_KIND_SEM_MISUSE = 18,
    LGR_KIND_BARRIER_MISUSE = 19,
    LGR_KIND_ASSERT_FAILED = 20,
    LGR_KIND_STALL = 21,
    LGR_KIND_LEVEL_VIOLATION = 22,
    LGR_KIND_WAIT_TIMEOUT = 23,
    LGR_KIND_HOLD_TOO_LONG = 24,
    LGR_KIND_BLOCKED_UNDER_LOCK = 25,
    LGR_KIND_HEARTBEAT_MISSED = 26,
    LGR_KIND_CANCEL_UNSAFE = 27,
    LGR_KIND_API_ERROR = 28,
    LGR_KIND_COND_WAIT_HOLDING = 29,
    LGR_KIND_FORK_HELD = 30,
    LGR_KIND_USER = 31,
    LGR_KINDS, /* one more than the last; later kinds are appended before it; tools/lockgraph holds their
                  names */
};
enum lgr_verdict {
    LGR_VERDICT_NONE = 0,
    LGR_VERDICT_SINGLE_THREAD = 1,
    LGR_VERDICT_GATED = 2,
    LGR_VERDICT_ORDERED = 3,
    LGR_VERDICT_ACROSS_RUNS = 4,
    LGR_VERDICT_CLASS_PATTERN = 5,
    LGR_VERDICT_TIMED = 6,
    LGR_VERDICT_FEASIBLE = 7,
    LGR_VERDICT_CONFIRMED = 8,
    LGR_VERDICT_ACTUAL = 9,
};
enum lgr_severity { LGR_NOTE = 1, LGR_WARNING = 2, LGR_ERROR = 3 };

/* What kept a graded-down cycle from being feasible (finding field reason_kind). */
enum lgr_reason {
    LGR_REASON_NONE = 0,
    LGR_REASON_GATE = 1,   /* reason_id: the common lock's id */
    LGR_REASON_CREATE = 2, /* reason_id: serial of the thread created */
    LGR_REASON_JOIN = 3,   /* reason_id: serial of the thread joined */
    LGR_REASON_BARRIER = 4,
    LGR_REASON_SEMAPHORE = 5,
    LGR_REASON_CONDITION = 6,
    LGR_REASON_ONCE = 7,
    LGR_REASON_GUESSED_CLASS = 8,
    LGR_REASON_THREAD = 9,  /* reason_id: serial of the one thread */
    LGR_REASON_DETAIL = 10, /* misuse: reason_id is what its kind says there, see LGR_FINDING */
    LGR_REASON_QUEUE = 11, /* deadlock, reading again: reason_id is the serial of a writer, see LGR_FINDING */
    LGR_REASON_SWITCH = 12, /* a semaphore was taken under a lock given up since: another may give it back */
    LGR_REASON_FORK = 13,   /* one thread exists in the parent of this process only */
};

/* One lock held by a thread: part of findings and thread states. */
struct lgr_held {
    uint64_t lock;
    uint32_t context;
    uint32_t mode; /* enum lgr_mode */
};

enum lgr_wait_kind {
    LGR_WAIT_NONE = 0,
    LGR_WAIT_LOCK = 1,      /* target: lock id */
    LGR_WAIT_JOIN = 2,      /* target: serial of the thread waited for */
    LGR_WAIT_CONDITION = 3, /* target: address of the condition variable */
    LGR_WAIT_BARRIER = 4,   /* target: 0 */
    LGR_WAIT_ONCE =
        5, /* target: serial of the thread that runs the once routine, or initialises the static variable */
};
/* Whether the target of such a wait is a thread. */
static inline bool lgr_waits_for_thread(uint32_t kind) {
    return kind == LGR_WAIT_JOIN || kind == LGR_WAIT_ONCE;
}

/* One finding.  The fixed part is followed by edge_count elements, each a
 * struct lgr_finding_edge followed by its held_count struct lgr_held; in a stall
 * they are followed by one uint64_t for each edge: the real time in nanoseconds
 * since when that thread waits, 0 when it is not known; in one of kind user by the
 * length of a text (uint32_t), and the text.
 *
 * order-cycle: edge i says: thread held `from` and requested `to`; the edges
 * close a ring (to of the last is from of the first).  One edge with from == to:
 * the thread reads again, and LGR_REASON_QUEUE names the writer who may come between.
 * deadlock: edge i says: thread i holds `from` (wanted by the thread before
 * it) and waits for `to` (wait_kind LOCK), or for thread `to` (JOIN, ONCE).
 * self-deadlock: one edge, from == to.
 * In both, a reader may wait for a reader of the same lock: it queues behind a
 * writer that waits for that one (LGR_REASON_QUEUE names the first such writer,
 * which holds nothing that is wanted of it and so has no edge).  A wait for a
 * condition, a barrier or a semaphore that signals is one for whoever comes next
 * on the ring.
 * stall: edge i is the wait of thread i, at request_context, for `to`, and its
 * whole held stack.  Where the condition that it waits for was signalled before,
 * `from` is the serial of the thread that did so last, at held_context; else
 * both are 0.
 * Every other kind is a misuse: one call that is wrong.  Edge 0 is that call:
 * its thread and whole held stack, request_context the call, from the lock (0:
 * none), held_context where that lock was taken, created or destroyed before
 * (0: not known), to a second lock (0: none), wait_kind NONE.  Edge 1, where
 * there is one, is the other thread that did the earlier thing: from,
 * held_context, and in its held stack the lock if it holds it.  reason_id with
 * LGR_REASON_DETAIL: api-error the errno value; signal-unsafe the signal, and
 * enum lgr_signal_detail; cond-wait-holding enum lgr_holding_detail;
 * fork-held enum lgr_fork_detail; sem-misuse, barrier-misuse enum lgr_use_detail;
 * wait-timeout the limit in milliseconds; hold-too-long, blocked-under-lock,
 * heartbeat-missed: see enum lgr_blocking and above it; level-violation enum
 * lgr_level_detail.
 *
 * The same problem seen again does not append a record: `count` is raised in
 * place.  A problem regraded upwards, or lowered because a semaphore it rests on
 * turned out to signal (to a note, or to what was seen of it with other locks),
 * appends a new record with the same problem number; the last record of a problem
 * wins and its count includes the earlier ones. */
struct lgr_finding {
    struct lgr_record record;
    uint32_t problem; /* from 1 within the file */
    uint16_t kind;    /* enum lgr_kind */
    uint8_t verdict;  /* enum lgr_verdict */
    uint8_t severity; /* enum lgr_severity */
    uint64_t time_realtime_ns;
    _Atomic uint64_t count; /* live, relaxed */
    uint16_t edge_count;
    uint16_t reason_kind; /* enum lgr_reason */
    uint16_t timed;       /* deadlock: some participant waits with a time limit */
    uint16_t sources;     /* of a merged file: how many processes had it, or more; 0: this one */
    uint64_t reason_id;
};
struct lgr_finding_edge {
    uint64_t from; /* lock id; stall: thread serial */
    uint64_t to;   /* lock id; as enum lgr_wait_kind says */
    uint32_t from_class;
    uint32_t to_class; /* 0 but for locks */
    uint32_t thread;   /* serial */
    uint32_t tid;
    uint32_t held_context;    /* where `from` was taken */
    uint32_t request_context; /* where `to` is requested */
    uint8_t mode_from;
    uint8_t mode_to;
    uint8_t timed;
    uint8_t wait_kind; /* enum lgr_wait_kind */
    uint32_t held_count;
    struct lgr_held held[]; /* whole held stack, outermost first */
};

/* signal-unsafe: added to the number of the signal when the call itself is the
 * one in the handler, and the earlier place the one with the signal open. */
enum lgr_signal_detail { LGR_SIGNAL_CALL_IN_HANDLER = 256 };
/* cond-wait-holding: the call is a wait (without detail: all there is), or a
 * signal; the earlier place is then the other of the two. */
enum lgr_holding_detail { LGR_HOLDING_WAITER = 1, LGR_HOLDING_SIGNALLER = 2 };
/* fork-held: the call is the fork (without detail), or a request of the child:
 * for that lock, or for another one of its class. */
enum lgr_fork_detail { LGR_FORK_ASKED = 1, LGR_FORK_CLASS = 2 };
/* level-violation: against the levels (without detail), or against a pair of classes
 * that an order file puts in an order. */
enum lgr_level_detail { LGR_LEVEL_PAIR = 1 };
/* sem-misuse, barrier-misuse: used after it was destroyed there (without
 * detail), or taken away while the other thread waits. */
enum lgr_use_detail { LGR_USE_WAITED = 1 };

/* assert-failed: without detail that a lock is (not) held, or may be taken. */
enum lgr_assert_detail { LGR_ASSERT_PINNED = 1 }; /* it is given up while it must not be */
/* hold-too-long: the limit in milliseconds, and this when the call is that of a
 * thread which waits for the lock, and its holder the other one; else the call is
 * the release.  blocked-under-lock: enum lgr_blocking of the call. */
#define LGR_HOLD_GOES_ON ((uint64_t)1 << 32)
/* heartbeat-missed: the limit in milliseconds, and at this bit what the call is.  The
 * second thread waits for the lock, at the earlier place; without one that is where
 * the lock was taken. */
#define LGR_HEARTBEAT_SHIFT 32
enum lgr_heartbeat_detail {
    LGR_HEARTBEAT_LAST = 0,  /* the last heartbeat: where the thread is now is not known */
    LGR_HEARTBEAT_WAITS = 1, /* a wait of the thread */
    LGR_HEARTBEAT_LATE = 2,  /* the next heartbeat, too late */
};
enum lgr_blocking {
    LGR_BLOCKING_SLEEP = 1,
    LGR_BLOCKING_READ = 2,
    LGR_BLOCKING_WRITE = 3,
    LGR_BLOCKING_RECEIVE = 4,
    LGR_BLOCKING_SEND = 5,
    LGR_BLOCKING_ACCEPT = 6,
    LGR_BLOCKING_CONNECT = 7,
    LGR_BLOCKING_POLL = 8,
    LGR_BLOCKING_SYNC = 9,
    LGR_BLOCKING_CHILD = 10,
};

/* Where a thread waits, and what it holds: live, rewritten in place by its
 * owner.  Readers: load sequence (acquire), skip if odd, copy, load again.
 * One record per thread that ever waited longer than the first slice; reused
 * by later threads after the owner exited (serial changes under the sequence). */
#define LGR_STATE_HELD 12u
struct lgr_thread_state {
    struct lgr_record record;
    _Atomic uint32_t sequence;
    uint32_t serial; /* 0: free */
    uint32_t wait_kind;
    uint32_t wait_context;
    uint64_t target;
    uint64_t since_realtime_ns;
    uint32_t held_count; /* may exceed LGR_STATE_HELD: the rest is not listed */
    uint32_t owner;      /* serial of the thread that held the target when last looked, 0: not known */
    struct lgr_held held[LGR_STATE_HELD];
};

struct lgr_message {
    struct lgr_record record;
    uint32_t severity;
    uint32_t text_length;
};

/* Totals of one lock, appended at process exit (and replaced by later ones). */
struct lgr_lock_stats {
    struct lgr_record record;
    uint64_t lock;
    uint64_t contended;
    uint64_t wait_total_ns;
    uint64_t wait_max_ns;
    uint32_t waiters_max;
    uint32_t reserved;
};

/* A thread that had nested locks before waits for a condition variable, or signals
 * it: once per thread, condition and role.  A hand-over need not show as a wait
 * that a signal ended. */
enum lgr_condition_role { LGR_CONDITION_WAITS = 1, LGR_CONDITION_SIGNALS = 2 };
struct lgr_condition {
    struct lgr_record record;
    uint32_t serial;    /* of the thread */
    uint32_t role;      /* enum lgr_condition_role */
    uint64_t condition; /* address */
    uint64_t mutex;     /* lock id of a waiter's, 0: not known */
};

/* A thread that promised a heartbeat: live, written by that thread, but for `missed`;
 * used again by a later one after serial was 0.  Relaxed: what somebody else reads may
 * be a moment old. */
struct lgr_heartbeat {
    struct lgr_record record;
    _Atomic uint32_t serial;  /* 0: nobody's */
    _Atomic uint32_t context; /* of the last heartbeat */
    _Atomic uint64_t last_ns; /* CLOCK_MONOTONIC, coarse; 0: none is promised */
    _Atomic uint64_t limit_ns;
    _Atomic uint32_t missed; /* enum lgr_missed: by whoever noticed first, until the next heartbeat */
    uint32_t severity;       /* enum lgr_severity that a finding about it has */
};
enum lgr_missed {
    LGR_NOT_MISSED = 0,
    LGR_MISSED_RECORDED = 1, /* and a finding was recorded */
    LGR_MISSED_SEEN = 2,     /* by `lockgraph run`, which records nothing */
};

/* How the locks of a class were used: at the place of that context, where they had
 * to be waited for, or (context 0) anywhere.  Live: its figures are written again in
 * place, each whole, from time to time while the process runs and at its end.  Holds
 * are there where they were measured (option profile).  Older files end without
 * figures.estimated. */
struct lgr_usage {
    struct lgr_record record;
    uint32_t class_id;
    uint32_t context;
    struct lgr_figures figures;
};

/* What the program calls a declared level. */
struct lgr_level_name {
    struct lgr_record record;
    int16_t level;
    uint16_t reserved;
    uint32_t name_length;
};

/* Made of a merged file when it is read (merged.h), written by no process: one of those it
 * unites, numbered from 1, saw this pair. */
struct lgr_seen {
    struct lgr_record record;
    uint32_t from_class, to_class;
    uint32_t source;
    uint32_t reserved;
};

/* How often and how long a thread waited for locks: waits that ended.  Live: written
 * again in place from time to time while the process runs and at its end. */
struct lgr_thread_waits {
    struct lgr_record record;
    uint32_t serial; /* 0: of all threads that have no such record, taken together */
    uint32_t reserved;
    uint64_t count;
    uint64_t total_ns;
    uint64_t max_ns;
};

/* A hold, or a wait, that is over.  A slot that is not in use, or is being written, or was
 * when its writer was killed, fails lgr_span_whole. */
struct lgr_span {
    uint64_t start_ns; /* CLOCK_MONOTONIC */
    uint64_t length_ns;
    uint64_t target;    /* of a hold: lock id; else as enum lgr_wait_kind says, once and barrier: 0 */
    uint32_t thread;    /* serial */
    uint32_t context;   /* where the lock was taken, or the thread waits; 0: not known */
    uint16_t wait_kind; /* enum lgr_wait_kind; none: a hold */
    uint16_t mode;      /* enum lgr_mode, of locks */
    uint32_t check;     /* lgr_span_check, stored last */
};
static inline uint32_t lgr_span_check(const struct lgr_span *span) {
    uint64_t mixed = span->start_ns * UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ span->length_ns) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ span->target) * UINT64_C(0x94d049bb133111eb);
    mixed = (mixed ^ ((uint64_t)span->thread << 32 | span->context)) * UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ ((uint64_t)span->wait_kind << 16 | span->mode)) * UINT64_C(0xbf58476d1ce4e5b9);
    return (uint32_t)(mixed >> 32) | 1u;
}
static inline bool lgr_span_whole(const struct lgr_span *span) {
    return span->thread != 0 && span->check == lgr_span_check(span);
}

/* Room for single holds and waits (option timeline): live, its slots are written in place.
 * All that were at least so long are there, but for those that did not fit into the file. */
struct lgr_spans {
    struct lgr_record record;
    uint64_t least_ns;       /* relaxed; of all records of a file the largest counts */
    struct lgr_span spans[]; /* to the end of the record */
};

/* A change here is a change of the format: see the version rule. */
_Static_assert(sizeof(struct lgr_header) == 184, "header");
_Static_assert(sizeof(struct lgr_process) == 24, "LGR_PROCESS");
_Static_assert(sizeof(struct lgr_module) == 48, "LGR_MODULE");
_Static_assert(sizeof(struct lgr_location) == 16, "location");
_Static_assert(sizeof(struct lgr_context) == 24, "LGR_CONTEXT");
_Static_assert(sizeof(struct lgr_class) == 40, "LGR_CLASS");
_Static_assert(sizeof(struct lgr_lock) == 32, "LGR_LOCK");
_Static_assert(sizeof(struct lgr_thread) == 48, "LGR_THREAD");
_Static_assert(sizeof(struct lgr_thread_name) == 16, "LGR_THREAD_NAME");
_Static_assert(sizeof(struct lgr_edge) == 48, "LGR_EDGE");
_Static_assert(sizeof(struct lgr_held) == 16, "held lock");
_Static_assert(sizeof(struct lgr_finding) == 48, "LGR_FINDING");
_Static_assert(sizeof(struct lgr_finding_edge) == 48, "edge of a finding");
_Static_assert(sizeof(struct lgr_thread_state) == 240, "LGR_THREAD_STATE");
_Static_assert(sizeof(struct lgr_message) == 16, "LGR_MESSAGE");
_Static_assert(sizeof(struct lgr_lock_stats) == 48, "LGR_LOCK_STATS");
_Static_assert(sizeof(struct lgr_condition) == 32, "LGR_CONDITION");
_Static_assert(sizeof(struct lgr_heartbeat) == 40, "LGR_HEARTBEAT");
_Static_assert(sizeof(struct lgr_times) == 272, "times of a usage");
_Static_assert(sizeof(struct lgr_usage) == 592, "LGR_USAGE");
_Static_assert(sizeof(struct lgr_level_name) == 16, "LGR_LEVEL_NAME");
_Static_assert(sizeof(struct lgr_thread_waits) == 40, "LGR_THREAD_WAITS");
_Static_assert(sizeof(struct lgr_seen) == 24, "LGR_SEEN");
_Static_assert(sizeof(struct lgr_span) == 40, "span");
_Static_assert(sizeof(struct lgr_spans) == 16, "LGR_SPANS");

#endif
