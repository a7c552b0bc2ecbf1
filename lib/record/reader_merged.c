/* A merged file as the image of an evidence file: its records get the small ids that
 * evidence has, in their order.  Hostile input, as everything here. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/reader_image_file.h"
#include "record/reader_merged_ids.h"
#include "record/reader_merged_stream.h"

/* Modules get address ranges of their own, so that places in static storage are found. */
#define MODULE_SPACE (UINT64_C(1) << 40)
#define MODULES_MOST (UINT32_C(1) << 22)

/* A finding that is in the image already. */
struct tally {
    size_t offset;
    uint64_t time_realtime_ns, count;
    uint16_t sources;
};

struct loader {
    const struct lgr_source *source;
    struct lgr_image_file image;
    struct lgr_header header; /* written at the end, as tallies are */
    struct lgm_ids ids;
    struct tally *tallies; /* by number */
    size_t tally_room;
};

static uint32_t number_of(const struct loader *loader, const struct lgm_id *id, uint16_t type) {
    return lgm_number_of(&loader->ids, id, type);
}

static uint32_t give_number(struct loader *loader, const struct lgm_record *record) {
    return lgm_number(&loader->ids, record);
}

static void *append(struct loader *loader, uint16_t type, uint64_t size) {
    return lgr_image_file_add(&loader->image, type, size);
}

static uint64_t base_of(uint32_t module) { return module * MODULE_SPACE; }

static struct lgr_location location_of(const struct loader *loader, const struct lgm_frame *frame) {
    return (struct lgr_location){.module = number_of(loader, &frame->module, LGM_MODULE),
                                 .offset = frame->offset};
}

/* 0: not in static storage. */
static uint64_t address_of(const struct loader *loader, const struct lgm_id *module, uint64_t offset) {
    uint32_t number = number_of(loader, module, LGM_MODULE);
    return number ? base_of(number) + offset : 0;
}

/* For one record more, whatever it is. */
static bool make_room(struct loader *loader) {
    size_t finding = loader->ids.last[LGM_FINDING] + (size_t)1;
    bool room = lgm_ids_make_room(&loader->ids);
    if (room && finding >= loader->tally_room) {
        size_t wanted = loader->tally_room ? 2 * loader->tally_room : 64;
        struct tally *tallies = realloc(loader->tallies, wanted * sizeof *tallies);
        if (tallies != NULL) {
            loader->tallies = tallies;
            loader->tally_room = wanted;
        } else {
            room = false;
        }
    }
    return room || lgr_fail(loader->source, "does not fit into memory; read it on a larger machine");
}

static void begin_header(struct lgr_header *header) {
    memcpy(header->magic, LGR_MAGIC, sizeof header->magic);
    header->version = LGR_VERSION;
    header->word_size = sizeof(void *);
    header->endian = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? LGR_LITTLE_ENDIAN : LGR_BIG_ENDIAN;
    header->header_size = sizeof *header;
    header->ended = LGR_EXITED;
}

/* ---- one function a type ---- */

static bool load_module(struct loader *loader, const struct lgm_record *record) {
    const struct lgm_module *key = lgm_key(record);
    uint32_t id = give_number(loader, record);
    if (id > MODULES_MOST)
        return lgr_fail(loader->source, "has more than %u modules; merge fewer runs", MODULES_MOST);
    struct lgr_module *module =
        append(loader, LGR_MODULE, sizeof *module + (uint64_t)key->build_id_length + key->path_length);
    if (!module)
        return false;
    module->id = id;
    module->build_id_length = key->build_id_length;
    module->bias = base_of(id);
    module->start = module->bias + key->start;
    module->end = module->bias + key->end;
    module->path_length = key->path_length;
    memcpy(module + 1, key + 1, (size_t)key->build_id_length + key->path_length);
    return true;
}

static bool load_context(struct loader *loader, const struct lgm_record *record) {
    const struct lgm_context *key = lgm_key(record);
    const struct lgm_frame *frames = (const void *)(key + 1);
    struct lgr_context *context =
        append(loader, LGR_CONTEXT, sizeof *context + (uint64_t)key->frame_count * sizeof context->frames[0]);
    if (!context)
        return false;
    context->id = give_number(loader, record);
    context->frame_count = key->frame_count;
    context->flags = key->flags;
    for (uint32_t i = 0; i < key->frame_count; i++)
        context->frames[i] = location_of(loader, &frames[i]);
    return true;
}

static bool load_class(struct loader *loader, const struct lgm_record *record) {
    const struct lgm_class *key = lgm_key(record);
    struct lgr_class *class = append(loader, LGR_CLASS, sizeof *class + (uint64_t)key->name_length);
    if (!class)
        return false;
    class->id = give_number(loader, record);
    class->kind = key->kind;
    class->level = key->level;
    class->context = number_of(loader, &key->context, LGM_CONTEXT);
    class->name_length = key->name_length;
    class->variable = location_of(loader, &key->variable);
    memcpy(class + 1, key + 1, key->name_length);
    return true;
}

/* One that its process did not list has a number alone. */
static bool load_lock(struct loader *loader, const struct lgm_record *record) {
    const struct lgm_lock *key = lgm_key(record);
    uint32_t id = give_number(loader, record);
    if (key->kind == 0)
        return true;
    struct lgr_lock *lock = append(loader, LGR_LOCK, sizeof *lock);
    if (!lock)
        return false;
    lock->id = id;
    lock->address = address_of(loader, &key->place.module, key->place.offset);
    lock->class_id = number_of(loader, &key->class, LGM_CLASS);
    lock->kind = key->kind;
    lock->attributes = key->attributes;
    return true;
}

#define MERGED_PID 1u /* of all main threads; no thread has it otherwise */

static bool load_thread(struct loader *loader, const struct lgm_record *record) {
    const struct lgm_thread *key = lgm_key(record);
    struct lgr_thread *thread = append(loader, LGR_THREAD, sizeof *thread + (uint64_t)key->name_length);
    if (!thread)
        return false;
    thread->serial = give_number(loader, record);
    thread->tid = key->is_main ? MERGED_PID : 0;
    thread->creation_context = number_of(loader, &key->created_at, LGM_CONTEXT);
    thread->start_routine = location_of(loader, &key->start_routine);
    thread->name_length = key->name_length;
    memcpy(thread + 1, key + 1, key->name_length);
    return true;
}

static bool add_process(struct loader *loader, const struct lgm_source *key) {
    struct lgr_process *process = append(loader, LGR_PROCESS, sizeof *process + (uint64_t)key->exe_length);
    if (!process)
        return false;
    process->exe_length = key->exe_length;
    memcpy(process + 1, key + 1, key->exe_length);
    return true;
}

/* The sums of all; the program is that of the first. */
static bool load_source(struct loader *loader, const struct lgm_record *record) {
    const struct lgm_source *key = lgm_key(record);
    const uint64_t *figures = lgm_figures(record);
    uint32_t number = give_number(loader, record);
    if (number == 1 && !add_process(loader, key))
        return false;
    struct lgr_header *header = &loader->header;
    header->pid = MERGED_PID;
    if (number == 1 || key->start_realtime_ns < header->start_realtime_ns)
        header->start_realtime_ns = key->start_realtime_ns;
    if (figures[LGM_END_NS] > header->end_realtime_ns)
        header->end_realtime_ns = figures[LGM_END_NS];
    header->degraded |= (uint32_t)figures[LGM_DEGRADED];
    header->locks += figures[LGM_LOCKS];
    header->threads += figures[LGM_THREADS];
    header->nested_acquisitions += figures[LGM_NESTED];
    header->unwrapped += figures[LGM_UNWRAPPED];
    header->dropped += figures[LGM_DROPPED];
    header->contended += figures[LGM_CONTENDED];
    header->instance_edges += figures[LGM_INSTANCE_EDGES];
    return true;
}

static bool load_edge(struct loader *loader, const struct lgm_record *record) {
    const struct lgm_edge *key = lgm_key(record);
    struct lgr_edge *edge = append(loader, LGR_EDGE, sizeof *edge);
    if (!edge)
        return false;
    edge->from_class = number_of(loader, &key->from_class, LGM_CLASS);
    edge->to_class = number_of(loader, &key->to_class, LGM_CLASS);
    edge->from_lock = number_of(loader, &key->from_lock, LGM_LOCK);
    edge->to_lock = number_of(loader, &key->to_lock, LGM_LOCK);
    edge->thread = number_of(loader, &key->thread, LGM_THREAD);
    edge->held_context = number_of(loader, &key->held_context, LGM_CONTEXT);
    edge->request_context = number_of(loader, &key->request_context, LGM_CONTEXT);
    edge->mode_from = key->mode_from;
    edge->mode_to = key->mode_to;
    edge->timed = key->timed;
    return true;
}

static bool load_seen(struct loader *loader, const struct lgm_record *record) {
    const struct lgm_seen *key = lgm_key(record);
    struct lgr_seen *seen = append(loader, LGR_SEEN, sizeof *seen);
    if (!seen)
        return false;
    seen->from_class = number_of(loader, &key->from_class, LGM_CLASS);
    seen->to_class = number_of(loader, &key->to_class, LGM_CLASS);
    seen->source = number_of(loader, &key->source, LGM_SOURCE);
    return true;
}

/* Of several names that a level had, the last in their order is told. */
static bool load_level(struct loader *loader, const struct lgm_record *record) {
    const struct lgm_level *key = lgm_key(record);
    struct lgr_level_name *level = append(loader, LGR_LEVEL_NAME, sizeof *level + (uint64_t)key->name_length);
    if (!level)
        return false;
    level->level = key->level;
    level->name_length = key->name_length;
    memcpy(level + 1, key + 1, key->name_length);
    return true;
}

/* ---- findings ---- */

static uint64_t reason_of(const struct loader *loader, const struct lgm_finding *key) {
    switch (key->reason_kind) {
    case LGR_REASON_GATE:
        return number_of(loader, &key->reason, LGM_LOCK);
    case LGR_REASON_CREATE:
    case LGR_REASON_JOIN:
    case LGR_REASON_THREAD:
    case LGR_REASON_QUEUE:
        return number_of(loader, &key->reason, LGM_THREAD);
    default:
        return key->reason_number;
    }
}

static uint64_t target_of(const struct loader *loader, const struct lgm_finding_edge *key) {
    uint64_t address;
    switch (key->wait_kind) {
    case LGR_WAIT_JOIN:
    case LGR_WAIT_ONCE:
        return number_of(loader, &key->to, LGM_THREAD);
    case LGR_WAIT_CONDITION:
        address = address_of(loader, &key->to, key->to_number);
        return address ? address : key->to_number;
    default:
        return number_of(loader, &key->to, LGM_LOCK);
    }
}

static const unsigned char *load_finding_edge(const struct loader *loader, const unsigned char *at,
                                              bool stall, struct lgr_finding_edge *edge) {
    const struct lgm_finding_edge *key = (const void *)at;
    const struct lgm_held *held = (const void *)(key + 1);
    *edge =
        (struct lgr_finding_edge){.from = number_of(loader, &key->from, stall ? LGM_THREAD : LGM_LOCK),
                                  .to = target_of(loader, key),
                                  .from_class = number_of(loader, &key->from_class, LGM_CLASS),
                                  .to_class = number_of(loader, &key->to_class, LGM_CLASS),
                                  .thread = number_of(loader, &key->thread, LGM_THREAD),
                                  .held_context = number_of(loader, &key->held_context, LGM_CONTEXT),
                                  .request_context = number_of(loader, &key->request_context, LGM_CONTEXT),
                                  .mode_from = key->mode_from,
                                  .mode_to = key->mode_to,
                                  .timed = key->timed,
                                  .wait_kind = key->wait_kind,
                                  .held_count = key->held_count};
    for (uint32_t i = 0; i < key->held_count; i++)
        edge->held[i] =
            (struct lgr_held){number_of(loader, &held[i].lock, LGM_LOCK),
                              number_of(loader, &held[i].context, LGM_CONTEXT), (uint32_t)held[i].mode};
    return (const unsigned char *)(held + key->held_count);
}

/* Bytes that the edges take in an evidence file. */
static uint64_t edges_size(const struct lgm_finding *key) {
    const unsigned char *at = (const unsigned char *)(key + 1);
    uint64_t size = 0;
    for (uint32_t i = 0; i < key->edge_count; i++) {
        const struct lgm_finding_edge *edge = (const void *)at;
        size += sizeof(struct lgr_finding_edge) + (uint64_t)edge->held_count * sizeof(struct lgr_held);
        at += sizeof *edge + edge->held_count * sizeof(struct lgm_held);
    }
    return size;
}

static bool load_finding(struct loader *loader, const struct lgm_record *record) {
    const struct lgm_finding *key = lgm_key(record);
    uint64_t edges = edges_size(key);
    uint64_t text = key->kind == LGR_KIND_USER ? sizeof(uint32_t) + (uint64_t)key->text_length : 0;
    uint32_t number = give_number(loader, record);
    struct lgr_finding *finding = append(loader, LGR_FINDING, sizeof *finding + edges + text);
    if (!finding)
        return false;
    loader->tallies[number] = (struct tally){.offset = lgr_image_file_last(&loader->image, finding)};
    finding->problem = number;
    finding->kind = key->kind;
    finding->verdict = key->verdict;
    finding->severity = key->severity;
    finding->edge_count = (uint16_t)key->edge_count;
    finding->reason_kind = key->reason_kind;
    finding->timed = key->timed;
    finding->reason_id = reason_of(loader, key);
    const unsigned char *from = (const unsigned char *)(key + 1);
    unsigned char *to = (unsigned char *)(finding + 1);
    for (uint32_t i = 0; i < key->edge_count; i++) {
        struct lgr_finding_edge *edge = (void *)to;
        from = load_finding_edge(loader, from, key->kind == LGR_KIND_STALL, edge);
        to += sizeof *edge + edge->held_count * sizeof(struct lgr_held);
    }
    if (text) {
        memcpy(to, &key->text_length, sizeof key->text_length);
        memcpy(to + sizeof key->text_length, from, key->text_length);
    }
    loader->header.findings++;
    return true;
}

static bool load_count(struct loader *loader, const struct lgm_record *record) {
    const struct lgm_count *key = lgm_key(record);
    const uint64_t *figures = lgm_figures(record);
    uint32_t number = number_of(loader, &key->finding, LGM_FINDING);
    if (number == 0)
        return true;
    struct tally *tally = &loader->tallies[number];
    uint64_t time = UINT64_MAX - figures[1];
    if (tally->sources == 0 || time < tally->time_realtime_ns)
        tally->time_realtime_ns = time;
    tally->count += figures[0];
    if (tally->sources < UINT16_MAX)
        tally->sources++;
    return true;
}

static bool (*const loads[])(struct loader *, const struct lgm_record *) = {
    [LGM_MODULE] = load_module, [LGM_CONTEXT] = load_context, [LGM_CLASS] = load_class,
    [LGM_LOCK] = load_lock,     [LGM_THREAD] = load_thread,   [LGM_SOURCE] = load_source,
    [LGM_EDGE] = load_edge,     [LGM_SEEN] = load_seen,       [LGM_FINDING] = load_finding,
    [LGM_COUNT] = load_count,   [LGM_LEVEL] = load_level,
};

/* ---- the whole file ---- */

bool lgr_merged_looks_so(const struct lgr_source *source) {
    char magic[8];
    return lgr_read_source(source, magic, sizeof magic, 0) == sizeof magic &&
           memcmp(magic, LGM_MAGIC, sizeof magic) == 0;
}

static bool amend(struct loader *loader) {
    struct lgr_image_file *image = &loader->image;
    for (uint32_t i = 1; i <= loader->ids.last[LGM_FINDING]; i++) {
        const struct tally *tally = &loader->tallies[i];
        if (!lgr_image_file_amend(image, tally->offset + offsetof(struct lgr_finding, time_realtime_ns),
                                  &tally->time_realtime_ns, sizeof tally->time_realtime_ns) ||
            !lgr_image_file_amend(image, tally->offset + offsetof(struct lgr_finding, count), &tally->count,
                                  sizeof tally->count) ||
            !lgr_image_file_amend(image, tally->offset + offsetof(struct lgr_finding, sources),
                                  &tally->sources, sizeof tally->sources))
            return false;
    }
    return lgr_image_file_amend(image, 0, (const void *)&loader->header, sizeof loader->header);
}

static size_t size_of(const struct lgr_source *source) {
    struct stat status;
    if (source->descriptor < 0)
        return source->size;
    return fstat(source->descriptor, &status) == 0 ? (size_t)status.st_size : 0;
}

bool lgr_merged_read(struct lgr_image *image, const struct lgr_source *source, size_t *processes) {
    struct loader loader = {.source = source, .image.descriptor = -1};
    struct lgm_stream stream;
    begin_header(&loader.header);
    bool read =
        lgm_stream_open(&stream, source) && lgr_image_file_open(&loader.image, source, size_of(source));
    for (const struct lgm_record *record; read && (record = lgm_stream_next(&stream));)
        read = make_room(&loader) && loads[record->type](&loader, record);
    read = read && stream.ended && amend(&loader) && lgr_image_file_finish(&loader.image, image);
    *processes = loader.ids.last[LGM_SOURCE];
    lgm_stream_close(&stream);
    lgr_image_file_close(&loader.image);
    lgm_ids_free(&loader.ids);
    free(loader.tallies);
    return read;
}
