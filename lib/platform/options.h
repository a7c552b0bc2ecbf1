/* The runtime's options: one table defines each, and parsing, defaults, help
 * and manual page are read from it.  No allocation, no process state: the
 * runtime and the command use the same code. */
#ifndef LOCKGRAPH_PLATFORM_OPTIONS_H
#define LOCKGRAPH_PLATFORM_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/log_line.h"
#include "platform/print.h"
#include "platform/unwind.h"

#define LGP_OPTIONS_VARIABLE "LOCKGRAPH_OPTIONS"

enum lgp_identity { LGP_IDENTITY_TAG, LGP_IDENTITY_TABLE };
enum lgp_on_violation { LGP_ON_VIOLATION_REPORT, LGP_ON_VIOLATION_REFUSE, LGP_ON_VIOLATION_ABORT };
enum lgp_on_deadlock { LGP_ON_DEADLOCK_LEAVE, LGP_ON_DEADLOCK_KILL, LGP_ON_DEADLOCK_ABORT };

/* What the user made of a finding kind; DEFAULT leaves it to the verdict. */
enum lgp_check_level { LGP_CHECK_DEFAULT, LGP_CHECK_OFF, LGP_CHECK_NOTE, LGP_CHECK_WARNING, LGP_CHECK_ERROR };

/* Finding kinds with a switch `check.<kind>`, in the order of enum lgr_kind; a
 * new one also needs its row in options_table.c. */
enum lgp_check {
    LGP_CHECK_ORDER_CYCLE,
    LGP_CHECK_DEADLOCK,
    LGP_CHECK_SELF_DEADLOCK,
    LGP_CHECK_UNLOCK_UNHELD,
    LGP_CHECK_UNLOCK_FOREIGN,
    LGP_CHECK_DESTROY_HELD,
    LGP_CHECK_DESTROY_WAITED,
    LGP_CHECK_USE_DESTROYED,
    LGP_CHECK_REINIT_HELD,
    LGP_CHECK_FREE_HELD,
    LGP_CHECK_THREAD_EXIT_HELD,
    LGP_CHECK_COND_WAIT_UNHELD,
    LGP_CHECK_COND_TWO_MUTEXES,
    LGP_CHECK_COND_DESTROY_WAITED,
    LGP_CHECK_SIGNAL_UNSAFE,
    LGP_CHECK_WRONG_TYPE,
    LGP_CHECK_JOIN_SELF,
    LGP_CHECK_SEM_MISUSE,
    LGP_CHECK_BARRIER_MISUSE,
    LGP_CHECK_ASSERT_FAILED,
    LGP_CHECK_STALL,
    LGP_CHECK_LEVEL_VIOLATION,
    LGP_CHECK_WAIT_TIMEOUT,
    LGP_CHECK_HOLD_TOO_LONG,
    LGP_CHECK_BLOCKED_UNDER_LOCK,
    LGP_CHECK_HEARTBEAT_MISSED,
    LGP_CHECK_CANCEL_UNSAFE,
    LGP_CHECK_API_ERROR,
    LGP_CHECK_COND_WAIT_HOLDING,
    LGP_CHECK_FORK_HELD,
    LGP_CHECK_USER,
    LGP_CHECK_COUNT
};

struct lgp_options {
    char data[PATH_MAX]; /* data directory, as given */
    uint64_t max_data;   /* bytes of evidence per process image */
    uint64_t max_memory; /* bytes of private memory */
    enum lgp_unwinder unwinder;
    enum lgp_identity identity;
    enum lgp_on_deadlock on_deadlock;
    enum lgp_on_violation on_violation; /* level.h: what the lg_ functions do */
    int exitcode;                       /* 0: the program's own */
    bool verdict;                       /* printed to the standard error at exit */
    uint32_t stack_depth;
    uint32_t search_budget;                 /* steps per cycle search */
    uint32_t wait_slice;                    /* milliseconds until a waiter records its stack */
    bool file_locks;                        /* flock, fcntl and lockf are followed */
    uint64_t lock_timeout;                  /* nanoseconds after which a wait is told; 0: never */
    uint64_t hold_limit, hold_limit_shared; /* the same of holds */
    uint64_t timeline;                      /* nanoseconds from which on single holds and waits are kept */
    uint64_t blocked_limit;                 /* a limit of blocking calls under a lock */
    enum lgp_log_level log;
    char log_to[PATH_MAX]; /* log_target.h */
    bool profile;          /* acquisitions are counted, holds timed */
    bool profile_exact;    /* engine/hold_sample.h: every one of them */
    bool adaptive;         /* engine/adaptive.h */
    uint32_t adaptive_factor;
    uint64_t adaptive_min, adaptive_max; /* nanoseconds */
    bool help;
    bool launcher;        /* started by `lockgraph run` */
    char told[PATH_MAX];  /* record/told.h; "none" without */
    char order[PATH_MAX]; /* record/order_table.h; "none" without */
    enum lgp_check_level check[LGP_CHECK_COUNT];
};

enum lgp_option_type {
    LGP_OPTION_TEXT,   /* char[PATH_MAX], never empty */
    LGP_OPTION_SIZE,   /* uint64_t bytes; suffixes k, m, g */
    LGP_OPTION_NUMBER, /* int or uint32_t, never negative */
    LGP_OPTION_TIME,   /* uint64_t nanoseconds; ms, s (the same without), m, h; 0 or none: never */
    LGP_OPTION_SWITCH, /* bool; 0 or 1, also no/yes, false/true */
    LGP_OPTION_CHOICE  /* an enum, in the order of `choices` */
};

struct lgp_option {
    const char *name;
    enum lgp_option_type type;
    size_t offset; /* in struct lgp_options */
    const char *default_value;
    const char *const *choices; /* CHOICE: NULL-terminated */
    uint64_t minimum, maximum;  /* SIZE, NUMBER and TIME: inclusive */
    const char *help;           /* one line, no full stop */
    bool internal;              /* between `lockgraph run` and the runtime: not in the help */
};

extern const struct lgp_option lgp_option_table[];
extern const size_t lgp_option_count;

/* Every option to its default. */
void lgp_options_defaults(struct lgp_options *options);

/* Applies `text`, "key=value:key=value", on top of what `options` holds.  A
 * value that contains ':' stands in quotation marks ('…' or "…").  False when
 * something in it is wrong: `error` (NULL is allowed) then gets one sentence on
 * the first mistake and the count of further ones; wrong keys keep the value
 * they had, the right ones are applied. */
bool lgp_options_parse(struct lgp_options *options, const char *text, struct lgp_text *error);

/* The runtime's start: defaults, then the program's own lg_default_options()
 * where it has one, then LOCKGRAPH_OPTIONS (not in setuid programs).  Mistakes
 * as with lgp_options_parse. */
bool lgp_options_load(struct lgp_options *options, struct lgp_text *error);

/* Text of every option: name, value, what is allowed, default, meaning.  Needs
 * up to LGP_OPTIONS_TEXT_SIZE bytes. */
void lgp_options_help(const struct lgp_options *options, struct lgp_text *text);
/* "key=value:…" of what differs from the defaults, in the form that
 * lgp_options_parse reads. */
void lgp_options_effective(const struct lgp_options *options, struct lgp_text *text);
enum { LGP_OPTIONS_TEXT_SIZE = 24576 };

/* Pieces of the above for other layouts, such as a manual page. */
const struct lgp_option *lgp_option_find(const char *name);
void lgp_option_value(const struct lgp_option *option, const struct lgp_options *options,
                      struct lgp_text *text);
/* "gcc, fp, libunwind or none", "a whole number from 1 to 64", … */
void lgp_option_allowed(const struct lgp_option *option, struct lgp_text *text);

/* "order-cycle" */
const char *lgp_check_name(enum lgp_check check);

#endif
