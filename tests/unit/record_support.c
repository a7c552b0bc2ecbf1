#include "record_support.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/writer.h"
#include "record_walk.h"

struct image image_new(void) {
    struct image image = {calloc(1, sizeof(struct lgr_header)), sizeof(struct lgr_header)};
    struct lgr_header *header = image_header(&image);
    memcpy(header->magic, LGR_MAGIC, 8);
    header->version = LGR_VERSION;
    header->word_size = sizeof(void *);
    header->endian = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? LGR_LITTLE_ENDIAN : LGR_BIG_ENDIAN;
    header->header_size = sizeof *header;
    header->pid = 4711;
    return image;
}

struct lgr_header *image_header(struct image *image) {
    return (struct lgr_header *)(void *)image->bytes;
}

void *image_add(struct image *image, uint16_t type, size_t size) {
    size_t whole = (size + LGR_ALIGN - 1) & ~(size_t)(LGR_ALIGN - 1);
    image->bytes = realloc(image->bytes, image->size + whole);
    struct lgr_record *record = (struct lgr_record *)(void *)(image->bytes + image->size);
    memset(record, 0, whole);
    record->size = (uint32_t)whole;
    record->type = type;
    image->size += whole;
    return record;
}

void image_write(const struct image *image, const char *path, off_t size) {
    int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    ck_assert_int_eq(write(descriptor, image->bytes, image->size), (ssize_t)image->size);
    if (size)
        ck_assert_int_eq(ftruncate(descriptor, size), 0);
    close(descriptor);
}

void image_free(struct image *image) { free(image->bytes); }

static void add_process(struct image *image) {
    static const char strings[] = "/bin/prog"
                                  "prog\0-x\0"
                                  "a=b"
                                  "lockgraph 9";
    struct lgr_process *process = image_add(image, LGR_PROCESS, sizeof *process + sizeof strings - 1);
    process->exe_length = 9;
    process->cmdline_length = 8;
    process->options_length = 3;
    process->tool_length = 11;
    memcpy(process + 1, strings, sizeof strings - 1);
}

static void add_module(struct image *image) {
    struct lgr_module *module = image_add(image, LGR_MODULE, sizeof *module + 4 + 7);
    module->id = 1;
    module->build_id_length = 4;
    module->start = 0x1000;
    module->end = 0x9000;
    module->bias = 0x1000;
    module->path_length = 7;
    memcpy(module + 1, "\x01\x02\x03\x04/bin/xy", 11);
}

static void add_context(struct image *image) {
    struct lgr_context *context =
        image_add(image, LGR_CONTEXT, sizeof *context + 2 * sizeof(struct lgr_location));
    context->id = 1;
    context->frame_count = 2;
    context->flags = LGR_CONTEXT_PARTIAL;
    context->frames[0] = (struct lgr_location){1, 0, 0x123};
    context->frames[1] = (struct lgr_location){1, 0, 0x456};
}

static void add_classes(struct image *image) {
    struct lgr_class *class = image_add(image, LGR_CLASS, sizeof *class + 5);
    class->id = 1;
    class->kind = LGR_CLASS_NAMED;
    class->level = 40;
    class->name_length = 5;
    memcpy(class + 1, "table", 5);
    class = image_add(image, LGR_CLASS, sizeof *class);
    class->id = 2;
    class->kind = LGR_CLASS_STATIC;
    class->level = INT16_MIN;
    class->variable = (struct lgr_location){1, 0, 0x4000};
}

static void add_locks(struct image *image) {
    for (uint64_t id = 1; id <= 2; id++) {
        struct lgr_lock *lock = image_add(image, LGR_LOCK, sizeof *lock);
        lock->id = id;
        lock->address = 0x5000 + id;
        lock->class_id = (uint32_t)id;
        lock->kind = LGR_LOCK_MUTEX;
        lock->attributes = LGR_LOCK_RECURSIVE;
    }
    struct lgr_lock_stats *stats = image_add(image, LGR_LOCK_STATS, sizeof *stats);
    stats->lock = 2;
    stats->contended = 17;
}

static void add_thread(struct image *image) {
    struct lgr_thread *thread = image_add(image, LGR_THREAD, sizeof *thread + 4);
    thread->serial = 1;
    thread->tid = 4712;
    thread->name_length = 4;
    memcpy(thread + 1, "main", 4);
    struct lgr_thread_name *name = image_add(image, LGR_THREAD_NAME, sizeof *name + 6);
    name->serial = 1;
    name->name_length = 6;
    memcpy(name + 1, "worker", 6);
}

static void add_edge(struct image *image) {
    struct lgr_edge *edge = image_add(image, LGR_EDGE, sizeof *edge);
    edge->from_class = 1;
    edge->to_class = 2;
    edge->from_lock = 1;
    edge->to_lock = 2;
    edge->mode_to = LGR_SHARED;
}

static void add_finding(struct image *image) {
    size_t edge_size = sizeof(struct lgr_finding_edge);
    struct lgr_finding *finding =
        image_add(image, LGR_FINDING, sizeof *finding + 2 * edge_size + sizeof(struct lgr_held));
    finding->problem = 1;
    finding->kind = LGR_KIND_ORDER_CYCLE;
    finding->verdict = LGR_VERDICT_FEASIBLE;
    finding->severity = LGR_ERROR;
    finding->count = 3;
    finding->edge_count = 2;
    struct lgr_finding_edge *edge = (struct lgr_finding_edge *)(void *)(finding + 1);
    *edge = (struct lgr_finding_edge){.from = 1, .to = 2, .from_class = 1, .to_class = 2, .held_count = 1};
    edge->held[0] = (struct lgr_held){.lock = 1, .context = 1, .mode = LGR_EXCLUSIVE};
    edge = (struct lgr_finding_edge *)(void *)&edge->held[1];
    *edge = (struct lgr_finding_edge){.from = 2, .to = 1, .from_class = 2, .to_class = 1};
}

static void add_state(struct image *image) {
    struct lgr_thread_state *state = image_add(image, LGR_THREAD_STATE, sizeof *state);
    state->sequence = 4;
    state->serial = 1;
    state->wait_kind = LGR_WAIT_LOCK;
    state->target = 2;
    state->held_count = 1;
    state->held[0] = (struct lgr_held){.lock = 1, .context = 1};
}

static void add_message(struct image *image) {
    struct lgr_message *message = image_add(image, LGR_MESSAGE, sizeof *message + 5);
    message->severity = LGR_WARNING;
    message->text_length = 5;
    memcpy(message + 1, "hello", 5);
}

static void add_spans(struct image *image) {
    struct lgr_spans *spans = image_add(image, LGR_SPANS, sizeof *spans + 3 * sizeof spans->spans[0]);
    spans->least_ns = 1000;
    spans->spans[0] =
        (struct lgr_span){.start_ns = 5000, .length_ns = 2000, .target = 1, .thread = 1, .context = 1};
    spans->spans[0].check = lgr_span_check(&spans->spans[0]);
    spans->spans[2] = (struct lgr_span){.start_ns = 9000, .length_ns = 1, .thread = 1}; /* being written */
}
void image_add_everything(struct image *image) {
    add_process(image);
    add_module(image);
    add_context(image);
    add_classes(image);
    add_locks(image);
    add_thread(image);
    add_edge(image);
    add_finding(image);
    add_state(image);
    add_message(image);
    add_spans(image);
}

char temporary[64];

void temporary_make(void) {
    snprintf(temporary, sizeof temporary, "/tmp/lockgraph-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(temporary));
}

static int is_evidence(const char *name) {
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".lgd") == 0;
}

int temporary_files(char *path, size_t size) {
    int count = 0;
    DIR *directory = opendir(temporary);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (!is_evidence(entry->d_name))
            continue;
        count++;
        if (path)
            snprintf(path, size, "%s/%s", temporary, entry->d_name);
    }
    if (directory)
        closedir(directory);
    return count;
}

void temporary_remove(void) {
    lgr_writer_fork_child();
    DIR *directory = opendir(temporary);
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        unlinkat(dirfd(directory), entry->d_name, 0); /* no test leaves a directory there */
    if (directory)
        closedir(directory);
    rmdir(temporary);
}

void writer_start(uint64_t max_data) {
    struct lgr_writer_options options = {.directory = temporary, .max_data = max_data};
    ck_assert(lgr_writer_open(&options, "key=value"));
}

struct lgr_file *open_path(const char *path) {
    char error[256] = "";
    struct lgr_file *file = lgr_open(path, error, sizeof error);
    ck_assert_msg(file != NULL, "%s", error);
    walk_file(file);
    return file;
}

struct lgr_file *open_written(void) {
    return open_path(lgr_writer_path());
}

bool write_edge(uint32_t number) {
    struct lgr_edge *edge = lgr_begin(LGR_EDGE, sizeof *edge, false);
    if (!edge)
        return false;
    edge->from_class = number;
    edge->to_class = ~number;
    lgr_commit(edge);
    return true;
}

uint32_t write_edges(uint32_t count) {
    uint32_t written = 0;
    while (written < count && write_edge(written))
        written++;
    return written;
}

bool write_finding(uint32_t problem, uint8_t verdict, bool important) {
    struct lgr_finding *finding = lgr_begin(LGR_FINDING, sizeof *finding, important);
    if (!finding)
        return false;
    finding->problem = problem;
    finding->kind = LGR_KIND_DEADLOCK;
    finding->verdict = verdict;
    finding->severity = LGR_ERROR;
    finding->count = 1;
    lgr_commit(finding);
    return true;
}
