#include "model.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "finding_id.h"
#include "kinds.h"
#include "model_findings.h"
#include "model_waits.h"
#include "naming.h"
#include "process_alive.h"
#include "progress.h"
#include "stacks.h"
#include "suppress.h"
#include "text.h"

/* ---- stacks ---- */

const struct code_frame *stack_site(const struct stack *stack) {
    return stack->count ? &stack->frames[stack->site] : NULL;
}

static struct code_frames frames_at(struct model *model, const struct model_process *process,
                                    const struct lgr_location *location) {
    const struct lgr_module_info *info = lgr_module_by_id(process->file, location->module);
    struct module_symbols *module = NULL;
    if (info)
        module = symbols_module(model->symbols, info->path, info->build_id, info->build_id_length);
    return symbols_code(model->symbols, module, location->offset);
}

struct stack model_stack(struct model *model, const struct model_process *process, uint32_t context) {
    const struct lgr_context_info *info = lgr_context_by_id(process->file, context);
    if (!info || info->frame_count == 0)
        return (struct stack){0};
    struct code_frame *frames = NULL;
    size_t count = 0;
    for (size_t i = 0; i < info->frame_count; i++) {
        struct code_frames found = frames_at(model, process, &info->frames[i]);
        if (frame_is_ours(&found.frames[0]))
            continue;
        frames = checked_resize(frames, count + found.count, sizeof *frames);
        memcpy(frames + count, found.frames, found.count * sizeof *frames);
        count += found.count;
    }
    struct code_frame *kept = pool_array(&model->pool, count, sizeof *kept);
    if (count)
        memcpy(kept, frames, count * sizeof *kept);
    free(frames);
    return stack_of(kept, count, info->partial);
}

/* ---- classes ---- */

static int compare_classes(const void *a, const void *b) {
    const struct model_class *left = a, *right = b;
    return strcmp(left->id, right->id);
}

/* Classes of all processes with one identity are one class. */
static struct model_class *add_class(struct model *model, const struct model_process *process,
                                     const struct lgr_class_info *info) {
    struct model_class *class = pool_alloc(&model->pool, sizeof *class);
    name_class(model, process, info, class);
    class->id = stable_id(&model->pool, class->identity);
    struct model_class **known = tfind(class, &model->classes_by_id, compare_classes);
    if (known)
        return *known;
    tsearch(class, &model->classes_by_id, compare_classes);
    class->index = model->class_count++;
    model->classes = checked_resize(model->classes, model->class_count, sizeof *model->classes);
    model->classes[class->index] = class;
    return class;
}

struct model_class *model_class_of(struct model *model, struct model_process *process, uint32_t id) {
    size_t count = 0;
    const struct lgr_class_info *infos = lgr_classes(process->file, &count);
    const struct lgr_class_info *info = lgr_class_by_id(process->file, id);
    if (!info)
        return NULL;
    if (!process->classes)
        process->classes = pool_array(&model->pool, count, sizeof(struct model_class *));
    struct model_class **slot = &process->classes[info - infos];
    if (!*slot)
        *slot = add_class(model, process, info);
    return *slot;
}

void model_name_classes(struct model *model) {
    for (size_t i = 0; i < model->process_count; i++) {
        size_t count = 0;
        const struct lgr_class_info *infos = lgr_classes(model->processes[i].file, &count);
        for (size_t k = 0; k < count; k++)
            model_class_of(model, &model->processes[i], infos[k].id);
    }
}

/* ---- locks and threads ---- */

static int compare_locks(const void *a, const void *b) {
    const struct model_lock *left = a, *right = b;
    return left->raw < right->raw ? -1 : left->raw > right->raw;
}

void model_lock_id(const struct model_process *process, uint64_t raw, char *id) {
    snprintf(id, MODEL_LOCK_ID_ROOM, "P%zu:L%lu", process->index + 1, (unsigned long)raw);
}

static struct model_lock known_lock(struct model *model, struct model_process *process, uint64_t raw) {
    const struct lgr_lock_info *info = lgr_lock_by_id(process->file, raw);
    return (struct model_lock){.process = process,
                               .raw = raw,
                               .info = info,
                               .kind = lock_kind_name(info ? info->kind : 0),
                               .class = info ? model_class_of(model, process, info->class_id) : NULL};
}

static void add_words(struct model *model, struct model_lock *lock) {
    char id[MODEL_LOCK_ID_ROOM];
    model_lock_id(lock->process, lock->raw, id);
    lock->id = pool_string(&model->pool, id);
    name_lock(model, lock);
}

struct model_lock model_describe_lock(struct model *model, struct model_process *process, uint64_t raw,
                                      struct pool *pool) {
    struct model_lock lock = known_lock(model, process, raw);
    struct pool kept = model->pool;
    model->pool = *pool;
    add_words(model, &lock);
    *pool = model->pool;
    model->pool = kept;
    return lock;
}

static struct model_lock *add_lock(struct model *model, struct model_process *process, uint64_t raw) {
    struct model_lock *lock = pool_alloc(&model->pool, sizeof *lock);
    *lock = known_lock(model, process, raw);
    add_words(model, lock);
    return lock;
}

const struct model_lock *model_lock_of(struct model *model, struct model_process *process, uint64_t raw) {
    struct model_lock key = {.raw = raw};
    struct model_lock **found = tfind(&key, &process->locks, compare_locks);
    if (found)
        return *found;
    struct model_lock *lock = add_lock(model, process, raw);
    tsearch(lock, &process->locks, compare_locks);
    return lock;
}

bool model_names_lock(const struct model_process *process, uint64_t raw) {
    struct model_lock key = {.raw = raw};
    return tfind(&key, &process->locks, compare_locks) != NULL;
}

struct model_thread *model_thread_of(struct model *model, const struct model_process *process,
                                     uint32_t serial) {
    const struct lgr_thread_info *info = lgr_thread_by_serial(process->file, serial);
    struct model_thread *thread = pool_alloc(&model->pool, sizeof *thread);
    thread->serial = serial;
    thread->tag = pool_printf(&model->pool, "T%u", serial);
    if (info) {
        thread->tid = info->tid;
        name_thread(model, process, info, thread);
    } else {
        thread->name = pool_printf(&model->pool, "thread %u", serial);
        thread->label = thread->tag;
    }
    return thread;
}

/* ---- processes ---- */

static const char *main_build_id(struct model *model, const struct model_process *process) {
    size_t count = 0;
    const struct lgr_module_info *modules = lgr_modules(process->file, &count);
    const char *exe = lgr_process(process->file)->exe;
    for (size_t i = 0; i < count; i++)
        if (strcmp(modules[i].path, exe) == 0)
            return module_build_id(symbols_module(model->symbols, modules[i].path, modules[i].build_id,
                                                  modules[i].build_id_length));
    return "";
}

/* Processes are in order of their start. */
static bool replaced(const struct model *model, const struct model_process *process) {
    for (size_t i = process->index + 1; i < model->process_count; i++)
        if (model->processes[i].header->pid == process->header->pid)
            return true;
    return process->header->ended == LGR_EXECED;
}

static void describe_process(struct model *model, struct model_process *process) {
    const struct lgr_process_info *info = lgr_process(process->file);
    process->exe = text_clean(&model->pool, info->exe);
    process->program = base_name(process->exe)[0] ? base_name(process->exe) : "program";
    process->command_line = text_clean(&model->pool, info->cmdline);
    process->build_id = main_build_id(model, process);
    process->replaced = replaced(model, process);
    process->alive =
        process->header->ended == LGR_RUNNING && !process->replaced &&
        process_alive(process->header->pid, process->header->start_realtime_ns, process->file_path);
}

static void add_file(struct model *model, const char *path) {
    char error[512] = "";
    struct lgr_file *file = lgr_open(path, error, sizeof error);
    if (!file) {
        model->unreadable_why =
            checked_resize(model->unreadable_why, model->unreadable + 1, sizeof *model->unreadable_why);
        model->unreadable_why[model->unreadable++] = text_clean(&model->pool, error);
        return;
    }
    model->processes = checked_resize(model->processes, model->process_count + 1, sizeof *model->processes);
    model->processes[model->process_count++] =
        (struct model_process){.path = text_clean(&model->pool, path),
                               .file_path = pool_string(&model->pool, path),
                               .file = file,
                               .header = lgr_header(file)};
}

static int compare_processes(const void *a, const void *b) {
    const struct model_process *left = a, *right = b;
    uint64_t started = left->header->start_realtime_ns, other = right->header->start_realtime_ns;
    if (started != other)
        return started < other ? -1 : 1;
    return strcmp(left->path, right->path);
}

static void add_coverage(struct coverage *sum, const struct model_process *process) {
    const struct lgr_header_copy *header = process->header;
    sum->processes++;
    sum->locks += header->locks;
    sum->threads += header->threads;
    sum->acquisitions_nested += header->nested_acquisitions;
    sum->contended += header->contended;
    sum->unwrapped += header->unwrapped;
    sum->dropped += header->dropped;
    sum->edges += header->instance_edges;
    sum->degraded |= header->degraded;
    sum->damaged += lgr_damaged(process->file);
    sum->unknown += lgr_unknown(process->file);
}

struct model *model_load(const char *const *paths, size_t count, const struct model_options *options) {
    struct model *model = checked_resize(NULL, 1, sizeof *model);
    *model = (struct model){.symbols = options->symbols, .shares_symbols = options->symbols != NULL};
    if (!model->symbols)
        model->symbols = symbols_open(command_symbol_paths());
    for (size_t i = 0; i < count; i++) {
        progress("reading file", i + 1, count);
        add_file(model, paths[i]);
    }
    if (model->process_count)
        qsort(model->processes, model->process_count, sizeof *model->processes, compare_processes);
    for (size_t i = 0; i < model->process_count; i++) {
        model->processes[i].index = i;
        describe_process(model, &model->processes[i]);
        add_coverage(&model->coverage, &model->processes[i]);
    }
    collect_findings(model, options->strict);
    suppress_findings(model, options->suppressions);
    collect_waits(model);
    progress_end();
    return model;
}

static void keep(void *node) { (void)node; }

void model_free(struct model *model) {
    for (size_t i = 0; i < model->process_count; i++) {
        tdestroy(model->processes[i].locks, keep);
        edge_sites_free(&model->processes[i].sites);
        lgr_close(model->processes[i].file);
    }
    tdestroy(model->classes_by_id, keep);
    if (!model->shares_symbols)
        symbols_close(model->symbols);
    pool_free(&model->pool);
    free(model->processes);
    free(model->classes);
    free(model->findings);
    free(model->waits);
    free(model->unreadable_why);
    free(model);
}

bool model_runs(const struct model *model) {
    for (size_t i = 0; i < model->process_count; i++)
        if (model->processes[i].alive)
            return true;
    return false;
}

size_t model_merged_files(const struct model *model) {
    size_t count = 0;
    for (size_t i = 0; i < model->process_count; i++)
        count += lgr_merged(model->processes[i].file) > 0;
    return count;
}

size_t model_count_at_least(const struct model *model, unsigned threshold) {
    size_t count = 0;
    for (size_t i = 0; i < model->finding_count; i++)
        count += !model->findings[i].suppression && model->findings[i].severity >= threshold;
    return count;
}

size_t model_count_of(const struct model *model, unsigned severity) {
    size_t count = 0;
    for (size_t i = 0; i < model->finding_count; i++)
        count += !model->findings[i].suppression && model->findings[i].severity == severity;
    return count;
}

size_t model_count_suppressed(const struct model *model) {
    size_t count = 0;
    for (size_t i = 0; i < model->finding_count; i++)
        count += model->findings[i].suppression != NULL;
    return count;
}
