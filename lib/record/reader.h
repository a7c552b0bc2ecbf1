/* Reads an evidence file into memory: used by the command and by tests, never
 * by the runtime.  Treats the file as hostile: every length, id and count is
 * checked; what does not fit is skipped and counted in `damaged`, never
 * trusted.  Works on a file that is being written, was cut short, or whose
 * writer was killed. */
#ifndef LOCKGRAPH_RECORD_READER_H
#define LOCKGRAPH_RECORD_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/format.h"

struct lgr_file; /* owns everything reachable from the accessors below */

/* Opens, checks and indexes `path`.  NULL on error, with one sentence in
 * `error` that names the file, the place (byte offset) and the cure. */
struct lgr_file *lgr_open(const char *path, char *error, size_t error_size);
/* The same over a copy of a buffer (fuzzing, tests). */
struct lgr_file *lgr_open_memory(const void *data, size_t size, char *error, size_t error_size);
void lgr_close(struct lgr_file *file);

/* A plain copy of the header, taken when the file was opened. */
struct lgr_header_copy {
    uint16_t version, word_size, endian, machine;
    uint32_t pid, ppid;
    uint64_t start_realtime_ns, start_monotonic_ns, end_realtime_ns;
    uint32_t ended;
    int32_t exit_status;
    uint32_t degraded, findings, deadlocks;
    uint64_t locks, threads, nested_acquisitions, unwrapped, dropped, contended, instance_edges;
    uint64_t family; /* 0: not known */
};
const struct lgr_header_copy *lgr_header(const struct lgr_file *file);

/* Strings are NUL-terminated copies; embedded NULs of cmdline become spaces.
 * NULL arrays have count 0; arrays are in the order of their ids, and of two
 * records with one id the later counts.  Lookups by id return NULL when
 * unknown: ids inside records may name what was never written (max_data). */
struct lgr_process_info {
    const char *exe, *cmdline, *options, *tool;
};
const struct lgr_process_info *lgr_process(const struct lgr_file *file); /* never NULL; fields may be "" */

struct lgr_module_info {
    uint32_t id;
    uint64_t start, end, bias;
    const char *path;
    const uint8_t *build_id;
    size_t build_id_length;
};
const struct lgr_module_info *lgr_modules(const struct lgr_file *file, size_t *count);
const struct lgr_module_info *lgr_module_by_id(const struct lgr_file *file, uint32_t id);

struct lgr_context_info { /* small: there are millions in a large file */
    uint32_t id;
    uint32_t partial : 1; /* only the innermost frame is known */
    uint32_t frame_count : 31;
    const struct lgr_location *frames;
};
const struct lgr_context_info *lgr_contexts(const struct lgr_file *file, size_t *count);
const struct lgr_context_info *lgr_context_by_id(const struct lgr_file *file, uint32_t id);

struct lgr_class_info {
    uint32_t id;
    uint16_t kind;
    int16_t level;
    uint32_t context;
    const char *name;
    const char *level_name; /* NULL: the level has none */
    struct lgr_location variable;
};
const struct lgr_class_info *lgr_classes(const struct lgr_file *file, size_t *count);
const struct lgr_class_info *lgr_class_by_id(const struct lgr_file *file, uint32_t id);

struct lgr_lock_info { /* small, as above */
    uint64_t id, address;
    uint32_t class_id;
    uint16_t kind, attributes;
};
const struct lgr_lock_info *lgr_locks(const struct lgr_file *file, size_t *count);
const struct lgr_lock_info *lgr_lock_by_id(const struct lgr_file *file, uint64_t id);
/* How it was waited for.  Never NULL. */
const struct lgr_lock_stats *lgr_stats_of_lock(const struct lgr_file *file, uint64_t id);

struct lgr_thread_info {
    uint32_t serial, tid, parent, creation_context;
    struct lgr_location start_routine;
    const char *name;
};
const struct lgr_thread_info *lgr_threads(const struct lgr_file *file, size_t *count);
const struct lgr_thread_info *lgr_thread_by_serial(const struct lgr_file *file, uint32_t serial);

/* In the order written; valid until lgr_close.  A file that is being written over may change
 * what they say. */
size_t lgr_edge_count(const struct lgr_file *file);
const struct lgr_edge *lgr_edge_at(const struct lgr_file *file, size_t index);

/* In the order written; valid until lgr_close. */
size_t lgr_condition_count(const struct lgr_file *file);
const struct lgr_condition *lgr_condition_at(const struct lgr_file *file, size_t index);

/* One entry per problem, in the order of their numbers: the last record of
 * each, checked; its count includes the earlier ones. */
struct lgr_finding_edge_info {
    const struct lgr_finding_edge *edge;
    const struct lgr_held *held;
    size_t held_count;
};
struct lgr_finding_info {
    const struct lgr_finding *finding;
    uint64_t count;
    size_t edge_count;
    const struct lgr_finding_edge_info *edges;
    const uint64_t *since; /* of each edge's wait, in a stall; NULL: not recorded */
    const char *text;      /* of kind user; NULL: not recorded */
};
const struct lgr_finding_info *lgr_findings(const struct lgr_file *file, size_t *count);

/* Consistent copies of the thread states that were in use. */
const struct lgr_thread_state *lgr_thread_states(const struct lgr_file *file, size_t *count);

/* Copies, as they were when the file was read. */
const struct lgr_heartbeat *lgr_heartbeats(const struct lgr_file *file, size_t *count);
/* How locks were used, by class and place: one for each (class, context), context 0
 * standing for the whole class.  In the order written; valid until lgr_close. */
size_t lgr_usage_count(const struct lgr_file *file);
const struct lgr_usage *lgr_usage_at(const struct lgr_file *file, size_t index);

/* How threads waited: one for each that did, serial 0 standing for those that have none of
 * their own.  In the order written; valid until lgr_close. */
size_t lgr_thread_waits_count(const struct lgr_file *file);
const struct lgr_thread_waits *lgr_thread_waits_at(const struct lgr_file *file, size_t index);

/* Single holds and waits, in no order, as they were when the file was read; and the length
 * in nanoseconds from which on all of them were kept, 0 where none were to be. */
const struct lgr_span *lgr_spans(const struct lgr_file *file, size_t *count);
uint64_t lgr_spans_least(const struct lgr_file *file);

/* Of a merged file (merged.h), which reads as evidence of one process: how many processes
 * it unites, 0 for any other; and which of them saw which pair of classes. */
size_t lgr_merged(const struct lgr_file *file);
size_t lgr_seen_count(const struct lgr_file *file);
const struct lgr_seen *lgr_seen_at(const struct lgr_file *file, size_t index);

struct lgr_message_info {
    uint32_t severity;
    const char *text;
};
const struct lgr_message_info *lgr_messages(const struct lgr_file *file, size_t *count);

/* Records passed over because they were damaged, or because they were of a type
 * (or held a value of an enumeration) that this version does not know. */
size_t lgr_damaged(const struct lgr_file *file);
size_t lgr_unknown(const struct lgr_file *file);

#endif
