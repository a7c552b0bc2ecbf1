#include "merge_sort.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pool.h"
#include "progress.h"
#include "record/format.h"

#define PROGRESS_STEP 65536 /* records */
#define RECENT        ((size_t)1 << 20)
#define RUNS          128 /* open at once; more are merged into one first */
#define RUN_BUFFER    ((size_t)64 << 10)

struct run {
    FILE *stream; /* unnamed */
    char *buffer;
    struct lgm_record *head; /* the next one; NULL: at its end */
    size_t room;
};

/* Runs with a record left, the one with the smallest on top. */
struct heap {
    size_t count;
    struct run *runs[RUNS];
};

struct merge_sort {
    size_t memory, used, count, place_room;
    unsigned char *bytes;
    size_t *places;        /* of the records in `bytes` */
    struct lgm_id *recent; /* by their lower bits: added since the start */
    size_t run_count;
    struct run runs[RUNS];
};

struct merge_sort *merge_sort_begin(size_t memory) {
    struct merge_sort *sort = checked_resize(NULL, 1, sizeof *sort);
    *sort = (struct merge_sort){.memory = memory,
                                .bytes = checked_resize(NULL, memory, 1),
                                .recent = checked_resize(NULL, RECENT, sizeof(struct lgm_id))};
    memset(sort->recent, 0, RECENT * sizeof *sort->recent);
    return sort;
}

/* ---- what is in memory ---- */

static struct lgm_record *record_at(const struct merge_sort *sort, size_t index) {
    return (struct lgm_record *)(void *)(sort->bytes + sort->places[index]);
}

static int compare_places(const void *a, const void *b, void *bytes) {
    const unsigned char *base = bytes;
    return lgm_compare((const struct lgm_record *)(const void *)(base + *(const size_t *)a),
                       (const struct lgm_record *)(const void *)(base + *(const size_t *)b));
}

static void sort_memory(struct merge_sort *sort) {
    size_t kept = 0;
    if (sort->count)
        qsort_r(sort->places, sort->count, sizeof *sort->places, compare_places, sort->bytes);
    for (size_t i = 0; i < sort->count; i++) {
        if (kept && lgm_compare(record_at(sort, kept - 1), record_at(sort, i)) == 0)
            lgm_join(record_at(sort, kept - 1), record_at(sort, i));
        else
            sort->places[kept++] = sort->places[i];
    }
    sort->count = kept;
}

/* ---- runs ---- */

static bool put(FILE *stream, const struct lgm_record *record) {
    return fwrite(record, record->size, 1, stream) == 1;
}

/* Of our own making, so trusted. */
static bool next_of_run(struct run *run) {
    struct lgm_record header;
    if (fread(&header, sizeof header, 1, run->stream) != 1) {
        free(run->head);
        run->head = NULL;
        return !ferror(run->stream);
    }
    if (header.size > run->room || !run->head) {
        run->room = header.size > 512 ? header.size : 512;
        run->head = checked_resize(run->head, run->room, 1);
    }
    *run->head = header;
    return fread(run->head + 1, header.size - sizeof header, 1, run->stream) == 1;
}

static void swap(struct heap *heap, size_t one, size_t other) {
    struct run *run = heap->runs[one];
    heap->runs[one] = heap->runs[other];
    heap->runs[other] = run;
}

static bool less(const struct heap *heap, size_t one, size_t other) {
    return lgm_compare(heap->runs[one]->head, heap->runs[other]->head) < 0;
}

static void sink(struct heap *heap, size_t at) {
    for (size_t child; (child = 2 * at + 1) < heap->count; at = child) {
        child += child + 1 < heap->count && less(heap, child + 1, child);
        if (!less(heap, child, at))
            return;
        swap(heap, child, at);
    }
}

static bool start_runs(struct merge_sort *sort, struct heap *heap) {
    for (size_t i = 0; i < sort->run_count; i++) {
        rewind(sort->runs[i].stream);
        if (!next_of_run(&sort->runs[i]))
            return false;
        if (sort->runs[i].head)
            heap->runs[heap->count++] = &sort->runs[i];
    }
    for (size_t i = heap->count / 2; i-- > 0;)
        sink(heap, i);
    return true;
}

/* The one on top goes on to its next record, and to its place. */
static bool advance(struct heap *heap) {
    if (!next_of_run(heap->runs[0]))
        return false;
    if (!heap->runs[0]->head)
        heap->runs[0] = heap->runs[--heap->count];
    sink(heap, 0);
    return true;
}

/* The smallest record of all runs goes to `out`, what equals it is joined with it. */
static bool step(struct heap *heap, struct lgm_record **record, size_t *room, FILE *out) {
    struct run *smallest = heap->runs[0];
    struct lgm_record *taken = smallest->head;
    smallest->head = *record; /* they change places: no copy */
    *record = taken;
    size_t taken_room = smallest->room;
    smallest->room = *room;
    *room = taken_room;
    if (!advance(heap))
        return false;
    while (heap->count && lgm_compare(heap->runs[0]->head, taken) == 0) {
        lgm_join(taken, heap->runs[0]->head);
        if (!advance(heap))
            return false;
    }
    return put(out, taken);
}

static bool merge_runs(struct merge_sort *sort, FILE *out, uint64_t *count) {
    struct heap heap = {0};
    struct lgm_record *record = NULL;
    size_t room = 0;
    bool merged = start_runs(sort, &heap);
    while (merged && heap.count) {
        merged = step(&heap, &record, &room, out);
        if (++*count % PROGRESS_STEP == 0)
            progress("sorted record", *count, 0);
    }
    free(record);
    return merged;
}

static bool open_run(struct run *run) {
    *run = (struct run){.stream = tmpfile()};
    if (!run->stream)
        return false;
    run->buffer = checked_resize(NULL, RUN_BUFFER, 1);
    setvbuf(run->stream, run->buffer, _IOFBF, RUN_BUFFER);
    return true;
}

static void close_run(struct run *run) {
    int error = errno;
    fclose(run->stream);
    free(run->buffer);
    free(run->head);
    errno = error;
}

static void close_runs(struct merge_sort *sort) {
    for (size_t i = 0; i < sort->run_count; i++)
        close_run(&sort->runs[i]);
    sort->run_count = 0;
}

/* All runs become one. */
static bool compact(struct merge_sort *sort) {
    struct run all;
    uint64_t count = 0;
    if (!open_run(&all))
        return false;
    if (!merge_runs(sort, all.stream, &count) || fflush(all.stream) != 0) {
        close_run(&all);
        return false;
    }
    close_runs(sort);
    sort->runs[sort->run_count++] = all;
    return true;
}

/* What is in memory becomes a run. */
static bool spill(struct merge_sort *sort) {
    if (sort->run_count == RUNS && !compact(sort))
        return false;
    sort_memory(sort);
    struct run *run = &sort->runs[sort->run_count];
    if (!open_run(run))
        return false;
    sort->run_count++;
    for (size_t i = 0; i < sort->count; i++)
        if (!put(run->stream, record_at(sort, i)))
            return false;
    sort->count = sort->used = 0;
    return fflush(run->stream) == 0;
}

bool merge_sort_add(struct merge_sort *sort, const struct lgm_record *record) {
    if (record->size > sort->memory - sort->used && !spill(sort))
        return false;
    if (record->size > sort->memory) {
        sort->memory = record->size;
        sort->bytes = checked_resize(sort->bytes, sort->memory, 1);
    }
    if (sort->count == sort->place_room) {
        sort->place_room = sort->place_room ? 2 * sort->place_room : 1024;
        sort->places = checked_resize(sort->places, sort->place_room, sizeof *sort->places);
    }
    sort->places[sort->count++] = sort->used;
    memcpy(sort->bytes + sort->used, record, record->size);
    sort->used += record->size;
    return true;
}

bool merge_sort_add_once(struct merge_sort *sort, const struct lgm_record *record, const struct lgm_id *id) {
    struct lgm_id *recent = &sort->recent[id->word[0] & (RECENT - 1)];
    if (memcmp(recent, id, sizeof *id) == 0)
        return true;
    *recent = *id;
    return merge_sort_add(sort, record);
}

static bool put_end(FILE *stream, uint64_t count) {
    struct {
        struct lgm_record record;
        struct lgm_end key;
    } end = {{sizeof end, LGM_END, 0}, {count}};
    return fwrite(&end, sizeof end, 1, stream) == 1;
}

bool merge_sort_write(struct merge_sort *sort, FILE *stream) {
    struct lgm_header header = {.version = LGM_VERSION,
                                .endian = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? LGR_LITTLE_ENDIAN
                                                                                    : LGR_BIG_ENDIAN};
    uint64_t count = 0;
    memcpy(header.magic, LGM_MAGIC, sizeof header.magic);
    return spill(sort) && fwrite(&header, sizeof header, 1, stream) == 1 &&
           merge_runs(sort, stream, &count) && put_end(stream, count) && fflush(stream) == 0;
}

void merge_sort_free(struct merge_sort *sort) {
    close_runs(sort);
    free(sort->bytes);
    free(sort->places);
    free(sort->recent);
    free(sort);
}
