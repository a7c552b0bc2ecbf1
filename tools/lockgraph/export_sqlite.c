#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "export.h"
#include "kinds.h"
#include "may_replace.h"
#include "progress.h"
#include "sqlite_stacks.h"
#include "sqlite_tables.h"
#include "version.h"

#define LOCKS_AT_ONCE 1024

struct writer {
    struct model *model;
    struct sqlite_tables tables;
    struct sqlite_stacks *stacks;
};

static int64_t process_id(const struct model_process *process) { return (int64_t)process->index + 1; }

static const char *mode(bool shared) { return shared ? "shared" : "exclusive"; }

static const char *text_or_null(const char *text) { return text && text[0] ? text : NULL; }

/* ---- what was recorded ---- */

static void add_process(struct writer *writer, const struct model_process *process) {
    const struct lgr_header_copy *header = process->header;
    bool exited = header->ended == LGR_EXITED;
    sqlite_add(&writer->tables, TABLE_PROCESS, exited ? "iiitttiobi" : "iiitttiob0", process_id(process),
               (int64_t)header->pid, (int64_t)header->ppid, process->exe, process->command_line,
               text_or_null(process->build_id), (int64_t)header->start_realtime_ns,
               (int64_t)header->end_realtime_ns, (int)process->alive, (int64_t)header->exit_status);
}

/* Nothing is kept of them: there may be millions. */
static void add_locks(struct writer *writer, struct model_process *process) {
    size_t count;
    const struct lgr_lock_info *infos = lgr_locks(process->file, &count);
    struct pool names = {0};
    for (size_t i = 0; i < count; i++) {
        struct model_lock lock = model_describe_lock(writer->model, process, infos[i].id, &names);
        const struct lgr_lock_stats *stats = lgr_stats_of_lock(process->file, infos[i].id);
        sqlite_add(&writer->tables, TABLE_LOCK, "titttiiii", lock.id, process_id(process),
                   lock.class ? lock.class->id : NULL, lock.name, lock.kind, (int64_t)stats->contended,
                   (int64_t)stats->wait_total_ns, (int64_t)stats->wait_max_ns, (int64_t)stats->waiters_max);
        if (i % LOCKS_AT_ONCE == 0) {
            progress("writing lock", i, count);
            pool_free(&names);
        }
    }
    pool_free(&names);
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
    char from[MODEL_LOCK_ID_ROOM], to[MODEL_LOCK_ID_ROOM];
    model_lock_id(process, edge->from_lock, from);
    model_lock_id(process, edge->to_lock, to);
    int64_t held = sqlite_stack_of_context(writer->stacks, process, edge->held_context);
    int64_t request = sqlite_stack_of_context(writer->stacks, process, edge->request_context);
    sqlite_add(&writer->tables, TABLE_EDGE, "ittttttbioo", process_id(process),
               class_id(writer, process, edge->from_class), class_id(writer, process, edge->to_class), from,
               to, mode(edge->mode_from == LGR_SHARED), mode(edge->mode_to == LGR_SHARED), edge->timed != 0,
               (int64_t)edge->thread, held, request);
}

static void add_edges(struct writer *writer, struct model_process *process) {
    size_t count = lgr_edge_count(process->file);
    for (size_t i = 0; i < count; i++) {
        progress("writing order", i + 1, count);
        add_edge(writer, process, lgr_edge_at(process->file, i));
    }
}

static void add_usage(struct writer *writer, struct model_process *process, const struct lgr_usage *usage) {
    const struct lgr_figures *figures = &usage->figures;
    int64_t stack = usage->context ? sqlite_stack_of_context(writer->stacks, process, usage->context) : 0;
    sqlite_add(&writer->tables, TABLE_USAGE, "itoiiiiiiiii", process_id(process),
               class_id(writer, process, usage->class_id), stack, (int64_t)figures->contended,
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
    add_edges(writer, process);
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
    int64_t held_id = sqlite_stack(writer->stacks, &edge->held_at),
            request_id = sqlite_stack(writer->stacks, &edge->requested_at);
    sqlite_add(&writer->tables, TABLE_FINDING_EDGE, "tiitttooo", finding->id, (int64_t)index,
               (int64_t)edge->thread->serial, edge->from ? edge->from->id : NULL,
               edge->to ? edge->to->id : NULL, edge->to_label, (int64_t)edge->since_realtime_ns, held_id,
               request_id);
    for (size_t i = 0; i < edge->held_count; i++)
        sqlite_add(&writer->tables, TABLE_FINDING_HELD, "tiitto", finding->id, (int64_t)index, (int64_t)i,
                   edge->held[i].lock->id, mode(edge->held[i].shared),
                   sqlite_stack(writer->stacks, &edge->held[i].taken_at));
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
               (int64_t)wait->since_realtime_ns, sqlite_stack(writer->stacks, &wait->at));
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
    add_classes(writer); /* that the others met */
}

/* ---- the file ---- */

bool export_sqlite(struct model *model, const char *path, char *error) {
    struct writer writer = {.model = model};
    if (!may_replace(path)) {
        snprintf(error, 256, MAY_REPLACE_NOT);
        return false;
    }
    const char *unfinished = pool_printf(&model->pool, "%s.%ld.new", path, (long)getpid());
    sqlite_tables_open(&writer.tables, unfinished);
    writer.stacks = sqlite_stacks_open(model, &writer.tables);
    add_all(&writer);
    sqlite_stacks_close(writer.stacks);
    bool written = sqlite_tables_close(&writer.tables, error);
    progress_end();
    if (written && rename(unfinished, path) != 0) {
        snprintf(error, 256, "%s", strerror(errno));
        written = false;
    }
    if (!written)
        unlink(unfinished);
    return written;
}
