/* The records that describe the program: process, modules, contexts, classes,
 * locks, threads, edges, messages. */
#include <string.h>

#include "record/reader_model.h"

void *lgr_keep(struct lgr_file *file, size_t size) {
    void *place = lgr_arena_take(&file->arena, size);
    file->no_memory |= !place;
    return place;
}

const void *lgr_in_place(const struct lgr_file *file, const struct lgr_record *record, const void *pointer) {
    if ((const unsigned char *)record != file->copy)
        return pointer;
    return file->image.bytes + file->at + ((const unsigned char *)pointer - file->copy);
}

char *lgr_take_string(struct lgr_file *file, struct lgr_rest *rest, size_t length) {
    const void *bytes = lgr_take(rest, length);
    if (!bytes)
        return NULL;
    char *string = lgr_keep(file, length + 1);
    if (string)
        memcpy(string, bytes, length);
    return string;
}

/* Arguments are separated by NUL, and some writers end with one. */
static void join_arguments(char *text, size_t length) {
    while (length > 0 && text[length - 1] == '\0')
        length--;
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\0')
            text[i] = ' ';
}

enum lgr_outcome lgr_read_process(struct lgr_file *file, const struct lgr_record *record) {
    const struct lgr_process *process = (const void *)record;
    struct lgr_rest rest = lgr_rest_after(record, sizeof *process);
    const char *exe = lgr_take_string(file, &rest, process->exe_length);
    char *cmdline = exe ? lgr_take_string(file, &rest, process->cmdline_length) : NULL;
    const char *options = cmdline ? lgr_take_string(file, &rest, process->options_length) : NULL;
    const char *tool = options ? lgr_take_string(file, &rest, process->tool_length) : NULL;
    if (!tool)
        return LGR_READ_DAMAGED;
    join_arguments(cmdline, process->cmdline_length);
    file->process = (struct lgr_process_info){exe, cmdline, options, tool};
    return LGR_READ_OK;
}

enum lgr_outcome lgr_read_module(struct lgr_file *file, const struct lgr_record *record) {
    const struct lgr_module *module = (const void *)record;
    struct lgr_rest rest = lgr_rest_after(record, sizeof *module);
    const uint8_t *build_id = lgr_take(&rest, module->build_id_length);
    const char *path = build_id ? lgr_take_string(file, &rest, module->path_length) : NULL;
    if (!path || module->id == 0 || module->end < module->start)
        return LGR_READ_DAMAGED;
    struct lgr_module_info *info = lgr_table_add(&file->modules);
    if (!info)
        return LGR_READ_NO_MEMORY;
    *info = (struct lgr_module_info){.id = module->id,
                                     .start = module->start,
                                     .end = module->end,
                                     .bias = module->bias,
                                     .path = path,
                                     .build_id = build_id,
                                     .build_id_length = module->build_id_length};
    return LGR_READ_OK;
}

enum lgr_outcome lgr_read_context(struct lgr_file *file, const struct lgr_record *record) {
    const struct lgr_context *context = (const void *)record;
    size_t room = (record->size - sizeof *context) / sizeof context->frames[0];
    if (context->id == 0 || context->frame_count > room) /* and less than a chunk */
        return LGR_READ_DAMAGED;
    struct lgr_context_info *info = lgr_table_add(&file->contexts);
    if (!info)
        return LGR_READ_NO_MEMORY;
    *info = (struct lgr_context_info){.id = context->id,
                                      .partial = (context->flags & LGR_CONTEXT_PARTIAL) != 0,
                                      .frame_count = context->frame_count & (UINT32_MAX >> 1),
                                      .frames = lgr_in_place(file, record, context->frames)};
    return LGR_READ_OK;
}

enum lgr_outcome lgr_read_class(struct lgr_file *file, const struct lgr_record *record) {
    const struct lgr_class *class = (const void *)record;
    struct lgr_rest rest = lgr_rest_after(record, sizeof *class);
    const char *name = lgr_take_string(file, &rest, class->name_length);
    if (!name || class->id == 0 || class->kind == 0)
        return LGR_READ_DAMAGED;
    if (class->kind > LGR_CLASS_GUESS)
        return LGR_READ_UNKNOWN;
    struct lgr_class_info *info = lgr_table_add(&file->classes);
    if (!info)
        return LGR_READ_NO_MEMORY;
    *info = (struct lgr_class_info){.id = class->id,
                                    .kind = class->kind,
                                    .level = class->level,
                                    .context = class->context,
                                    .name = name,
                                    .variable = class->variable};
    return LGR_READ_OK;
}

enum lgr_outcome lgr_read_lock(struct lgr_file *file, const struct lgr_record *record) {
    const struct lgr_lock *lock = (const void *)record;
    if (lock->id == 0 || lock->kind == 0)
        return LGR_READ_DAMAGED;
    if (lock->kind > LGR_LOCK_FILE)
        return LGR_READ_UNKNOWN;
    struct lgr_lock_info *info = lgr_table_add(&file->locks);
    if (!info)
        return LGR_READ_NO_MEMORY;
    *info = (struct lgr_lock_info){.id = lock->id,
                                   .address = lock->address,
                                   .class_id = lock->class_id,
                                   .kind = lock->kind,
                                   .attributes = lock->attributes};
    return LGR_READ_OK;
}

enum lgr_outcome lgr_read_lock_stats(struct lgr_file *file, const struct lgr_record *record) {
    struct lgr_lock_stats *stats = lgr_table_add(&file->stats);
    if (!stats)
        return LGR_READ_NO_MEMORY;
    memcpy(stats, record, sizeof *stats);
    return LGR_READ_OK;
}

enum lgr_outcome lgr_read_thread(struct lgr_file *file, const struct lgr_record *record) {
    const struct lgr_thread *thread = (const void *)record;
    struct lgr_rest rest = lgr_rest_after(record, sizeof *thread);
    const char *name = lgr_take_string(file, &rest, thread->name_length);
    if (!name || thread->serial == 0)
        return LGR_READ_DAMAGED;
    struct lgr_thread_info *info = lgr_table_add(&file->threads);
    if (!info)
        return LGR_READ_NO_MEMORY;
    *info = (struct lgr_thread_info){.serial = thread->serial,
                                     .tid = thread->tid,
                                     .parent = thread->parent,
                                     .creation_context = thread->creation_context,
                                     .start_routine = thread->start_routine,
                                     .name = name};
    return LGR_READ_OK;
}

enum lgr_outcome lgr_read_thread_name(struct lgr_file *file, const struct lgr_record *record) {
    const struct lgr_thread_name *thread = (const void *)record;
    struct lgr_rest rest = lgr_rest_after(record, sizeof *thread);
    const char *name = lgr_take_string(file, &rest, thread->name_length);
    if (!name)
        return LGR_READ_DAMAGED;
    struct lgr_thread_rename *rename = lgr_table_add(&file->renames);
    if (!rename)
        return LGR_READ_NO_MEMORY;
    *rename = (struct lgr_thread_rename){thread->serial, name};
    return LGR_READ_OK;
}

enum lgr_outcome lgr_read_level_name(struct lgr_file *file, const struct lgr_record *record) {
    const struct lgr_level_name *level = (const void *)record;
    struct lgr_rest rest = lgr_rest_after(record, sizeof *level);
    const char *name = lgr_take_string(file, &rest, level->name_length);
    if (!name || level->level <= 0)
        return LGR_READ_DAMAGED;
    struct lgr_level_naming *naming = lgr_table_add(&file->level_names);
    if (!naming)
        return LGR_READ_NO_MEMORY;
    *naming = (struct lgr_level_naming){level->level, name};
    return LGR_READ_OK;
}

enum lgr_outcome lgr_read_edge(struct lgr_file *file, const struct lgr_record *record) {
    const struct lgr_edge *edge = (const void *)record;
    if (edge->mode_from > LGR_SHARED || edge->mode_to > LGR_SHARED)
        return LGR_READ_UNKNOWN;
    const struct lgr_edge **place = lgr_table_add(&file->edges);
    if (!place)
        return LGR_READ_NO_MEMORY;
    *place = lgr_in_place(file, record, edge);
    return LGR_READ_OK;
}

enum lgr_outcome lgr_read_condition(struct lgr_file *file, const struct lgr_record *record) {
    const struct lgr_condition *use = (const void *)record;
    if (use->serial == 0 || use->role == 0)
        return LGR_READ_DAMAGED;
    if (use->role > LGR_CONDITION_SIGNALS)
        return LGR_READ_UNKNOWN;
    const struct lgr_condition **place = lgr_table_add(&file->conditions);
    if (!place)
        return LGR_READ_NO_MEMORY;
    *place = use;
    return LGR_READ_OK;
}

enum lgr_outcome lgr_read_heartbeat(struct lgr_file *file, const struct lgr_record *record) {
    const struct lgr_heartbeat *heartbeat = (const void *)record;
    if (heartbeat->severity < LGR_NOTE || heartbeat->severity > LGR_ERROR)
        return LGR_READ_DAMAGED;
    struct lgr_heartbeat *place = lgr_table_add(&file->heartbeats);
    if (!place)
        return LGR_READ_NO_MEMORY;
    memcpy((void *)place, (const void *)heartbeat, sizeof *place);
    return LGR_READ_OK;
}

/* As it would be now: nothing was estimated then. */
static const struct lgr_usage *lengthened(struct lgr_file *file, const struct lgr_usage *usage) {
    struct lgr_usage *whole = lgr_keep(file, sizeof *whole);
    return whole ? memcpy(whole, usage, usage->record.size) : NULL;
}

enum lgr_outcome lgr_read_usage(struct lgr_file *file, const struct lgr_record *record) {
    const struct lgr_usage *usage = (const void *)record;
    if (usage->class_id == 0)
        return LGR_READ_DAMAGED;
    if (record->size < sizeof *usage)
        usage = lengthened(file, usage);
    if (!usage)
        return LGR_READ_NO_MEMORY;
    const struct lgr_usage **place = lgr_table_add(&file->usages);
    if (!place)
        return LGR_READ_NO_MEMORY;
    *place = usage;
    return LGR_READ_OK;
}

enum lgr_outcome lgr_read_thread_waits(struct lgr_file *file, const struct lgr_record *record) {
    const struct lgr_thread_waits **place = lgr_table_add(&file->thread_waits);
    if (!place)
        return LGR_READ_NO_MEMORY;
    *place = (const void *)record;
    return LGR_READ_OK;
}

enum lgr_outcome lgr_read_spans(struct lgr_file *file, const struct lgr_record *record) {
    const struct lgr_spans *spans = (const void *)record;
    size_t count = (record->size - sizeof *spans) / sizeof spans->spans[0];
    if (spans->least_ns > file->spans_least)
        file->spans_least = spans->least_ns;
    for (size_t i = 0; i < count; i++) {
        struct lgr_span span = spans->spans[i];
        struct lgr_span *place = lgr_span_whole(&span) ? lgr_table_add(&file->spans) : NULL;
        if (place)
            *place = span;
        else if (lgr_span_whole(&span))
            return LGR_READ_NO_MEMORY;
    }
    return LGR_READ_OK;
}

enum lgr_outcome lgr_read_seen(struct lgr_file *file, const struct lgr_record *record) {
    const struct lgr_seen **place = lgr_table_add(&file->seen);
    if (!place)
        return LGR_READ_NO_MEMORY;
    *place = (const void *)record;
    return LGR_READ_OK;
}

enum lgr_outcome lgr_read_message(struct lgr_file *file, const struct lgr_record *record) {
    const struct lgr_message *message = (const void *)record;
    struct lgr_rest rest = lgr_rest_after(record, sizeof *message);
    const char *text = lgr_take_string(file, &rest, message->text_length);
    if (!text)
        return LGR_READ_DAMAGED;
    struct lgr_message_info *info = lgr_table_add(&file->messages);
    if (!info)
        return LGR_READ_NO_MEMORY;
    *info = (struct lgr_message_info){message->severity, text};
    return LGR_READ_OK;
}
