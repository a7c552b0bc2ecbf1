#include "record/reader_image_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "record/reader_map.h"

#define STAGED    ((size_t)4 * LGR_CHUNK)
#define IN_MEMORY ((size_t)64 << 20)

static bool no_room(const struct lgr_image_file *file) {
    return lgr_fail(file->source, "cannot be read: %s; make room in the directory for temporary files",
                    strerror(errno));
}

static int unnamed(size_t expected) {
    const char *directory = getenv("TMPDIR");
    int descriptor = -1;
    if (expected > IN_MEMORY)
        descriptor = open(directory && *directory ? directory : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return descriptor >= 0 ? descriptor : memfd_create("lockgraph", MFD_CLOEXEC);
}

bool lgr_image_file_open(struct lgr_image_file *file, const struct lgr_source *source, size_t expected) {
    *file = (struct lgr_image_file){.source = source, .descriptor = unnamed(expected)};
    if (file->descriptor < 0)
        return no_room(file);
    file->staged = calloc(1, STAGED);
    file->staged_size = file->size = sizeof(struct lgr_header);
    return file->staged || lgr_fail(source, "does not fit into memory; read it on a larger machine");
}

static bool write_at(struct lgr_image_file *file, const void *bytes, size_t size, size_t offset) {
    const char *from = bytes;
    while (size > 0) {
        ssize_t part = pwrite(file->descriptor, from, size, (off_t)offset);
        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            return no_room(file);
        from += part;
        size -= (size_t)part;
        offset += (size_t)part;
    }
    return true;
}

static bool flush(struct lgr_image_file *file) {
    bool written = write_at(file, file->staged, file->staged_size, file->size - file->staged_size);
    file->staged_size = 0;
    return written;
}

static void *take(struct lgr_image_file *file, uint16_t type, size_t size) {
    unsigned char *place = file->staged + file->staged_size;
    memset(place, 0, size);
    *(struct lgr_record *)(void *)place = (struct lgr_record){.size = (uint32_t)size, .type = type};
    file->staged_size += size;
    file->size += size;
    return place;
}

void *lgr_image_file_add(struct lgr_image_file *file, uint16_t type, uint64_t size) {
    size = (size + LGR_ALIGN - 1) / LGR_ALIGN * LGR_ALIGN;
    if (size > LGR_CHUNK) {
        lgr_fail(file->source, "is damaged: a record is too large; use another copy");
        return NULL;
    }
    size_t left = LGR_CHUNK - file->size % LGR_CHUNK;
    if (file->staged_size + left + size > STAGED && !flush(file))
        return NULL;
    if (left < size)
        take(file, LGR_PAD, left);
    return take(file, type, size);
}

size_t lgr_image_file_last(const struct lgr_image_file *file, const void *record) {
    return file->size - (size_t)(file->staged + file->staged_size - (const unsigned char *)record);
}

bool lgr_image_file_amend(struct lgr_image_file *file, size_t offset, const void *bytes, size_t size) {
    return flush(file) && write_at(file, bytes, size, offset);
}

bool lgr_image_file_finish(struct lgr_image_file *file, struct lgr_image *image) {
    if (!flush(file))
        return false;
    image->bytes = lgr_map(file->descriptor, file->size);
    if (!image->bytes)
        return lgr_fail(file->source, "does not fit into memory (%zu bytes); read it on a larger machine",
                        file->size);
    image->mapped = true;
    image->size = file->size;
    image->first_record = sizeof(struct lgr_header);
    return true;
}

void lgr_image_file_close(struct lgr_image_file *file) {
    if (file->descriptor >= 0)
        close(file->descriptor);
    free(file->staged);
}
