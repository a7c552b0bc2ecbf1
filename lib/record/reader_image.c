/* From a file that may be growing, cut short or hostile to a checked copy of
 * its committed part. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/reader_model.h"

bool lgr_fail(const struct lgr_source *source, const char *format, ...) {
    if (source->error_size == 0)
        return false;
    int used = snprintf(source->error, source->error_size, "%s ", source->name);
    va_list arguments;
    va_start(arguments, format);
    if (used > 0 && (size_t)used < source->error_size)
        vsnprintf(source->error + used, source->error_size - (size_t)used, format, arguments);
    va_end(arguments);
    return false;
}

static size_t next_chunk(size_t offset) { return offset - offset % LGR_CHUNK + LGR_CHUNK; }

enum lgr_step lgr_image_step(const struct lgr_image *image, size_t offset, size_t *next) {
    *next = offset;
    if (offset >= image->size)
        return LGR_STEP_END;
    *next = image->size;
    if (image->size - offset < sizeof(struct lgr_record))
        return LGR_STEP_DAMAGED;
    size_t size = ((const struct lgr_record *)(const void *)(image->bytes + offset))->size;
    if (size == 0) {
        *next = offset;
        return LGR_STEP_END;
    }
    /* No record crosses a chunk, so the next chunk begins with one. */
    size_t chunk_end = next_chunk(offset);
    if (size < sizeof(struct lgr_record) || size % LGR_ALIGN != 0 || size > chunk_end - offset) {
        *next = chunk_end < image->size ? chunk_end : image->size;
        return LGR_STEP_DAMAGED;
    }
    if (size > image->size - offset)
        return LGR_STEP_DAMAGED;
    *next = offset + size;
    return LGR_STEP_RECORD;
}

size_t lgr_read_source(const struct lgr_source *source, void *to, size_t size, size_t offset) {
    if (source->descriptor < 0) {
        size_t left = offset < source->size ? source->size - offset : 0;
        size_t part = size < left ? size : left;
        if (part > 0)
            memcpy(to, source->bytes + offset, part);
        return part;
    }
    size_t done = 0;
    while (done < size) {
        ssize_t part = pread(source->descriptor, (char *)to + done, size - done, (off_t)(offset + done));
        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            break;
        done += (size_t)part;
    }
    return done;
}

static bool is_blank(const struct lgr_image *image) {
    for (size_t i = 0; i < image->size && i < 8; i++)
        if (image->bytes[i] != 0)
            return false;
    return true;
}

static bool check_byte_order(const struct lgr_header *header, const struct lgr_source *source) {
    unsigned ours = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? LGR_LITTLE_ENDIAN : LGR_BIG_ENDIAN;
    unsigned theirs = header->endian, swapped = (theirs >> 8 | theirs << 8) & 0xffffu;
    if (theirs == ours)
        return true;
    if (swapped == LGR_LITTLE_ENDIAN || swapped == LGR_BIG_ENDIAN)
        return lgr_fail(
            source, "was written on a machine of the other byte order (byte 12); read it on such a machine");
    return lgr_fail(source, "is damaged: byte order %u (byte 12) does not exist; use another copy", theirs);
}

static bool check_version(const struct lgr_header *header, const struct lgr_source *source) {
    unsigned version = header->version;
    if (version > LGR_VERSION)
        return lgr_fail(source, "was written by a newer lockgraph (format %u); use that version", version);
    if (version < LGR_OLDEST)
        return lgr_fail(source, "was written by an older lockgraph (format %u); use that version", version);
    return true;
}

static bool check_sizes(const struct lgr_header *header, size_t file_size, const struct lgr_source *source) {
    if (header->word_size != 4 && header->word_size != 8)
        return lgr_fail(source, "is damaged: word size %u (byte 10) does not exist; use another copy",
                        header->word_size);
    uint32_t size = header->header_size;
    if (size < sizeof *header || size % LGR_ALIGN != 0 || size > LGR_CHUNK)
        return lgr_fail(source, "is damaged: header size %u (byte 16) is impossible; use another copy", size);
    if (size > file_size)
        return lgr_fail(source,
                        "is cut short: it ends at byte %zu, inside its header of %u; use a whole copy",
                        file_size, size);
    return true;
}

/* `image` holds the first chunk, or all there is. */
static bool check_header(const struct lgr_image *image, const struct lgr_source *source) {
    if (is_blank(image))
        return lgr_fail(source,
                        "holds nothing (byte 0): its program ended before recording began; run it again");
    if (image->size < 8 || memcmp(image->bytes, LGR_MAGIC, 8) != 0)
        return lgr_fail(source,
                        "is not a lockgraph evidence file (no " LGR_MAGIC " at byte 0); give an .lgd file");
    if (image->size < sizeof(struct lgr_header))
        return lgr_fail(source, "is cut short: it ends at byte %zu, inside its header; use a whole copy",
                        image->size);
    const struct lgr_header *header = (const struct lgr_header *)(const void *)image->bytes;
    return check_byte_order(header, source) && check_version(header, source) &&
           check_sizes(header, image->size, source);
}

/* Of a buffer exactly what is left, so that a sanitizer sees a step too far. */
static size_t next_part(const struct lgr_image *image, const struct lgr_source *source) {
    if (source->descriptor >= 0 || source->size - image->size > LGR_CHUNK)
        return LGR_CHUNK;
    return source->size - image->size;
}

static bool add_chunk(struct lgr_image *image, size_t *capacity, const struct lgr_source *source) {
    size_t part = next_part(image, source);
    if (part == 0)
        return true;
    if (*capacity - image->size < part) {
        size_t wanted = part > *capacity ? part : *capacity * 2;
        unsigned char *bytes = wanted > *capacity ? realloc(image->bytes, wanted) : NULL;
        if (!bytes)
            return lgr_fail(source,
                            "does not fit into memory (%zu bytes so far); read it on a larger machine",
                            image->size);
        image->bytes = bytes;
        *capacity = wanted;
    }
    image->size += lgr_read_source(source, image->bytes + image->size, part, image->size);
    return true;
}

/* Chunk by chunk up to the first space not written, so that a file that is
 * large only in name costs nothing. */
static bool read_chunks(struct lgr_image *image, const struct lgr_source *source) {
    size_t capacity = 0, offset = 0;
    for (;;) {
        size_t before = image->size;
        if (!add_chunk(image, &capacity, source))
            return false;
        if (before == 0 && !check_header(image, source))
            return false;
        if (before == 0)
            offset = image->first_record = ((struct lgr_header *)(void *)image->bytes)->header_size;
        while (lgr_image_step(image, offset, &offset) != LGR_STEP_END)
            ;
        if (offset < image->size || image->size - before < LGR_CHUNK)
            break;
    }
    image->size = offset;
    return true;
}

/* The first reading tells where the committed records end; their contents may
 * have been copied before their sizes were.  A second one is after both. */
bool lgr_image_read(struct lgr_image *image, const struct lgr_source *source) {
    if (!read_chunks(image, source))
        return false;
    atomic_thread_fence(memory_order_acquire);
    image->size = lgr_read_source(source, image->bytes, image->size, 0);
    return check_header(image, source);
}
