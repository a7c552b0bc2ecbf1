/* Feeds the reader merged files that are sound by themselves, whose records say anything: of arbitrary
 * bytes they would never be in order and whole.  And the bytes as they are, behind a good header. */
#include "../unit/record_walk.h"
#include "record/merged.h"
#include "replay.h"

#define MOST_RECORDS 256
#define MOST_WORDS   64

struct input {
    const uint8_t *at;
    size_t left;
};

static uint8_t next(struct input *input) {
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

/* Makes lengths in the key fit what follows it; what then still does not is left out. */
static void fit(struct lgm_record *record, size_t fixed, uint32_t *length, size_t unit) {
    size_t rest = lgm_key_size(record) - fixed;
    *length = (uint32_t)(rest / unit);
}

static void fit_lengths(struct lgm_record *record) {
    void *key = record + 1;
    struct lgm_module *module = key;
    struct lgm_source *source = key;
    struct lgm_finding *finding = key;
    switch (record->type) {
    case LGM_MODULE:
        module->build_id_length = 0;
        fit(record, sizeof *module, &module->path_length, 1);
        break;
    case LGM_CONTEXT:
        fit(record, sizeof(struct lgm_context), &((struct lgm_context *)key)->frame_count,
            sizeof(struct lgm_frame));
        break;
    case LGM_CLASS:
        fit(record, sizeof(struct lgm_class), &((struct lgm_class *)key)->name_length, 1);
        break;
    case LGM_THREAD:
        fit(record, sizeof(struct lgm_thread), &((struct lgm_thread *)key)->name_length, 1);
        break;
    case LGM_LEVEL:
        fit(record, sizeof(struct lgm_level), &((struct lgm_level *)key)->name_length, 1);
        break;
    case LGM_SOURCE:
        source->exe_length = 0;
        fit(record, sizeof *source, &source->cmdline_length, 1);
        break;
    case LGM_FINDING:
        finding->edge_count =
            (uint32_t)((lgm_key_size(record) - sizeof *finding) / sizeof(struct lgm_finding_edge));
        finding->text_length =
            (uint32_t)((lgm_key_size(record) - sizeof *finding) % sizeof(struct lgm_finding_edge));
        for (uint32_t i = 0; i < finding->edge_count; i++)
            ((struct lgm_finding_edge *)(void *)(finding + 1))[i].held_count = 0;
        break;
    default:
        break;
    }
}

/* Ids that name other records, most of the time: each word is one of the ids so far, or bytes. */
static struct lgm_record *make_record(struct input *input, const struct lgm_id *ids, size_t count) {
    struct lgm_record *record = calloc(1, sizeof *record + MOST_WORDS * sizeof(uint64_t));
    if (!record)
        abort();
    uint64_t *words = (uint64_t *)(void *)(record + 1);
    record->type = (uint16_t)(1 + next(input) % (LGM_END - 1));
    record->figures = record->type == LGM_SOURCE ? LGM_SOURCE_FIGURES : record->type == LGM_COUNT ? 2 : 0;
    size_t size = record->figures + next(input) % (MOST_WORDS - record->figures);
    for (size_t i = 0; i < size; i++) {
        uint8_t choice = next(input);
        words[i] = choice;
        if (count && choice >= 128 && i + 1 < size) {
            memcpy(&words[i], &ids[choice % count], sizeof *ids);
            i++;
        }
    }
    record->size = (uint32_t)(sizeof *record + size * sizeof *words);
    if (lgm_key_size(record) >= sizeof(struct lgm_finding))
        fit_lengths(record);
    return record;
}

static int compare(const void *a, const void *b) {
    return lgm_compare(*(struct lgm_record *const *)a, *(struct lgm_record *const *)b);
}

static size_t add(uint8_t *to, const void *bytes, size_t size) {
    memcpy(to, bytes, size);
    return size;
}

static size_t write_file(uint8_t *to, struct lgm_record **records, size_t count) {
    struct lgm_header header = {.version = LGM_VERSION, .endian = LGR_LITTLE_ENDIAN};
    memcpy(header.magic, LGM_MAGIC, sizeof header.magic);
    size_t used = add(to, &header, sizeof header);
    uint64_t written = 0;
    for (size_t i = 0; i < count; i++)
        if (i == 0 || compare(&records[i - 1], &records[i]) != 0) {
            used += add(to + used, records[i], records[i]->size);
            written++;
        }
    struct lgm_record end = {sizeof end + sizeof written, LGM_END, 0};
    used += add(to + used, &end, sizeof end);
    return used + add(to + used, &written, sizeof written);
}

static void walk_sound_records(struct input input) {
    static struct lgm_record *records[MOST_RECORDS];
    static struct lgm_id ids[MOST_RECORDS];
    size_t count = 0, room = 64;
    while (input.left && count < MOST_RECORDS) {
        struct lgm_record *record = make_record(&input, ids, count);
        if (!lgm_is_sound(record, record->size)) {
            free(record);
            continue;
        }
        ids[count] = lgm_id_of(record);
        room += record->size;
        records[count++] = record;
    }
    if (count)
        qsort(records, count, sizeof *records, compare);
    uint8_t *file = malloc(room);
    if (!file)
        abort();
    WALK_REQUIRE(walk_buffer(file, write_file(file, records, count)) != 0);
    free(file);
    while (count > 0)
        free(records[--count]);
}

static void walk_bytes_behind_a_header(const uint8_t *data, size_t size) {
    struct lgm_header header = {.version = LGM_VERSION, .endian = LGR_LITTLE_ENDIAN};
    uint8_t *file = malloc(sizeof header + size);
    memcpy(header.magic, LGM_MAGIC, sizeof header.magic);
    if (!file)
        abort();
    memcpy(file, &header, sizeof header);
    if (size)
        memcpy(file + sizeof header, data, size);
    walk_buffer(file, sizeof header + size);
    free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    walk_sound_records((struct input){data, size});
    walk_bytes_behind_a_header(data, size);
    return 0;
}
