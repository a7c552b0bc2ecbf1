/* The merged file: the evidence of many processes and runs as one set of records.  Written
 * by `lockgraph merge`, read by lgr_open like any evidence; docs/merged-format.md.
 *
 * A record is known by what it says: its key, from which its id is computed, and by which
 * others name it.  So the same lock, stack or pair is the same record wherever it was
 * seen, and uniting files is uniting sorted sets, in any order and grouping.  No address,
 * no id of one process is in it.  Figures that grow stand behind the key; of two records
 * with one key each figure is the larger one.
 *
 * Version rule: raise LGM_VERSION for any change of a key, since it changes every id, and
 * for a new type. */
#ifndef LOCKGRAPH_RECORD_MERGED_H
#define LOCKGRAPH_RECORD_MERGED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LGM_MAGIC   "LOCKGMRG" /* 8 bytes, no terminator */
#define LGM_VERSION 2u

struct lgm_header {
    char magic[8];
    uint16_t version;
    uint16_t endian; /* as in lgr_header */
    uint32_t reserved;
};

/* 128 bits made from type and key; all zero: none. */
struct lgm_id {
    uint64_t word[2];
};

/* Followed by the key, padded with zeros to a multiple of 8 bytes, and the figures,
 * uint64_t each.  Records rise strictly by type, then key (bytes, the shorter first). */
struct lgm_record {
    uint32_t size; /* of all of it */
    uint16_t type; /* enum lgm_type */
    uint16_t figures;
};

/* What is named comes before what names it. */
enum lgm_type {
    LGM_MODULE = 1,
    LGM_CONTEXT = 2,
    LGM_CLASS = 3,
    LGM_LOCK = 4,
    LGM_THREAD = 5,
    LGM_SOURCE = 6,
    LGM_EDGE = 7,
    LGM_SEEN = 8,
    LGM_FINDING = 9,
    LGM_COUNT = 10,
    LGM_LEVEL = 11,
    LGM_END = 12, /* the last one: how many came before it */
};

/* Keys.  Strings and lists follow, in the order of their lengths. */
struct lgm_module {
    uint64_t start, end; /* ELF virtual addresses */
    uint32_t build_id_length, path_length;
};
struct lgm_frame {
    struct lgm_id module; /* none: an absolute address */
    uint64_t offset;
};
struct lgm_context {
    uint32_t flags, frame_count; /* followed by struct lgm_frame */
};
struct lgm_class {
    uint16_t kind;
    int16_t level;
    uint32_t name_length;
    struct lgm_id context;
    struct lgm_frame variable;
};
/* Any lock of the class; where one record names several, they are told apart by ordinal. */
struct lgm_lock {
    struct lgm_id class;
    uint16_t kind, attributes;
    uint32_t ordinal;
    struct lgm_frame place; /* in static storage; module none: elsewhere */
};
struct lgm_thread {
    uint32_t is_main, ordinal;
    struct lgm_id created_at;
    struct lgm_frame start_routine;
    uint32_t name_length, reserved;
};
/* A process image.  Figures: enum lgm_source_figure. */
struct lgm_source {
    uint64_t start_realtime_ns, start_monotonic_ns;
    uint32_t pid, ppid, exe_length, cmdline_length;
};
enum lgm_source_figure {
    LGM_END_NS,
    LGM_ENDED,
    LGM_EXIT_STATUS,
    LGM_DEGRADED,
    LGM_LOCKS,
    LGM_THREADS,
    LGM_NESTED,
    LGM_UNWRAPPED,
    LGM_DROPPED,
    LGM_CONTENDED,
    LGM_INSTANCE_EDGES,
    LGM_SOURCE_FIGURES
};
struct lgm_edge {
    struct lgm_id from_class, to_class, from_lock, to_lock, thread, held_context, request_context;
    uint8_t mode_from, mode_to, timed, reserved[5];
};
/* The source saw a lock of the one class requested under one of the other. */
struct lgm_seen {
    struct lgm_id from_class, to_class, source;
};
struct lgm_finding {
    uint16_t kind;
    uint8_t verdict, severity;
    uint16_t reason_kind, timed;
    struct lgm_id reason;             /* the lock or thread it names */
    uint64_t reason_number;           /* any other */
    uint32_t edge_count, text_length; /* followed by the edges and the text */
};
/* As struct lgr_finding_edge; a condition is a place, its address `to_number` in `to`. */
struct lgm_finding_edge {
    struct lgm_id from, to, from_class, to_class, thread, held_context, request_context;
    uint64_t to_number;
    uint8_t mode_from, mode_to, timed, wait_kind;
    uint32_t held_count; /* followed by struct lgm_held */
};
struct lgm_held {
    struct lgm_id lock, context;
    uint64_t mode;
};
/* A source's share in a finding.  Figures: count; UINT64_MAX minus the time. */
struct lgm_count {
    struct lgm_id finding, source;
};
/* What a level is called. */
struct lgm_level {
    int16_t level;
    uint16_t reserved;
    uint32_t name_length;
};
struct lgm_end {
    uint64_t count;
};

_Static_assert(sizeof(struct lgm_header) == 16 && sizeof(struct lgm_record) == 8, "merged file");
_Static_assert(sizeof(struct lgm_module) == 24 && sizeof(struct lgm_frame) == 24, "merged file");
_Static_assert(sizeof(struct lgm_class) == 48 && sizeof(struct lgm_lock) == 48, "merged file");
_Static_assert(sizeof(struct lgm_thread) == 56 && sizeof(struct lgm_source) == 32, "merged file");
_Static_assert(sizeof(struct lgm_edge) == 120 && sizeof(struct lgm_finding) == 40, "merged file");
_Static_assert(sizeof(struct lgm_level) == 8 && sizeof(struct lgm_end) == 8, "merged file");
_Static_assert(sizeof(struct lgm_finding_edge) == 128 && sizeof(struct lgm_held) == 40, "merged file");

static inline size_t lgm_key_size(const struct lgm_record *record) {
    return record->size - sizeof *record - record->figures * sizeof(uint64_t);
}
static inline const void *lgm_key(const struct lgm_record *record) { return record + 1; }
static inline uint64_t *lgm_figures(const struct lgm_record *record) {
    return (uint64_t *)(void *)((unsigned char *)(uintptr_t)record + sizeof *record + lgm_key_size(record));
}

/* Below, equal or above 0, by type and key. */
int lgm_compare(const struct lgm_record *a, const struct lgm_record *b);
struct lgm_id lgm_id_of(const struct lgm_record *record);
static inline bool lgm_is_none(const struct lgm_id *id) { return !(id->word[0] | id->word[1]); }
/* Each figure of `into` becomes the larger of the two; both have one key. */
void lgm_join(struct lgm_record *into, const struct lgm_record *other);

/* Whether a record of `room` bytes or more is whole and of the form its type has. */
bool lgm_is_sound(const struct lgm_record *record, size_t room);
/* Whether the first bytes are those of a merged file of this version and byte order;
 * otherwise a sentence's end that says why and what to do. */
const char *lgm_header_problem(const struct lgm_header *header);

#endif
