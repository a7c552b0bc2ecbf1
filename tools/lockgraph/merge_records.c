#include "merge_records.h"

#include <stdlib.h>
#include <string.h>

#include "pool.h"

static const struct lgm_id none;

/* Locks or threads of one record that look alike, told apart by the order in which the
 * record names them. */
struct alike {
    enum lgm_type type;
    uint64_t number; /* id or serial in the process */
    struct lgm_id plain, id;
};

/* A record in the making. */
struct builder {
    struct lgm_record *record;
    size_t used, room;
};

struct converter {
    const struct lgr_file *file;
    struct merge_sort *sort;
    struct builder named, finding; /* what is named is made while a finding is */
    bool failed;
    struct lgm_id source;
    struct lgm_id *modules, *contexts, *classes; /* by position in the file */
    struct alike *alike;
    size_t alike_count, alike_room;
};

/* ---- a record ---- */

static void put(struct builder *builder, const void *bytes, size_t size) {
    size_t wanted = builder->used + size + sizeof(uint64_t);
    if (wanted > builder->room) {
        builder->room = 2 * wanted;
        builder->record = checked_resize(builder->record, builder->room, 1);
    }
    if (bytes && size)
        memcpy((unsigned char *)builder->record + builder->used, bytes, size);
    builder->used += size;
}

static void begin(struct builder *builder, const void *key, size_t size) {
    builder->used = sizeof *builder->record;
    put(builder, key, size);
}

static struct lgm_id seal(struct builder *builder, enum lgm_type type, const uint64_t *figures,
                          size_t count) {
    static const uint64_t zeros;
    put(builder, &zeros, -builder->used % sizeof zeros);
    put(builder, figures, count * sizeof *figures);
    *builder->record = (struct lgm_record){(uint32_t)builder->used, (uint16_t)type, (uint16_t)count};
    return lgm_id_of(builder->record);
}

static struct lgm_id finish(struct converter *converter, struct builder *builder, enum lgm_type type,
                            const uint64_t *figures, size_t count) {
    struct lgm_id id = seal(builder, type, figures, count);
    bool added = count ? merge_sort_add(converter->sort, builder->record)
                       : merge_sort_add_once(converter->sort, builder->record, &id);
    converter->failed |= !added;
    return id;
}

static struct lgm_id add(struct converter *converter, enum lgm_type type, const void *key, size_t size,
                         const char *text, size_t length) {
    begin(&converter->named, key, size);
    put(&converter->named, text, length);
    return finish(converter, &converter->named, type, NULL, 0);
}

/* ---- modules, contexts, classes ---- */

static struct lgm_id add_module(struct converter *converter, const struct lgr_module_info *info) {
    struct lgm_module key = {info->start - info->bias, info->end - info->bias,
                             (uint32_t)info->build_id_length, (uint32_t)strlen(info->path)};
    begin(&converter->named, &key, sizeof key);
    put(&converter->named, info->build_id, info->build_id_length);
    put(&converter->named, info->path, key.path_length);
    return finish(converter, &converter->named, LGM_MODULE, NULL, 0);
}

static struct lgm_id module_id(struct converter *converter, uint32_t id) {
    size_t count;
    const struct lgr_module_info *infos = lgr_modules(converter->file, &count);
    const struct lgr_module_info *info = lgr_module_by_id(converter->file, id);
    return info ? converter->modules[info - infos] : none;
}

static struct lgm_frame frame_of(struct converter *converter, const struct lgr_location *location) {
    struct lgm_frame frame = {module_id(converter, location->module), location->offset};
    if (lgm_is_none(&frame.module)) /* an address, which is another one in the next run */
        frame.offset = 0;
    return frame;
}

static struct lgm_id add_context(struct converter *converter, const struct lgr_context_info *info) {
    struct lgm_context key = {info->partial ? LGR_CONTEXT_PARTIAL : 0, (uint32_t)info->frame_count};
    begin(&converter->named, &key, sizeof key);
    for (size_t i = 0; i < info->frame_count; i++) {
        struct lgm_frame frame = frame_of(converter, &info->frames[i]);
        put(&converter->named, &frame, sizeof frame);
    }
    return finish(converter, &converter->named, LGM_CONTEXT, NULL, 0);
}

static struct lgm_id context_id(struct converter *converter, uint32_t id) {
    size_t count;
    const struct lgr_context_info *infos = lgr_contexts(converter->file, &count);
    const struct lgr_context_info *info = lgr_context_by_id(converter->file, id);
    return info ? converter->contexts[info - infos] : none;
}

static void add_level(struct converter *converter, const struct lgr_class_info *info) {
    struct lgm_level key = {.level = info->level, .name_length = (uint32_t)strlen(info->level_name)};
    add(converter, LGM_LEVEL, &key, sizeof key, info->level_name, key.name_length);
}

static struct lgm_id add_class(struct converter *converter, const struct lgr_class_info *info) {
    struct lgm_class key = {.kind = info->kind,
                            .level = info->level,
                            .name_length = (uint32_t)strlen(info->name),
                            .context = context_id(converter, info->context)};
    if (info->level_name)
        add_level(converter, info);
    if (info->kind == LGR_CLASS_STATIC)
        key.variable = frame_of(converter, &info->variable);
    return add(converter, LGM_CLASS, &key, sizeof key, info->name, key.name_length);
}

static struct lgm_id class_id(struct converter *converter, uint32_t id) {
    size_t count;
    const struct lgr_class_info *infos = lgr_classes(converter->file, &count);
    const struct lgr_class_info *info = lgr_class_by_id(converter->file, id);
    return info ? converter->classes[info - infos] : none;
}

static void add_tables(struct converter *converter) {
    size_t count;
    const struct lgr_module_info *modules = lgr_modules(converter->file, &count);
    converter->modules = checked_resize(NULL, count + 1, sizeof *converter->modules);
    for (size_t i = 0; i < count; i++)
        converter->modules[i] = add_module(converter, &modules[i]);
    const struct lgr_context_info *contexts = lgr_contexts(converter->file, &count);
    converter->contexts = checked_resize(NULL, count + 1, sizeof *converter->contexts);
    for (size_t i = 0; i < count; i++)
        converter->contexts[i] = add_context(converter, &contexts[i]);
    const struct lgr_class_info *classes = lgr_classes(converter->file, &count);
    converter->classes = checked_resize(NULL, count + 1, sizeof *converter->classes);
    for (size_t i = 0; i < count; i++)
        converter->classes[i] = add_class(converter, &classes[i]);
}

/* ---- locks, threads, places ---- */

static const struct alike *known_alike(const struct converter *converter, enum lgm_type type,
                                       uint64_t number) {
    for (size_t i = 0; i < converter->alike_count; i++)
        if (converter->alike[i].number == number && converter->alike[i].type == type)
            return &converter->alike[i];
    return NULL;
}

/* How many like it the record has named before. */
static uint32_t ordinal_of(struct converter *converter, enum lgm_type type, uint64_t number, const void *key,
                           size_t size, const char *text, size_t length) {
    struct alike alike = {.type = type, .number = number};
    uint32_t count = 0;
    begin(&converter->named, key, size);
    put(&converter->named, text, length);
    alike.plain = seal(&converter->named, type, NULL, 0);
    for (size_t i = 0; i < converter->alike_count; i++)
        count += memcmp(&converter->alike[i].plain, &alike.plain, sizeof alike.plain) == 0;
    if (converter->alike_count == converter->alike_room) {
        converter->alike_room = converter->alike_room ? 2 * converter->alike_room : 16;
        converter->alike = checked_resize(converter->alike, converter->alike_room, sizeof alike);
    }
    converter->alike[converter->alike_count++] = alike;
    return count;
}

/* For the one just counted. */
static struct lgm_id keep_alike(struct converter *converter, struct lgm_id id) {
    converter->alike[converter->alike_count - 1].id = id;
    return id;
}

/* What lies in a module's memory; module none: elsewhere. */
static struct lgm_frame place_of(struct converter *converter, uint64_t address) {
    size_t count;
    const struct lgr_module_info *modules = lgr_modules(converter->file, &count);
    for (size_t i = 0; i < count; i++)
        if (address >= modules[i].start && address < modules[i].end)
            return (struct lgm_frame){converter->modules[i], address - modules[i].bias};
    return (struct lgm_frame){0};
}

/* `class` is what the record says it is of, for locks that were not listed. */
static struct lgm_id lock_id(struct converter *converter, uint64_t raw, uint32_t class) {
    const struct alike *known = raw ? known_alike(converter, LGM_LOCK, raw) : NULL;
    if (raw == 0 || known)
        return known ? known->id : none;
    const struct lgr_lock_info *info = lgr_lock_by_id(converter->file, raw);
    struct lgm_lock key = {.class = class_id(converter, info ? info->class_id : class)};
    if (info) {
        key.kind = info->kind;
        key.attributes = info->attributes;
        key.place = place_of(converter, info->address);
    }
    key.ordinal = ordinal_of(converter, LGM_LOCK, raw, &key, sizeof key, NULL, 0);
    return keep_alike(converter, add(converter, LGM_LOCK, &key, sizeof key, NULL, 0));
}

/* Inherited from the program, so no name. */
static bool is_programs(const struct lgr_file *file, const char *name) {
    const char *exe = lgr_process(file)->exe, *slash = strrchr(exe, '/');
    return strncmp(name, slash ? slash + 1 : exe, 15) == 0;
}

static struct lgm_id thread_id(struct converter *converter, uint64_t serial) {
    const struct alike *known = serial ? known_alike(converter, LGM_THREAD, serial) : NULL;
    if (serial == 0 || known)
        return known ? known->id : none;
    const struct lgr_thread_info *info = lgr_thread_by_serial(converter->file, (uint32_t)serial);
    struct lgm_thread key = {0};
    const char *name = info && !is_programs(converter->file, info->name) ? info->name : "";
    if (info) {
        key.is_main = info->tid == lgr_header(converter->file)->pid;
        key.created_at = context_id(converter, info->creation_context);
        key.start_routine = frame_of(converter, &info->start_routine);
        key.name_length = (uint32_t)strlen(name);
    }
    key.ordinal = ordinal_of(converter, LGM_THREAD, serial, &key, sizeof key, name, key.name_length);
    return keep_alike(converter, add(converter, LGM_THREAD, &key, sizeof key, name, key.name_length));
}

/* ---- the process, the order graph ---- */

static void add_source(struct converter *converter) {
    const struct lgr_header_copy *header = lgr_header(converter->file);
    const struct lgr_process_info *process = lgr_process(converter->file);
    struct lgm_source key = {
        header->start_realtime_ns,      header->start_monotonic_ns,        header->pid, header->ppid,
        (uint32_t)strlen(process->exe), (uint32_t)strlen(process->cmdline)};
    const uint64_t figures[LGM_SOURCE_FIGURES] = {
        [LGM_END_NS] = header->end_realtime_ns,
        [LGM_ENDED] = header->ended,
        [LGM_EXIT_STATUS] = (uint32_t)header->exit_status,
        [LGM_DEGRADED] = header->degraded,
        [LGM_LOCKS] = header->locks,
        [LGM_THREADS] = header->threads,
        [LGM_NESTED] = header->nested_acquisitions,
        [LGM_UNWRAPPED] = header->unwrapped,
        [LGM_DROPPED] = header->dropped,
        [LGM_CONTENDED] = header->contended,
        [LGM_INSTANCE_EDGES] = header->instance_edges,
    };
    begin(&converter->named, &key, sizeof key);
    put(&converter->named, process->exe, key.exe_length);
    put(&converter->named, process->cmdline, key.cmdline_length);
    converter->source = finish(converter, &converter->named, LGM_SOURCE, figures, LGM_SOURCE_FIGURES);
}

static void add_edge(struct converter *converter, const struct lgr_edge *edge) {
    converter->alike_count = 0;
    struct lgm_edge key = {.from_class = class_id(converter, edge->from_class),
                           .to_class = class_id(converter, edge->to_class),
                           .from_lock = lock_id(converter, edge->from_lock, edge->from_class),
                           .to_lock = lock_id(converter, edge->to_lock, edge->to_class),
                           .thread = thread_id(converter, edge->thread),
                           .held_context = context_id(converter, edge->held_context),
                           .request_context = context_id(converter, edge->request_context),
                           .mode_from = edge->mode_from,
                           .mode_to = edge->mode_to,
                           .timed = edge->timed != 0};
    struct lgm_seen seen = {key.from_class, key.to_class, converter->source};
    add(converter, LGM_EDGE, &key, sizeof key, NULL, 0);
    add(converter, LGM_SEEN, &seen, sizeof seen, NULL, 0);
}

/* ---- findings ---- */

/* A condition is where it lies, or just any. */
static void set_condition(struct converter *converter, uint64_t address, struct lgm_finding_edge *edge) {
    struct lgm_frame place = place_of(converter, address);
    edge->to = place.module;
    edge->to_number = lgm_is_none(&place.module) ? 1 : place.offset;
}

static void put_edge(struct converter *converter, const struct lgr_finding_edge_info *info, bool stall) {
    const struct lgr_finding_edge *raw = info->edge;
    struct lgm_finding_edge edge = {.from = stall ? thread_id(converter, raw->from)
                                                  : lock_id(converter, raw->from, raw->from_class),
                                    .from_class = class_id(converter, raw->from_class),
                                    .to_class = class_id(converter, raw->to_class),
                                    .thread = thread_id(converter, raw->thread),
                                    .held_context = context_id(converter, raw->held_context),
                                    .request_context = context_id(converter, raw->request_context),
                                    .mode_from = raw->mode_from,
                                    .mode_to = raw->mode_to,
                                    .timed = raw->timed != 0,
                                    .wait_kind = raw->wait_kind,
                                    .held_count = (uint32_t)info->held_count};
    if (lgr_waits_for_thread(raw->wait_kind))
        edge.to = thread_id(converter, raw->to);
    else if (raw->wait_kind == LGR_WAIT_CONDITION)
        set_condition(converter, raw->to, &edge);
    else
        edge.to = lock_id(converter, raw->to, raw->to_class);
    put(&converter->finding, &edge, sizeof edge);
    for (size_t i = 0; i < info->held_count; i++) {
        struct lgm_held held = {lock_id(converter, info->held[i].lock, 0),
                                context_id(converter, info->held[i].context), info->held[i].mode};
        put(&converter->finding, &held, sizeof held);
    }
}

static void set_reason(struct converter *converter, const struct lgr_finding *raw,
                       struct lgm_finding *finding) {
    switch (raw->reason_kind) {
    case LGR_REASON_GATE:
        finding->reason = lock_id(converter, raw->reason_id, 0);
        break;
    case LGR_REASON_CREATE:
    case LGR_REASON_JOIN:
    case LGR_REASON_THREAD:
    case LGR_REASON_QUEUE:
        finding->reason = thread_id(converter, raw->reason_id);
        break;
    case LGR_REASON_DETAIL:
        finding->reason_number = raw->reason_id;
        break;
    default:
        break;
    }
}

static void add_finding(struct converter *converter, const struct lgr_finding_info *info) {
    const struct lgr_finding *raw = info->finding;
    const char *text = info->text ? info->text : "";
    struct lgm_finding key = {.kind = raw->kind,
                              .verdict = raw->verdict,
                              .severity = raw->severity,
                              .reason_kind = raw->reason_kind,
                              .timed = raw->timed,
                              .edge_count = (uint32_t)info->edge_count,
                              .text_length = (uint32_t)strlen(text)};
    converter->alike_count = 0;
    set_reason(converter, raw, &key);
    begin(&converter->finding, &key, sizeof key);
    for (size_t i = 0; i < info->edge_count; i++)
        put_edge(converter, &info->edges[i], raw->kind == LGR_KIND_STALL);
    put(&converter->finding, text, key.text_length);
    const uint64_t figures[] = {info->count, UINT64_MAX - raw->time_realtime_ns};
    struct lgm_count count = {finish(converter, &converter->finding, LGM_FINDING, NULL, 0),
                              converter->source};
    begin(&converter->named, &count, sizeof count);
    finish(converter, &converter->named, LGM_COUNT, figures, 2);
}

bool merge_records_of(const struct lgr_file *file, struct merge_sort *sort) {
    struct converter converter = {.file = file, .sort = sort};
    size_t count;
    add_source(&converter);
    add_tables(&converter);
    for (size_t i = 0; i < lgr_edge_count(file); i++)
        add_edge(&converter, lgr_edge_at(file, i));
    const struct lgr_finding_info *findings = lgr_findings(file, &count);
    for (size_t i = 0; i < count; i++)
        add_finding(&converter, &findings[i]);
    free(converter.named.record);
    free(converter.finding.record);
    free(converter.modules);
    free(converter.contexts);
    free(converter.classes);
    free(converter.alike);
    return !converter.failed;
}
