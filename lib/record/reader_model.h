/* What the reader's files share: the image of the evidence file, and the tables
 * made from it.  Internal to lib/record; used by the command and by tests. */
#ifndef LOCKGRAPH_RECORD_READER_MODEL_H
#define LOCKGRAPH_RECORD_READER_MODEL_H

#include "record/reader.h"
#include "record/reader_arena.h"

/* A growing array of equal items. */
struct lgr_table {
    unsigned char *items;
    size_t count, capacity, item_size;
    uint64_t (*key)(const void *item); /* NULL: kept in the order added */
};

/* Room for one item more, zeroed; NULL when out of memory. */
void *lgr_table_add(struct lgr_table *table);
/* Sorts by key; of items with one key the one added last stays.  False when
 * out of memory. */
bool lgr_table_index(struct lgr_table *table);
/* Binary search in an indexed table; NULL when absent. */
const void *lgr_table_find(const struct lgr_table *table, uint64_t key);
void lgr_table_free(struct lgr_table *table);

/* A file.  Mapped (reader_map.h) where there is one: then it may be larger than memory, and
 * it may change while it is looked at, so that records are checked in copies; of them only
 * contexts and edges, which any values suit, are then used where they lie. */
struct lgr_image {
    unsigned char *bytes; /* aligned for every record */
    size_t size;
    size_t first_record;
    bool mapped; /* else malloc's */
};

enum lgr_step { LGR_STEP_RECORD, LGR_STEP_DAMAGED, LGR_STEP_END };
/* What lies at `offset`, and where to go on. */
enum lgr_step lgr_image_step(const struct lgr_image *image, size_t offset, size_t *next);
void lgr_image_free(struct lgr_image *image);

/* Where an image comes from, and where to say what is wrong with it. */
struct lgr_source {
    const char *name;
    int descriptor;             /* -1: memory */
    const unsigned char *bytes; /* of memory */
    size_t size;
    char *error;
    size_t error_size;
};
/* Up to `size` bytes from `offset`; how many there were. */
size_t lgr_read_source(const struct lgr_source *source, void *to, size_t size, size_t offset);
/* Whether it begins as a merged file does (merged.h), which the second function reads as
 * an image; `processes` becomes the number of those it unites.  False: `error` says why. */
bool lgr_merged_looks_so(const struct lgr_source *source);
bool lgr_merged_read(struct lgr_image *image, const struct lgr_source *source, size_t *processes);
/* Maps or copies what there is and checks the header.  False: `error` says why. */
bool lgr_image_read(struct lgr_image *image, const struct lgr_source *source);
/* Writes the one sentence; always false. */
bool lgr_fail(const struct lgr_source *source, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct lgr_thread_rename {
    uint32_t serial;
    const char *name;
};

struct lgr_level_naming {
    int16_t level;
    const char *name;
};

struct lgr_file {
    struct lgr_image image;
    const struct lgr_source *source; /* while opening */
    struct lgr_header_copy header;
    struct lgr_process_info process;
    struct lgr_table modules, contexts, classes, locks, threads, findings;
    struct lgr_table edges;        /* const struct lgr_edge * */
    struct lgr_table conditions;   /* const struct lgr_condition * */
    struct lgr_table usages;       /* const struct lgr_usage * */
    struct lgr_table thread_waits; /* const struct lgr_thread_waits * */
    struct lgr_table seen;         /* const struct lgr_seen * */
    struct lgr_table states, messages, heartbeats;
    struct lgr_table spans; /* struct lgr_span */
    uint64_t spans_least;
    struct lgr_table stats;                /* of locks */
    struct lgr_table renames, level_names; /* applied to threads and classes at the end */
    struct lgr_arena arena;                /* strings, edges of findings, copies of records */
    bool no_memory;                        /* the arena was refused some */
    size_t at;                             /* offset of the record that is being read */
    unsigned char *copy;                   /* of that record; NULL: it is read where it lies */
    size_t damaged, unknown;
    size_t merged; /* processes; 0: no merged file */
};

enum lgr_outcome { LGR_READ_OK, LGR_READ_DAMAGED, LGR_READ_UNKNOWN, LGR_READ_NO_MEMORY };

/* What of a record has not been looked at yet. */
struct lgr_rest {
    const unsigned char *at;
    size_t left;
};
static inline struct lgr_rest lgr_rest_after(const struct lgr_record *record, size_t fixed) {
    return (struct lgr_rest){(const unsigned char *)record + fixed, record->size - fixed};
}
/* The next `size` bytes; NULL when there are fewer. */
static inline const void *lgr_take(struct lgr_rest *rest, size_t size) {
    if (size > rest->left)
        return NULL;
    const void *taken = rest->at;
    rest->at += size;
    rest->left -= size;
    return taken;
}
/* From the file's arena; NULL, and remembered, when out of memory. */
void *lgr_keep(struct lgr_file *file, size_t size);
/* Where what `pointer` points at, in the record that is being read, lies for good. */
const void *lgr_in_place(const struct lgr_file *file, const struct lgr_record *record, const void *pointer);
/* The next `length` bytes as a string of the file's; NULL when there are fewer, or out of
 * memory. */
char *lgr_take_string(struct lgr_file *file, struct lgr_rest *rest, size_t length);

/* One function per record type; the fixed part of the record is known to be
 * there. */
enum lgr_outcome lgr_read_process(struct lgr_file *file, const struct lgr_record *record);
enum lgr_outcome lgr_read_module(struct lgr_file *file, const struct lgr_record *record);
enum lgr_outcome lgr_read_context(struct lgr_file *file, const struct lgr_record *record);
enum lgr_outcome lgr_read_class(struct lgr_file *file, const struct lgr_record *record);
enum lgr_outcome lgr_read_lock(struct lgr_file *file, const struct lgr_record *record);
enum lgr_outcome lgr_read_lock_stats(struct lgr_file *file, const struct lgr_record *record);
enum lgr_outcome lgr_read_thread(struct lgr_file *file, const struct lgr_record *record);
enum lgr_outcome lgr_read_thread_name(struct lgr_file *file, const struct lgr_record *record);
enum lgr_outcome lgr_read_edge(struct lgr_file *file, const struct lgr_record *record);
enum lgr_outcome lgr_read_condition(struct lgr_file *file, const struct lgr_record *record);
enum lgr_outcome lgr_read_heartbeat(struct lgr_file *file, const struct lgr_record *record);
enum lgr_outcome lgr_read_usage(struct lgr_file *file, const struct lgr_record *record);
enum lgr_outcome lgr_read_thread_waits(struct lgr_file *file, const struct lgr_record *record);
enum lgr_outcome lgr_read_spans(struct lgr_file *file, const struct lgr_record *record);
enum lgr_outcome lgr_read_level_name(struct lgr_file *file, const struct lgr_record *record);
enum lgr_outcome lgr_read_seen(struct lgr_file *file, const struct lgr_record *record);
enum lgr_outcome lgr_read_message(struct lgr_file *file, const struct lgr_record *record);
enum lgr_outcome lgr_read_finding(struct lgr_file *file, const struct lgr_record *record);
enum lgr_outcome lgr_read_thread_state(struct lgr_file *file, const struct lgr_record *record);

#endif
