#include "record/reader_merged_stream.h"

#include <stdlib.h>
#include <string.h>

#define BUFFER         ((size_t)1 << 20)
#define LARGEST_RECORD (UINT32_C(16) << 20) /* of evidence none is larger than a chunk */

static const struct lgm_record *fail(struct lgm_stream *stream, const char *what, const char *cure) {
    unsigned long long at = stream->offset + stream->used;
    stream->failed = true;
    lgr_fail(stream->source, "%s (at byte %llu); %s", what, at, cure);
    return NULL;
}

static const struct lgm_record *fail_for_memory(struct lgm_stream *stream) {
    stream->failed = true;
    lgr_fail(stream->source, "does not fit into memory; read it on a larger machine");
    return NULL;
}

/* ---- bytes ---- */

/* At least `size` bytes that were not used yet, if the file has so many.  False: no memory. */
static bool fill(struct lgm_stream *stream, size_t size) {
    if (stream->filled - stream->used >= size)
        return true;
    if (size > stream->room) {
        unsigned char *bytes = realloc(stream->bytes, size);
        if (!bytes)
            return false;
        stream->bytes = bytes;
        stream->room = size;
    }
    memmove(stream->bytes, stream->bytes + stream->used, stream->filled - stream->used);
    stream->filled -= stream->used;
    stream->offset += stream->used;
    stream->used = 0;
    stream->filled += lgr_read_source(stream->source, stream->bytes + stream->filled,
                                      stream->room - stream->filled, stream->offset + stream->filled);
    return true;
}

static size_t at_hand(const struct lgm_stream *stream) { return stream->filled - stream->used; }

static const struct lgm_record *record_here(const struct lgm_stream *stream) {
    return (const struct lgm_record *)(const void *)(stream->bytes + stream->used);
}

/* ---- records ---- */

bool lgm_stream_open(struct lgm_stream *stream, const struct lgr_source *source) {
    struct lgm_header header;
    *stream = (struct lgm_stream){.source = source, .room = BUFFER, .bytes = malloc(BUFFER)};
    if (!stream->bytes)
        return fail_for_memory(stream) != NULL;
    fill(stream, sizeof header);
    if (at_hand(stream) < sizeof header) {
        stream->failed = true;
        return lgr_fail(source, "is cut short inside its header; use a whole copy");
    }
    memcpy(&header, stream->bytes, sizeof header);
    stream->used = sizeof header;
    const char *problem = lgm_header_problem(&header);
    stream->failed = problem != NULL;
    return !problem || lgr_fail(source, "%s", problem);
}

/* A whole record, sound by itself; NULL when it failed. */
static const struct lgm_record *take(struct lgm_stream *stream) {
    static const char again[] = "use another copy, or merge again";
    if (!fill(stream, sizeof(struct lgm_record)))
        return fail_for_memory(stream);
    if (at_hand(stream) < sizeof(struct lgm_record))
        return fail(stream, "is cut short before its end", "use a whole copy, or merge again");
    uint32_t size = record_here(stream)->size;
    if (size > LARGEST_RECORD)
        return fail(stream, "is damaged", again);
    if (!fill(stream, size))
        return fail_for_memory(stream);
    const struct lgm_record *record = record_here(stream);
    if (!lgm_is_sound(record, at_hand(stream)) || (stream->count && lgm_compare(stream->before, record) >= 0))
        return fail(stream, "is damaged or cut short", again);
    return record;
}

static bool remember(struct lgm_stream *stream, const struct lgm_record *record) {
    if (record->size > stream->before_room) {
        free(stream->before);
        stream->before_room = 2 * (size_t)record->size;
        stream->before = malloc(stream->before_room);
    }
    if (!stream->before)
        return false;
    memcpy(stream->before, record, record->size);
    stream->count++;
    stream->used += record->size;
    return true;
}

static void end(struct lgm_stream *stream, const struct lgm_record *record) {
    const struct lgm_end *key = lgm_key(record);
    uint64_t count = key->count;
    stream->used += record->size;
    fill(stream, 1);
    stream->ended = count == stream->count && at_hand(stream) == 0;
    if (!stream->ended)
        fail(stream, "is damaged at its end", "use another copy, or merge again");
}

const struct lgm_record *lgm_stream_next(struct lgm_stream *stream) {
    const struct lgm_record *record = stream->ended || stream->failed ? NULL : take(stream);
    if (!record)
        return NULL;
    if (record->type == LGM_END) {
        end(stream, record);
        return NULL;
    }
    return remember(stream, record) ? stream->before : fail_for_memory(stream);
}

void lgm_stream_close(struct lgm_stream *stream) {
    free(stream->bytes);
    free(stream->before);
}
