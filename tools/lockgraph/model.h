/* What the evidence of one or many processes says, with names: the input of
 * every output format.  Built once, read-only afterwards; all strings are
 * clean (text.h) and live as long as the model. */
#ifndef LOCKGRAPH_COMMAND_MODEL_H
#define LOCKGRAPH_COMMAND_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edge_sites.h"
#include "pool.h"
#include "record/reader.h"
#include "symbols.h"

#define FINDING_ID_DIGITS 12

struct stack {
    size_t count;                    /* 0: not known */
    const struct code_frame *frames; /* innermost first, inlined ones expanded, ours left out */
    size_t first;                    /* index of the first frame that is not a known locking helper */
    size_t site;  /* index of the frame it is named by: first, or a caller of it that tells more */
    bool partial; /* only the innermost frame was recorded */
};

struct model_class {
    const char *id;         /* hex, the same in every run */
    const char *identity;   /* what the id is made of */
    const char *name;       /* a sentence's subject: "mutex initialised at queue.c:12 (queue_init)" */
    const char *short_name; /* "mutex(queue.c:12)" */
    const char *kind;       /* "named", "init", "static", "guess" */
    int level;              /* NO_LEVEL: none */
    const char *level_name; /* clean; NULL: it has none */
    const struct code_frame *init_at;        /* NULL unless initialised by a call */
    const struct code_frame *first_taken_at; /* NULL unless that is how it was named */
    size_t index;                            /* in model.classes */
};
#define NO_LEVEL INT16_MIN

struct model_process {
    size_t index;
    const char *path;      /* clean */
    const char *file_path; /* as given */
    struct lgr_file *file;
    const struct lgr_header_copy *header;
    const char *exe, *command_line, *program; /* program: last component of exe */
    const char *build_id;
    bool replaced;                /* by a later image under the same pid: exec */
    bool alive;                   /* still running when it was looked at */
    struct model_class **classes; /* by position in the file */
    void *locks;                  /* tsearch tree of struct model_lock, by raw id */
    struct edge_sites sites;
};

struct model_lock {
    const struct model_process *process;
    uint64_t raw;
    const char *id;                  /* "P1:L17" */
    const struct model_class *class; /* NULL: not recorded */
    const char *name, *short_name;
    const char *identity; /* the same in every run */
    const char *kind;
    const struct lgr_lock_info *info; /* NULL: not recorded */
};

struct model_thread {
    uint32_t serial, tid;
    const char *name;          /* given name, else start routine, else "thread N"; "main" for the first */
    const char *tag, *label;   /* "T2", "T2 (worker-1)" */
    const char *start_routine; /* NULL: main or not known */
    bool named_by_library;     /* the start routine is a library's and tells nothing */
    struct stack created_at;
};

struct model_held {
    const struct model_lock *lock;
    struct stack taken_at;
    bool shared;
};

struct model_edge {
    const struct model_lock *from;        /* NULL: a thread that is joined need not hold anything */
    const struct model_lock *to;          /* NULL when a thread is waited for */
    const struct model_thread *joined;    /* the thread waited for, else NULL */
    bool in_once;                         /* `joined` is waited for at a once control, not to end */
    bool at_barrier;                      /* waits for whoever has not come yet */
    uint64_t condition;                   /* address of the one waited for; 0: none */
    const char *condition_name;           /* NULL: it has none */
    uint64_t since_realtime_ns;           /* 0: not recorded */
    const struct model_thread *signaller; /* who signalled it last, at held_at; NULL: not known */
    const char *from_label, *to_label;    /* short names, made distinct within the finding */
    const struct model_thread *thread;
    uint32_t tid;
    struct stack held_at, requested_at;
    bool shared_from, shared_to, timed;
    size_t held_count;
    const struct model_held *held;
    size_t sites; /* distinct places that take from -> to in this process; 0: not known */
};
/* What `joined` is waited for to do, after its name. */
const char *edge_until(const struct model_edge *edge);

/* A thread that waited when the evidence was read. */
struct model_wait {
    const struct model_process *process;
    const struct model_thread *thread;
    const char *what;                 /* "audit_lock", "T3 (worker) to end", "a condition variable" */
    const struct model_lock *lock;    /* NULL: not a lock */
    const struct model_thread *owner; /* NULL: not known */
    struct stack at;
    uint64_t since_realtime_ns;
    size_t held_count; /* listed ones */
    struct model_held *held;
};

struct model_finding {
    const char *id;
    uint16_t kind;
    uint8_t verdict;
    unsigned severity; /* enum lgr_severity, after --strict */
    uint64_t count;
    uint64_t time_realtime_ns;
    const struct model_process *process;      /* the first that saw it */
    const struct model_process *last_process; /* that saw it, so far */
    size_t process_count;
    size_t edge_count;
    struct model_edge *edges;
    uint16_t reason;
    const struct model_lock *gate;            /* LGR_REASON_GATE */
    const struct model_thread *reason_thread; /* LGR_REASON_CREATE, _JOIN, _THREAD */
    const char *text;                         /* of kind user: what the program says, or NULL */
    uint64_t detail;                          /* LGR_REASON_DETAIL: an errno value, a signal number */
    bool timed;
    bool common_locks; /* across runs: several processes are known to take the very same ones */
    struct {
        const struct model_thread *from, *to; /* from NULL: none */
        const struct model_lock *mutex;       /* NULL: not known */
    } hand_over;                              /* that may keep a feasible cycle apart, see hand_over.h */
    const struct suppression *suppression;    /* NULL: to be told */
    /* In words, filled by narrative.c. */
    const char *title, *why, *advice, *explanation;
    const char *steps_heading;
    size_t step_count;
    const char **steps;
};

struct coverage {
    uint64_t locks, threads, acquisitions_nested, contended, unwrapped, dropped, edges;
    uint32_t degraded; /* enum lgr_degraded, of any process */
    size_t processes, damaged, unknown;
};

struct model {
    struct pool pool;
    struct symbols *symbols;
    bool shares_symbols; /* with other models */
    size_t process_count, class_count, finding_count;
    struct model_process *processes; /* in order of start */
    struct model_class **classes;
    void *classes_by_id;            /* tsearch tree */
    struct model_finding *findings; /* most severe first */
    void *findings_by_id;           /* tsearch tree, while they are collected */
    size_t wait_count;
    struct model_wait *waits; /* in processes that had not ended */
    struct coverage coverage;
    const struct suppressions *suppressions; /* NULL: no file is in use */
    size_t *suppression_uses;                /* findings that each of them matches */
    size_t unreadable;                       /* files that could not be opened */
    const char **unreadable_why;
};

struct suppressions;
struct model_options {
    bool strict;                             /* notes become errors */
    const struct suppressions *suppressions; /* NULL: none; must outlive the model */
    struct symbols *symbols;                 /* the same; NULL: the model's own */
};

/* Reads every file; those that cannot be read are counted with their reason.
 * Never NULL. */
struct model *model_load(const char *const *paths, size_t count, const struct model_options *options);
void model_free(struct model *model);

/* One of its processes still runs. */
bool model_runs(const struct model *model);

/* How many of its files are merged ones, which keep no figures of waits and holds. */
size_t model_merged_files(const struct model *model);

/* Findings at or above `threshold` (kinds.h), without suppressed ones. */
size_t model_count_at_least(const struct model *model, unsigned threshold);
size_t model_count_of(const struct model *model, unsigned severity);
size_t model_count_suppressed(const struct model *model);

/* ---- for the parts of the model and the formats ---- */

const struct model_lock *model_lock_of(struct model *model, struct model_process *process, uint64_t raw);
/* The same, not kept for the next time: what strings it has of its own are in `pool`. */
struct model_lock model_describe_lock(struct model *model, struct model_process *process, uint64_t raw,
                                      struct pool *pool);
/* Its id alone, "P1:L17". */
#define MODEL_LOCK_ID_ROOM 48
void model_lock_id(const struct model_process *process, uint64_t raw, char *id);
/* Whether that was asked for so far: by a finding, or a thread that waits. */
bool model_names_lock(const struct model_process *process, uint64_t raw);
struct model_thread *model_thread_of(struct model *model, const struct model_process *process,
                                     uint32_t serial);
struct stack model_stack(struct model *model, const struct model_process *process, uint32_t context);
struct model_class *model_class_of(struct model *model, struct model_process *process, uint32_t id);
/* Every recorded class is in model.classes from then on. */
void model_name_classes(struct model *model);
/* The frame a stack is named by; NULL when nothing is known. */
const struct code_frame *stack_site(const struct stack *stack);

#endif
