#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "export.h"
#include "kinds.h"
#include "may_replace.h"
#include "sqlite_tables.h"
#include "version.h"

struct writer {
    struct model *model;
    struct sqlite_tables tables;
    void *frames, *stacks; /* tsearch trees of struct known: each is written once */
    int64_t frame_count, stack_count;
};
struct known {
    const char *key;
    int64_t id;
};

static int64_t process_id(const struct model_process *process) { return (int64_t)process->index + 1; }

static const char *mode(bool shared) { return shared ? "shared" : "exclusive"; }

static const char *text_or_null(const char *text) { return text && text[0] ? text : NULL; }

/* ---- frames and stacks, each once ---- */

static int compare_keys(const void *a, const void *b) {
    return strcmp(((const struct known *)a)->key, ((const struct known *)b)->key);
}

/* The number of what `key` tells apart; *is_new: it had none yet. */
static int64_t number_of(struct pool *pool, void **tree, int64_t *count, const char *key, bool *is_new) {
    struct known *known = pool_alloc(pool, sizeof *known), **found;
    *known = (struct known){key, *count + 1};
    found = tsearch(known, tree, compare_keys);
    *is_new = found && *found == known;
    *count += *is_new;
    return found ? (*found)->id : 0;
}

static int64_t frame_id(struct writer *writer, const struct code_frame *frame) {
    struct pool *pool = &writer->model->pool;
    bool is_new;
    const char *key = pool_printf(pool, "%s|%s|%lx|%s|%s|%u|%d", frame->module ? frame->module : "",
                                  frame->build_id ? frame->build_id : "", (unsigned long)frame->offset,
                                  frame->function ? frame->function : "", frame->file ? frame->file : "",
                                  frame->line, frame->inlined);
    int64_t id = number_of(pool, &writer->frames, &writer->frame_count, key, &is_new);
    if (is_new)
        sqlite_add(&writer->tables, TABLE_FRAME, "ititttob", id, frame->module, (int64_t)frame->offset,
                   text_or_null(frame->build_id), frame->function, frame->file, (int64_t)frame->line,
                   (int)frame->inlined);
    return id;
}

static void add_frames(struct writer *writer, int64_t id, const struct stack *stack) {
    for (size_t i = 0; i < stack->count; i++)
        sqlite_add(&writer->tables, TABLE_STACK_FRAME, "iii", id, (int64_t)i,
                   frame_id(writer, &stack->frames[i]));
}

/* 0: nothing is known. */
static int64_t stack_id(struct writer *writer, const struct stack *stack) {
    struct pool *pool = &writer->model->pool;
    struct text key = {0};
    bool is_new;
    if (stack->count == 0)
        return 0;
    for (size_t i = 0; i < stack->count; i++)
        text_printf(&key, "%s%ld", i == stack->site ? " *" : " ", (long)frame_id(writer, &stack->frames[i]));
    int64_t id =
        number_of(pool, &writer->stacks, &writer->stack_count, pool_string(pool, text_string(&key)), &is_new);
    text_free(&key);
    if (is_new) {
        const struct code_frame *site = stack_site(stack);
        sqlite_add(&writer->tables, TABLE_STACK, "iob", id, site ? frame_id(writer, site) : 0,
                   (int)stack->partial);
        add_frames(writer, id, stack);
    }
    return id;
}

/* ---- what was recorded ---- */

static void add_process(struct writer *writer, const struct model_process *process) {
    const struct lgr_header_copy *header = process->header;
    bool exited = header->ended == LGR_EXITED;
    sqlite_add(&writer->tables, TABLE_PROCESS, exited ? "iiitttiobi" : "iiitttiob0", process_id(process),
               (int64_t)header->pid, (int64_t)header->ppid, process->exe, process->command_line,
               text_or_null(process->build_id), (int64_t)header->start_realtime_ns,
               (int64_t)header->end_realtime_ns, (int)process->alive, (int64_t)header->exit_status);
}

static void add_locks(struct writer *writer, struct model_process *process) {
    size_t count;
    const struct lgr_lock_info *infos = lgr_locks(process->file, &count);
    for (size_t i = 0; i < count; i++) {
        const struct model_lock *lock = model_lock_of(writer->model, process, infos[i].id);
        const struct lgr_lock_stats *stats = infos[i].stats;
        sqlite_add(&writer->tables, TABLE_LOCK, "titttiiii", lock->id, process_id(process),
                   lock->class ? lock->class->id : NULL, lock->name, lock->kind, (int64_t)stats->contended,
                   (int64_t)stats->wait_total_ns, (int64_t)stats->wait_max_ns, (int64_t)stats->waiters_max);
    }
}

static void add_threads(struct writer *writer, const struct model_process *process) {
    size_t count;
    const struct lgr_thread_info *infos = lgr_threads(process->file, &count);
    for (size_t i = 0; i < count; i++) {
        const struct model_thread *thread = model_thread_of(writer->model, process, infos[i].serial);
        sqlite_add(&writer->tables, TABLE_THREAD, "iiitt", process_id(process), (int64_t)thread->serial,
                   (int64_t)thread->tid, thread->name, thread->start_routine);
    }
}

static const char *class_id(struct writer *writer, struct model_process *process, uint32_t id) {
    const struct model_class *class = model_class_of(writer->model, process, id);
    return class ? class->id : NULL;
}

static void add_edge(struct writer *writer, struct model_process *process, const struct lgr_edge *edge) {
    struct model *model = writer->model;
    struct stack held = model_stack(model, process, edge->held_context);
    struct stack request = model_stack(model, process, edge->request_context);
    int64_t held_id = stack_id(writer, &held), request_id = stack_id(writer, &request);
    sqlite_add(&writer->tables, TABLE_EDGE, "ittttttbioo", process_id(process),
               class_id(writer, process, edge->from_class), class_id(writer, process, edge->to_class),
               model_lock_of(model, process, edge->from_lock)->id,
               model_lock_of(model, process, edge->to_lock)->id, mode(edge->mode_from == LGR_SHARED),
               mode(edge->mode_to == LGR_SHARED), edge->timed != 0, (int64_t)edge->thread, held_id,
               request_id);
}

static void add_usage(struct writer *writer, struct model_process *process, const struct lgr_usage *usage) {
    const struct lgr_figures *figures = &usage->figures;
    struct stack stack = model_stack(writer->model, process, usage->context);
    int64_t stack_number = usage->context ? stack_id(writer, &stack) : 0;
    sqlite_add(&writer->tables, TABLE_USAGE, "itoiiiiiiiii", process_id(process),
               class_id(writer, process, usage->class_id), stack_number, (int64_t)figures->contended,
               (int64_t)figures->owner_changes, (int64_t)figures->waiters_max,
               (int64_t)lgr_times_count(&figures->wait), (int64_t)figures->wait.total_ns,
               (int64_t)figures->wait.max_ns, (int64_t)lgr_times_count(&figures->hold),
               (int64_t)figures->hold.total_ns, (int64_t)figures->hold.max_ns);
}

static void add_thread_usage(struct writer *writer, const struct model_process *process,
                             const struct lgr_thread_waits *waits) {
    sqlite_add(&writer->tables, TABLE_THREAD_USAGE, "ioiii", process_id(process), (int64_t)waits->serial,
               (int64_t)waits->count, (int64_t)waits->total_ns, (int64_t)waits->max_ns);
}

static void add_recorded(struct writer *writer, struct model_process *process) {
    add_process(writer, process);
    add_locks(writer, process);
    add_threads(writer, process);
    for (size_t i = 0; i < lgr_edge_count(process->file); i++)
        add_edge(writer, process, lgr_edge_at(process->file, i));
    for (size_t i = 0; i < lgr_usage_count(process->file); i++)
        add_usage(writer, process, lgr_usage_at(process->file, i));
    for (size_t i = 0; i < lgr_thread_waits_count(process->file); i++)
        add_thread_usage(writer, process, lgr_thread_waits_at(process->file, i));
}

static void add_classes(struct writer *writer) {
    for (size_t i = 0; i < writer->model->class_count; i++) {
        const struct model_class *class = writer->model->classes[i];
        sqlite_add(&writer->tables, TABLE_CLASS, class->level == NO_LEVEL ? "ttt0" : "ttti", class->id,
                   class->name, class->kind, (int64_t) class->level);
    }
}

/* ---- what was found ---- */

static void add_finding_edge(struct writer *writer, const struct model_finding *finding, size_t index) {
    const struct model_edge *edge = &finding->edges[index];
    int64_t held_id = stack_id(writer, &edge->held_at), request_id = stack_id(writer, &edge->requested_at);
    sqlite_add(&writer->tables, TABLE_FINDING_EDGE, "tiitttooo", finding->id, (int64_t)index,
               (int64_t)edge->thread->serial, edge->from ? edge->from->id : NULL,
               edge->to ? edge->to->id : NULL, edge->to_label, (int64_t)edge->since_realtime_ns, held_id,
               request_id);
    for (size_t i = 0; i < edge->held_count; i++)
        sqlite_add(&writer->tables, TABLE_FINDING_HELD, "tiitto", finding->id, (int64_t)index, (int64_t)i,
                   edge->held[i].lock->id, mode(edge->held[i].shared),
                   stack_id(writer, &edge->held[i].taken_at));
}

static void add_finding(struct writer *writer, const struct model_finding *finding) {
    sqlite_add(&writer->tables, TABLE_FINDING, "ttttiiittt", finding->id, kind_name(finding->kind),
               verdict_name(finding->verdict), severity_name(finding->severity), (int64_t)finding->count,
               process_id(finding->process), (int64_t)finding->time_realtime_ns, finding->title,
               finding->explanation, finding->advice);
    for (size_t i = 0; i < finding->edge_count; i++)
        add_finding_edge(writer, finding, i);
}

static void add_wait(struct writer *writer, const struct model_wait *wait) {
    int64_t owner = wait->owner ? (int64_t)wait->owner->serial : 0;
    sqlite_add(&writer->tables, TABLE_WAIT, "iittooo", process_id(wait->process),
               (int64_t)wait->thread->serial, wait->what, wait->lock ? wait->lock->id : NULL, owner,
               (int64_t)wait->since_realtime_ns, stack_id(writer, &wait->at));
}

static void add_all(struct writer *writer) {
    struct model *model = writer->model;
    sqlite_add(&writer->tables, TABLE_META, "tt", "schema", "lockgraph-sqlite/1");
    sqlite_add(&writer->tables, TABLE_META, "tt", "version", LOCKGRAPH_VERSION);
    for (size_t i = 0; i < model->process_count; i++)
        add_recorded(writer, &model->processes[i]);
    for (size_t i = 0; i < model->finding_count; i++)
        add_finding(writer, &model->findings[i]);
    for (size_t i = 0; i < model->wait_count; i++)
        add_wait(writer, &model->waits[i]);
    add_classes(writer); /* the others met them */
}

/* ---- the file ---- */

static void keep(void *node) { (void)node; }

bool export_sqlite(struct model *model, const char *path, char *error) {
    struct writer writer = {.model = model};
    if (!may_replace(path)) {
        snprintf(error, 256, MAY_REPLACE_NOT);
        return false;
    }
    const char *unfinished = pool_printf(&model->pool, "%s.%ld.new", path, (long)getpid());
    sqlite_tables_open(&writer.tables, unfinished);
    add_all(&writer);
    bool written = sqlite_tables_close(&writer.tables, error);
    tdestroy(writer.frames, keep);
    tdestroy(writer.stacks, keep);
    if (written && rename(unfinished, path) != 0) {
        snprintf(error, 256, "%s", strerror(errno));
        written = false;
    }
    if (!written)
        unlink(unfinished);
    return written;
}
