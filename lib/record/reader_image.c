/* A file that may be growing, cut short or hostile: its header, and the steps through its
 * records. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/reader_map.h"
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
    /* Once: it may change.  What it commits was stored before it. */
    size_t size = __atomic_load_n((const uint32_t *)(const void *)(image->bytes + offset), __ATOMIC_ACQUIRE);
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

static bool is_blank(const struct lgr_header *header) {
    static const char zeros[sizeof header->magic];
    return memcmp(header->magic, zeros, sizeof zeros) == 0;
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

/* Of a copy; `size` is that of the whole file. */
static bool check_header(const struct lgr_header *header, size_t size, const struct lgr_source *source) {
    if (is_blank(header))
        return lgr_fail(source,
                        "holds nothing (byte 0): its program ended before recording began; run it again");
    if (memcmp(header->magic, LGR_MAGIC, sizeof header->magic) != 0)
        return lgr_fail(source,
                        "is not a lockgraph evidence file (no " LGR_MAGIC " at byte 0); give an .lgd file");
    if (size < sizeof *header)
        return lgr_fail(source, "is cut short: it ends at byte %zu, inside its header; use a whole copy",
                        size);
    return check_byte_order(header, source) && check_version(header, source) &&
           check_sizes(header, size, source);
}

static size_t size_of(const struct lgr_source *source) {
    struct stat status;
    if (source->descriptor < 0)
        return source->size;
    return fstat(source->descriptor, &status) == 0 && status.st_size > 0 ? (size_t)status.st_size : 0;
}

/* Exactly as large, so that a sanitizer sees a step too far. */
static bool copy_all(struct lgr_image *image, const struct lgr_source *source) {
    image->bytes = malloc(image->size);
    return image->bytes && lgr_read_source(source, image->bytes, image->size, 0) == image->size;
}

static bool map_all(struct lgr_image *image, const struct lgr_source *source) {
    image->bytes = lgr_map(source->descriptor, image->size);
    image->mapped = image->bytes != NULL;
    return image->mapped;
}

bool lgr_image_read(struct lgr_image *image, const struct lgr_source *source) {
    struct lgr_header header;
    memset((void *)&header, 0, sizeof header);
    size_t size = size_of(source);
    lgr_read_source(source, (void *)&header, sizeof header, 0);
    if (!check_header(&header, size, source))
        return false;
    image->size = size;
    image->first_record = header.header_size;
    if (source->descriptor >= 0 ? !map_all(image, source) : !copy_all(image, source))
        return lgr_fail(source, "does not fit into memory (%zu bytes); read it on a larger machine", size);
    return true;
}

void lgr_image_free(struct lgr_image *image) {
    if (image->mapped)
        lgr_unmap(image->bytes, image->size);
    else
        free(image->bytes);
}
