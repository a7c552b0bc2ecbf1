/* Opens an evidence file: image, records, indexes; and hands out the result. */
#include "record/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/reader_map.h"
#include "record/reader_model.h"

#define RELEASED_AT_ONCE ((size_t)16 << 20) /* bytes of a file that is mapped */

static uint64_t module_key(const void *item) { return ((const struct lgr_module_info *)item)->id; }
static uint64_t context_key(const void *item) { return ((const struct lgr_context_info *)item)->id; }
static uint64_t class_key(const void *item) { return ((const struct lgr_class_info *)item)->id; }
static uint64_t lock_key(const void *item) { return ((const struct lgr_lock_info *)item)->id; }
static uint64_t thread_key(const void *item) { return ((const struct lgr_thread_info *)item)->serial; }
static uint64_t finding_key(const void *item) {
    return ((const struct lgr_finding_info *)item)->finding->problem;
}
static uint64_t rename_key(const void *item) { return ((const struct lgr_thread_rename *)item)->serial; }
static uint64_t stats_key(const void *item) { return ((const struct lgr_lock_stats *)item)->lock; }

static uint64_t naming_key(const void *item) {
    return (uint16_t)((const struct lgr_level_naming *)item)->level;
}

#define TABLE(type, key_function) ((struct lgr_table){.item_size = sizeof(type), .key = (key_function)})

static void set_up_tables(struct lgr_file *file) {
    file->modules = TABLE(struct lgr_module_info, module_key);
    file->contexts = TABLE(struct lgr_context_info, context_key);
    file->classes = TABLE(struct lgr_class_info, class_key);
    file->locks = TABLE(struct lgr_lock_info, lock_key);
    file->threads = TABLE(struct lgr_thread_info, thread_key);
    file->findings = TABLE(struct lgr_finding_info, finding_key);
    file->renames = TABLE(struct lgr_thread_rename, rename_key);
    file->stats = TABLE(struct lgr_lock_stats, stats_key);
    file->level_names = TABLE(struct lgr_level_naming, naming_key);
    file->edges = TABLE(const struct lgr_edge *, NULL);
    file->conditions = TABLE(const struct lgr_condition *, NULL);
    file->usages = TABLE(const struct lgr_usage *, NULL);
    file->thread_waits = TABLE(const struct lgr_thread_waits *, NULL);
    file->seen = TABLE(const struct lgr_seen *, NULL);
    file->states = TABLE(struct lgr_thread_state, NULL);
    file->heartbeats = TABLE(struct lgr_heartbeat, NULL);
    file->spans = TABLE(struct lgr_span, NULL);
    file->messages = TABLE(struct lgr_message_info, NULL);
}

/* The size of the fixed part, and the function, of each type; and whether it is pointed at
 * later. */
static const struct {
    size_t fixed;
    enum lgr_outcome (*read)(struct lgr_file *, const struct lgr_record *);
    bool kept;
} record_types[] = {
    [LGR_PROCESS] = {sizeof(struct lgr_process), lgr_read_process, false},
    [LGR_MODULE] = {sizeof(struct lgr_module), lgr_read_module, true},
    [LGR_CONTEXT] = {sizeof(struct lgr_context), lgr_read_context, false},
    [LGR_CLASS] = {sizeof(struct lgr_class), lgr_read_class, false},
    [LGR_LOCK] = {sizeof(struct lgr_lock), lgr_read_lock, false},
    [LGR_THREAD] = {sizeof(struct lgr_thread), lgr_read_thread, false},
    [LGR_THREAD_NAME] = {sizeof(struct lgr_thread_name), lgr_read_thread_name, false},
    [LGR_EDGE] = {sizeof(struct lgr_edge), lgr_read_edge, false},
    [LGR_FINDING] = {sizeof(struct lgr_finding), lgr_read_finding, true},
    [LGR_THREAD_STATE] = {sizeof(struct lgr_thread_state), lgr_read_thread_state, false},
    [LGR_MESSAGE] = {sizeof(struct lgr_message), lgr_read_message, false},
    [LGR_LOCK_STATS] = {sizeof(struct lgr_lock_stats), lgr_read_lock_stats, false},
    [LGR_CONDITION] = {sizeof(struct lgr_condition), lgr_read_condition, true},
    [LGR_HEARTBEAT] = {sizeof(struct lgr_heartbeat), lgr_read_heartbeat, false},
    [LGR_USAGE] = {offsetof(struct lgr_usage, figures.estimated), lgr_read_usage, true},
    [LGR_LEVEL_NAME] = {sizeof(struct lgr_level_name), lgr_read_level_name, false},
    [LGR_SEEN] = {sizeof(struct lgr_seen), lgr_read_seen, true},
    [LGR_THREAD_WAITS] = {sizeof(struct lgr_thread_waits), lgr_read_thread_waits, true},
    [LGR_SPANS] = {sizeof(struct lgr_spans), lgr_read_spans, false},
};

static enum lgr_outcome read_record(struct lgr_file *file, const struct lgr_record *record) {
    if (record->type == LGR_PAD)
        return LGR_READ_OK;
    if (record->type >= sizeof record_types / sizeof record_types[0] || !record_types[record->type].read)
        return LGR_READ_UNKNOWN;
    if (record->size < record_types[record->type].fixed)
        return LGR_READ_DAMAGED;
    return record_types[record->type].read(file, record);
}

static bool is_kept(const struct lgr_record *record) {
    return record->type < sizeof record_types / sizeof record_types[0] && record_types[record->type].kept;
}

/* The record at file->at, in memory that nobody else writes to; NULL when out of it. */
static const struct lgr_record *record_of(struct lgr_file *file, size_t size) {
    const unsigned char *bytes = file->image.bytes + file->at;
    if (!file->image.mapped)
        return (const struct lgr_record *)(const void *)bytes;
    struct lgr_record *copy = (struct lgr_record *)(void *)file->copy;
    memcpy(copy, bytes, size);
    copy->size = (uint32_t)size;
    if (!is_kept(copy))
        return copy;
    void *kept = lgr_keep(file, size);
    return kept ? memcpy(kept, copy, size) : NULL;
}

/* What was read of the mapped file is not needed for now. */
static size_t release(struct lgr_file *file, size_t from, size_t to) {
    if (!file->image.mapped || to - from < RELEASED_AT_ONCE)
        return from;
    lgr_map_release(file->image.bytes + from, RELEASED_AT_ONCE);
    return from + RELEASED_AT_ONCE;
}

/* A record that lies across the end of what was mapped: the file was shorter then. */
static bool was_written_since(const struct lgr_file *file, enum lgr_step step, size_t next) {
    struct stat status;
    return step == LGR_STEP_DAMAGED && next == file->image.size && file->source->descriptor >= 0 &&
           fstat(file->source->descriptor, &status) == 0 && (uint64_t)status.st_size > file->image.size;
}

/* False when out of memory. */
static bool read_records(struct lgr_file *file) {
    size_t next = file->image.first_record, released = 0;
    for (;;) {
        file->at = next;
        enum lgr_step step = lgr_image_step(&file->image, file->at, &next);
        if (step == LGR_STEP_END || was_written_since(file, step, next))
            return true;
        enum lgr_outcome outcome = LGR_READ_DAMAGED;
        const struct lgr_record *record = NULL;
        if (step == LGR_STEP_RECORD && (record = record_of(file, next - file->at)))
            outcome = read_record(file, record);
        if (outcome == LGR_READ_NO_MEMORY || file->no_memory)
            return false;
        file->damaged += outcome == LGR_READ_DAMAGED;
        file->unknown += outcome == LGR_READ_UNKNOWN;
        released = release(file, released, next);
    }
}

static void copy_header(struct lgr_file *file) {
    const struct lgr_header *header = (const struct lgr_header *)(const void *)file->image.bytes;
    file->header = (struct lgr_header_copy){
        .version = header->version,
        .word_size = header->word_size,
        .endian = header->endian,
        .machine = header->machine,
        .pid = header->pid,
        .ppid = header->ppid,
        .start_realtime_ns = header->start_realtime_ns,
        .start_monotonic_ns = header->start_monotonic_ns,
        .end_realtime_ns = header->end_realtime_ns,
        .ended = header->ended,
        .exit_status = header->exit_status,
        .degraded = header->degraded,
        .findings = header->findings,
        .deadlocks = header->deadlocks,
        .locks = header->locks,
        .threads = header->threads,
        .nested_acquisitions = header->nested_acquisitions,
        .unwrapped = header->unwrapped,
        .dropped = header->dropped,
        .contended = header->contended,
        .instance_edges = header->instance_edges,
        .family = header->family,
    };
}

static bool index_tables(struct lgr_file *file) {
    return lgr_table_index(&file->modules) && lgr_table_index(&file->contexts) &&
           lgr_table_index(&file->classes) && lgr_table_index(&file->locks) &&
           lgr_table_index(&file->threads) && lgr_table_index(&file->findings) &&
           lgr_table_index(&file->renames) && lgr_table_index(&file->stats) &&
           lgr_table_index(&file->level_names);
}

static void apply_renames(struct lgr_file *file) {
    struct lgr_thread_info *threads = (struct lgr_thread_info *)(void *)file->threads.items;
    for (size_t i = 0; i < file->threads.count; i++) {
        const struct lgr_thread_rename *rename = lgr_table_find(&file->renames, threads[i].serial);
        if (rename)
            threads[i].name = rename->name;
    }
}

static void apply_level_names(struct lgr_file *file) {
    struct lgr_class_info *classes = (struct lgr_class_info *)(void *)file->classes.items;
    for (size_t i = 0; i < file->classes.count; i++) {
        const struct lgr_level_naming *naming =
            lgr_table_find(&file->level_names, (uint16_t)classes[i].level);
        if (naming)
            classes[i].level_name = naming->name;
    }
}

static bool make_room(struct lgr_file *file) {
    if (file->image.mapped)
        file->copy = malloc(LGR_CHUNK);
    return !file->image.mapped || file->copy;
}

static bool load(struct lgr_file *file) {
    bool merged = lgr_merged_looks_so(file->source);
    if (merged ? !lgr_merged_read(&file->image, file->source, &file->merged)
               : !lgr_image_read(&file->image, file->source))
        return false;
    if (!make_room(file) || !read_records(file) || !index_tables(file))
        return lgr_fail(file->source, "does not fit into memory (%zu bytes); read it on a larger machine",
                        file->image.size);
    free(file->copy);
    file->copy = NULL;
    copy_header(file);
    apply_renames(file);
    apply_level_names(file);
    return true;
}

static struct lgr_file *open_source(const struct lgr_source *source) {
    struct lgr_file *file = calloc(1, sizeof *file);
    if (!file) {
        lgr_fail(source, "cannot be read: no memory; close other programs");
        return NULL;
    }
    set_up_tables(file);
    file->process = (struct lgr_process_info){"", "", "", ""};
    file->source = source;
    if (!load(file)) {
        lgr_close(file);
        return NULL;
    }
    file->source = NULL;
    return file;
}

struct lgr_file *lgr_open_memory(const void *data, size_t size, char *error, size_t error_size) {
    struct lgr_source source = {.name = "the buffer",
                                .descriptor = -1,
                                .bytes = data,
                                .size = size,
                                .error = error,
                                .error_size = error_size};
    return open_source(&source);
}

struct lgr_file *lgr_open(const char *path, char *error, size_t error_size) {
    struct lgr_source source = {.name = path, .error = error, .error_size = error_size};
    /* Not blocking: the name may be that of a pipe. */
    source.descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (source.descriptor < 0) {
        lgr_fail(&source, "cannot be opened (%s); check the path and its permissions", strerror(errno));
        return NULL;
    }
    struct stat status;
    struct lgr_file *file = NULL;
    if (fstat(source.descriptor, &status) == 0 && S_ISREG(status.st_mode))
        file = open_source(&source);
    else
        lgr_fail(&source, "is no regular file; give an .lgd file");
    close(source.descriptor);
    return file;
}

void lgr_close(struct lgr_file *file) {
    if (!file)
        return;
    struct lgr_table *tables[] = {
        &file->modules,  &file->contexts,     &file->classes, &file->locks,      &file->threads,
        &file->findings, &file->renames,      &file->stats,   &file->edges,      &file->states,
        &file->messages, &file->conditions,   &file->usages,  &file->heartbeats, &file->level_names,
        &file->seen,     &file->thread_waits, &file->spans};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        lgr_table_free(tables[i]);
    lgr_arena_free(&file->arena);
    free(file->copy);
    lgr_image_free(&file->image);
    free(file);
}

const struct lgr_header_copy *lgr_header(const struct lgr_file *file) { return &file->header; }
const struct lgr_process_info *lgr_process(const struct lgr_file *file) { return &file->process; }
size_t lgr_damaged(const struct lgr_file *file) { return file->damaged; }
size_t lgr_unknown(const struct lgr_file *file) { return file->unknown; }

/* An edge, or the frames of a context, are about to be looked at. */
static void touch(const struct lgr_file *file) {
    if (file->image.mapped && file->image.size > RELEASED_AT_ONCE)
        lgr_map_touch(file->image.bytes, file->image.size);
}

static const void *all(const struct lgr_table *table, size_t *count) {
    *count = table->count;
    return table->items;
}

const struct lgr_module_info *lgr_modules(const struct lgr_file *file, size_t *count) {
    return all(&file->modules, count);
}
const struct lgr_context_info *lgr_contexts(const struct lgr_file *file, size_t *count) {
    return all(&file->contexts, count);
}
const struct lgr_class_info *lgr_classes(const struct lgr_file *file, size_t *count) {
    return all(&file->classes, count);
}
const struct lgr_lock_info *lgr_locks(const struct lgr_file *file, size_t *count) {
    return all(&file->locks, count);
}
const struct lgr_thread_info *lgr_threads(const struct lgr_file *file, size_t *count) {
    return all(&file->threads, count);
}
const struct lgr_finding_info *lgr_findings(const struct lgr_file *file, size_t *count) {
    return all(&file->findings, count);
}
const struct lgr_heartbeat *lgr_heartbeats(const struct lgr_file *file, size_t *count) {
    return all(&file->heartbeats, count);
}

const struct lgr_thread_state *lgr_thread_states(const struct lgr_file *file, size_t *count) {
    return all(&file->states, count);
}
const struct lgr_message_info *lgr_messages(const struct lgr_file *file, size_t *count) {
    return all(&file->messages, count);
}

const struct lgr_module_info *lgr_module_by_id(const struct lgr_file *file, uint32_t id) {
    return lgr_table_find(&file->modules, id);
}
const struct lgr_context_info *lgr_context_by_id(const struct lgr_file *file, uint32_t id) {
    touch(file);
    return lgr_table_find(&file->contexts, id);
}
const struct lgr_class_info *lgr_class_by_id(const struct lgr_file *file, uint32_t id) {
    return lgr_table_find(&file->classes, id);
}
const struct lgr_lock_info *lgr_lock_by_id(const struct lgr_file *file, uint64_t id) {
    return lgr_table_find(&file->locks, id);
}
const struct lgr_lock_stats *lgr_stats_of_lock(const struct lgr_file *file, uint64_t id) {
    static const struct lgr_lock_stats none;
    const struct lgr_lock_stats *stats = lgr_table_find(&file->stats, id);
    return stats ? stats : &none;
}
const struct lgr_thread_info *lgr_thread_by_serial(const struct lgr_file *file, uint32_t serial) {
    return lgr_table_find(&file->threads, serial);
}

size_t lgr_condition_count(const struct lgr_file *file) { return file->conditions.count; }
const struct lgr_condition *lgr_condition_at(const struct lgr_file *file, size_t index) {
    return ((const struct lgr_condition *const *)(const void *)file->conditions.items)[index];
}

size_t lgr_usage_count(const struct lgr_file *file) { return file->usages.count; }
const struct lgr_usage *lgr_usage_at(const struct lgr_file *file, size_t index) {
    return ((const struct lgr_usage *const *)(const void *)file->usages.items)[index];
}

size_t lgr_thread_waits_count(const struct lgr_file *file) { return file->thread_waits.count; }
const struct lgr_thread_waits *lgr_thread_waits_at(const struct lgr_file *file, size_t index) {
    return ((const struct lgr_thread_waits *const *)(const void *)file->thread_waits.items)[index];
}

const struct lgr_span *lgr_spans(const struct lgr_file *file, size_t *count) {
    return all(&file->spans, count);
}
uint64_t lgr_spans_least(const struct lgr_file *file) { return file->spans_least; }

size_t lgr_merged(const struct lgr_file *file) { return file->merged; }
size_t lgr_seen_count(const struct lgr_file *file) { return file->seen.count; }
const struct lgr_seen *lgr_seen_at(const struct lgr_file *file, size_t index) {
    return ((const struct lgr_seen *const *)(const void *)file->seen.items)[index];
}

size_t lgr_edge_count(const struct lgr_file *file) { return file->edges.count; }
const struct lgr_edge *lgr_edge_at(const struct lgr_file *file, size_t index) {
    touch(file);
    return ((const struct lgr_edge *const *)(const void *)file->edges.items)[index];
}
