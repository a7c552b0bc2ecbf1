#include "merge_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "merge_records.h"
#include "record/reader_merged_stream.h"

static bool no_room(const char *path, char *error, size_t size) {
    snprintf(error, size, "%s cannot be sorted: %s; make room in the directory for temporary files", path,
             strerror(errno));
    return false;
}

static bool add_records(struct lgm_stream *stream, struct merge_sort *sort) {
    const struct lgm_record *record;
    while ((record = lgm_stream_next(stream)))
        if (!merge_sort_add(sort, record))
            return false;
    return true;
}

static bool add_merged(const struct lgr_source *source, struct merge_sort *sort) {
    struct lgm_stream stream;
    bool opened = lgm_stream_open(&stream, source), added = opened && add_records(&stream, sort);
    if (opened && !added)
        no_room(source->name, source->error, source->error_size);
    added = added && stream.ended;
    lgm_stream_close(&stream);
    return added;
}

static bool add_evidence(const struct lgr_source *source, struct merge_sort *sort) {
    struct lgr_file *file = lgr_open(source->name, source->error, source->error_size);
    if (!file)
        return false;
    bool added = merge_records_of(file, sort) || no_room(source->name, source->error, source->error_size);
    lgr_close(file);
    return added;
}

bool merge_file_add(const char *path, struct merge_sort *sort, char *error, size_t size) {
    struct lgr_source source = {.name = path, .error = error, .error_size = size};
    source.descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    bool merged = source.descriptor >= 0 && lgr_merged_looks_so(&source);
    bool added = merged ? add_merged(&source, sort) : add_evidence(&source, sort);
    if (source.descriptor >= 0)
        close(source.descriptor);
    return added;
}
