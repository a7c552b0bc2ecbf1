/* Appends records to the evidence file.  One writer a process, one lock. */
#include "record/writer.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "platform/futex_lock.h"
#include "platform/own_process.h"
#include "platform/print.h"
#include "platform/system.h"
#include "record/told.h"
#include "record/writer_file.h"
#include "record/writer_internal.h"

/* Allocated at the start: most programs need little, and the first touch of a
 * large file costs more (measured on ext4: 51 us with 256 KiB, 9 with 16). */
#define FIRST_SIZE (16u * 1024u)

/* Takes the place of the header while there is no file. */
static struct lgr_header no_header;

static struct {
    struct lgp_lock lock;
    _Atomic(struct lgr_header *) header; /* read without the lock; NULL: no_header */
    atomic_bool on; /* read without the lock, relaxed: a late reader only writes one record more */
    /* Under the lock: */
    uint64_t max_data;
    uint64_t position;         /* file offset of the next record */
    char *chunk;               /* the chunk that contains position, or just ends there */
    size_t pending;            /* size of the record begun */
    atomic_bool past_max_data; /* read without the lock, relaxed */
    struct lgr_output output;
} writer = {.output = {.descriptor = -1}};

bool lgr_writer_on(void) { return atomic_load_explicit(&writer.on, memory_order_relaxed); }

struct lgr_header *lgr_writer_header(void) {
    struct lgr_header *header = atomic_load_explicit(&writer.header, memory_order_acquire);
    return header ? header : &no_header;
}

bool lgr_writer_is_own(void) { return lgr_writer_header()->pid == lgp_pid(); }

const char *lgr_writer_path(void) {
    return atomic_load_explicit(&writer.header, memory_order_acquire) ? writer.output.path : "";
}

static void count_dropped(void) {
    atomic_fetch_add_explicit(&lgr_writer_header()->dropped, 1, memory_order_relaxed);
}

static void degrade(uint32_t bit) {
    atomic_fetch_or_explicit(&lgr_writer_header()->degraded, bit, memory_order_relaxed);
}

static const char *reason(long error) {
    switch (-error) {
    case ENOSPC:
        return "the disk is full";
    case EDQUOT:
        return "the disk quota is used up";
    case EFBIG:
        return "the file size limit (ulimit -f) forbids it";
    case EBADF:
        return "the program closed our descriptor and the file cannot be opened again";
    case EACCES:
    case EPERM:
        return "permission denied";
    case EROFS:
        return "the file system is read-only";
    case ENOENT:
        return "the directory above it does not exist";
    case ENOTDIR:
        return "a file is in the way";
    case EEXIST:
        return "every name is taken";
    case ENAMETOOLONG:
        return "the path is too long";
    case EMFILE:
    case ENFILE:
        return "too many open files";
    case ENOMEM:
        return "no address space left";
    default:
        return NULL;
    }
}

static void warn_failure(const char *what, const char *path, long error) {
    const char *text = reason(error);
    if (text)
        lgp_warn("%s %s: %s; the program goes on", what, path, text);
    else
        lgp_warn("%s %s: error %ld; the program goes on", what, path, -error);
}

/* Growth failed: off for good, with one warning. */
static void end_recording(long error) {
    atomic_store_explicit(&writer.on, false, memory_order_relaxed);
    lgr_told_unrecorded();
    degrade(error == -EBADF ? LGR_DEGRADED_FILE : LGR_DEGRADED_DISK);
    warn_failure("recording ends in", writer.output.path, error);
}

static size_t left_in_chunk(void) { return (size_t)(writer.output.mapped - writer.position); }

static bool grown(long result) {
    if (result != 0)
        end_recording(result);
    return result == 0;
}

/* The rest of the old chunk is filled only once the new one exists: a failure
 * in between leaves a file that just ends. */
static bool next_chunk(void) {
    size_t rest = left_in_chunk();
    struct lgr_record *pad = (struct lgr_record *)(void *)(writer.chunk + (LGR_CHUNK - rest));
    char *chunk;
    if (!grown(lgr_output_grow(&writer.output, LGR_CHUNK, &chunk)))
        return false;
    if (rest > 0) {
        pad->type = LGR_PAD;
        __atomic_store_n(&pad->size, (uint32_t)rest, __ATOMIC_RELEASE);
        writer.position += rest;
    }
    writer.chunk = chunk;
    return true;
}

static bool make_room(size_t size) {
    if (writer.position + size > writer.output.allocated && !grown(lgr_output_complete(&writer.output)))
        return false;
    return size <= left_in_chunk() || next_chunk();
}

/* Sticky: once a record was refused, later small ones are refused too, so that
 * what is there is everything up to one moment. */
static bool within_limit(size_t size, bool important) {
    if (writer.max_data == 0)
        return true;
    uint64_t end = writer.position + size;
    bool past = atomic_load_explicit(&writer.past_max_data, memory_order_relaxed);
    if (!past && end > writer.max_data) {
        past = true;
        atomic_store_explicit(&writer.past_max_data, true, memory_order_relaxed);
        degrade(LGR_DEGRADED_MAX_DATA);
        lgp_warn("the evidence reached max_data in %s: from here on only findings are recorded",
                 writer.output.path);
    }
    if (!past)
        return true;
    return important && end <= writer.max_data + LGR_RESERVE;
}

static struct lgr_record *place_record(size_t size, bool important) {
    if (!lgr_writer_on() || !within_limit(size, important))
        return NULL;
    if (!make_room(size))
        return NULL;
    return (struct lgr_record *)(void *)(writer.chunk + (LGR_CHUNK - left_in_chunk()));
}

static size_t rounded(size_t size) { return (size + LGR_ALIGN - 1) & ~(size_t)(LGR_ALIGN - 1); }

/* A child of a raw clone has the parent's state, and perhaps its lock taken by a
 * thread that does not exist here: it must not write. */
static bool may_write(size_t size) {
    return lgr_writer_on() && size <= LGR_CHUNK - sizeof(struct lgr_header) && lgp_own_process();
}

void *lgr_begin(uint16_t type, size_t size, bool important) {
    struct lgr_record *record = NULL;
    if (may_write(size)) {
        lgp_lock(&writer.lock);
        record = place_record(rounded(size), important);
        if (record) {
            record->type = type;
            writer.pending = rounded(size);
            return record;
        }
        lgp_unlock(&writer.lock);
    }
    count_dropped();
    return NULL;
}

bool lgr_writer_accepts(bool important) {
    if (lgr_writer_on() && (important || !atomic_load_explicit(&writer.past_max_data, memory_order_relaxed)))
        return true;
    count_dropped();
    return false;
}

void lgr_commit(void *record) {
    struct lgr_record *first = record;
    /* Pairs with the reader, which looks at the rest only after it saw a size. */
    __atomic_store_n(&first->size, (uint32_t)writer.pending, __ATOMIC_RELEASE);
    writer.position += writer.pending;
    lgp_unlock(&writer.lock);
}

void lgr_writer_finish(enum lgr_end how, int exit_status) {
    struct lgr_header *header = lgr_writer_header();
    uint64_t now = how == LGR_RUNNING ? 0 : lgp_realtime_ns();
    atomic_store_explicit(&header->end_realtime_ns, now, memory_order_relaxed);
    atomic_store_explicit(&header->exit_status, exit_status, memory_order_relaxed);
    /* Last, so that who sees the end sees its time and status. */
    atomic_store_explicit(&header->ended, (uint32_t)how, memory_order_release);
}

static void start_at(char *chunk) {
    struct lgr_header *header = (struct lgr_header *)(void *)chunk;
    lgr_fill_header(header);
    writer.chunk = chunk;
    writer.position = header->header_size;
    lgp_own_process_begin();
    atomic_store_explicit(&writer.past_max_data, false, memory_order_relaxed);
    atomic_store_explicit(&writer.header, header, memory_order_release);
    atomic_store_explicit(&writer.on, true, memory_order_relaxed);
}

static void store_magic(struct lgr_header *header) {
    uint64_t magic;
    memcpy(&magic, LGR_MAGIC, sizeof magic);
    __atomic_store_n((uint64_t *)(void *)header->magic, magic, __ATOMIC_RELEASE);
}

/* The name comes last: a file that has one can be read, whenever the process
 * is killed.  Without O_TMPFILE the moment between is short, not absent. */
static long start_file(const struct lgr_writer_options *options, const char *effective_options,
                       bool unnamed) {
    long result = lgr_output_create(&writer.output, options->directory, unnamed);
    if (result != 0)
        return result;
    char *chunk;
    result = lgr_output_grow(&writer.output, FIRST_SIZE, &chunk);
    if (result != 0)
        return result;
    start_at(chunk);
    lgr_writer_header()->run = options->run;
    lgr_write_process(effective_options);
    store_magic(lgr_writer_header());
    return lgr_output_publish(&writer.output);
}

static void forget_file(void) {
    atomic_store_explicit(&writer.on, false, memory_order_relaxed);
    atomic_store_explicit(&writer.header, NULL, memory_order_release);
}

bool lgr_writer_open(const struct lgr_writer_options *options, const char *effective_options) {
    if (atomic_load_explicit(&writer.header, memory_order_acquire))
        return lgr_writer_on();
    writer.max_data = options->max_data;
    if (start_file(options, effective_options, true) == 0)
        return true;
    forget_file();
    lgr_output_discard(&writer.output);
    long result = start_file(options, effective_options, false);
    if (result == 0)
        return true;
    forget_file();
    lgr_output_discard(&writer.output);
    warn_failure("nothing is recorded: cannot write to", options->directory, result);
    return false;
}

void lgr_writer_fork_child(void) {
    forget_file();
    lgr_output_drop(&writer.output);
    memset((void *)&no_header, 0, sizeof no_header);
    /* Whoever waited for the lock stayed in the parent. */
    atomic_store_explicit(&writer.lock.state, 0, memory_order_relaxed);
}
