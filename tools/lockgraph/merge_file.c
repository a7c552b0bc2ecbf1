#include "merge_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "merge_records.h"
#include "pool.h"
#include "record/reader.h"

#define LARGEST_RECORD (UINT32_C(16) << 20) /* of evidence none is larger than a chunk */

struct input {
    FILE *stream;
    struct lgm_record *record, *before;
    size_t record_room, before_room;
    uint64_t offset, count;
    bool ended;
};

/* ---- a merged file ---- */

/* NULL, or a sentence's end. */
static const char *check_header(struct input *input) {
    struct lgm_header header;
    if (fread(&header, sizeof header, 1, input->stream) != 1)
        return "is cut short inside its header; use a whole copy";
    input->offset = sizeof header;
    return lgm_header_problem(&header);
}

/* False: there is no whole record. */
static bool read_record(struct input *input) {
    struct lgm_record header;
    if (fread(&header, sizeof header, 1, input->stream) != 1 || header.size < sizeof header ||
        header.size > LARGEST_RECORD)
        return false;
    if (header.size > input->record_room) {
        input->record_room = header.size;
        input->record = checked_resize(input->record, input->record_room, 1);
    }
    *input->record = header;
    size_t rest = header.size - sizeof header;
    return (rest == 0 || fread(input->record + 1, rest, 1, input->stream) == 1) &&
           lgm_is_sound(input->record, header.size);
}

static bool is_in_place(const struct input *input) {
    return input->count == 0 || lgm_compare(input->before, input->record) < 0;
}

static void remember(struct input *input) {
    struct lgm_record *record = input->before;
    size_t room = input->before_room;
    input->before = input->record;
    input->before_room = input->record_room;
    input->record = record;
    input->record_room = room;
    input->offset += input->before->size;
    input->count++;
}

static bool ends_here(struct input *input) {
    const struct lgm_end *end = lgm_key(input->record);
    return end->count == input->count && fgetc(input->stream) == EOF;
}

/* The problem, NULL when there is none; `errno` is 0 unless memory on disk ran out. */
static const char *add_records(struct input *input, struct merge_sort *sort) {
    const char *problem = check_header(input);
    errno = 0;
    while (!problem && !input->ended) {
        if (!read_record(input) || !is_in_place(input))
            return "is damaged or cut short";
        input->ended = input->record->type == LGM_END;
        if (input->ended)
            return ends_here(input) ? NULL : "is damaged at its end";
        if (!merge_sort_add(sort, input->record))
            return "cannot be sorted";
        remember(input);
    }
    return problem;
}

static bool add_merged(const char *path, FILE *stream, struct merge_sort *sort, char *error, size_t size) {
    struct input input = {.stream = stream};
    const char *problem = add_records(&input, sort);
    if (problem && errno)
        snprintf(error, size, "%s %s: %s; make room in the directory for temporary files", path, problem,
                 strerror(errno));
    else if (problem && input.offset)
        snprintf(error, size, "%s %s (at byte %llu); use another copy, or merge again", path, problem,
                 (unsigned long long)input.offset);
    else if (problem)
        snprintf(error, size, "%s %s", path, problem);
    free(input.record);
    free(input.before);
    return !problem;
}

/* ---- either ---- */

static bool is_merged(FILE *stream) {
    char magic[8];
    bool is = fread(magic, sizeof magic, 1, stream) == 1 && memcmp(magic, LGM_MAGIC, sizeof magic) == 0;
    rewind(stream);
    return is;
}

static bool add_evidence(const char *path, struct merge_sort *sort, char *error, size_t size) {
    struct lgr_file *file = lgr_open(path, error, size);
    if (!file)
        return false;
    bool added = merge_records_of(file, sort);
    if (!added)
        snprintf(error, size, "%s cannot be sorted: %s; make room in the directory for temporary files", path,
                 strerror(errno));
    lgr_close(file);
    return added;
}

bool merge_file_add(const char *path, struct merge_sort *sort, char *error, size_t size) {
    FILE *stream = fopen(path, "re");
    bool merged = stream && is_merged(stream);
    bool added = merged ? add_merged(path, stream, sort, error, size) : add_evidence(path, sort, error, size);
    if (stream)
        fclose(stream);
    return added;
}
