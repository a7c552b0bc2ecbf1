#include "json_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "exit_code.h"
#include "format.h"
#include "kinds.h"
#include "stall_words.h"
#include "suppress.h"

void json_write_as(struct text *out, json_t *root, size_t flags) {
    char *dump = root ? json_dumps(root, flags) : NULL;
    if (!dump) {
        fputs("lockgraph: out of memory\n", stderr);
        exit(EXIT_INTERNAL);
    }
    text_add(out, dump);
    free(dump);
    json_decref(root);
}

void json_write(struct text *out, json_t *root) {
    json_write_as(out, root, JSON_INDENT(1));
    text_add(out, "\n");
}

json_t *json_packed(const char *format, ...) {
    json_error_t error;
    va_list arguments;
    va_start(arguments, format);
    json_t *packed = json_vpack_ex(&error, 0, format, arguments);
    va_end(arguments);
    if (!packed) {
        complain("a part of the report cannot be written: %s", error.text);
        exit(EXIT_INTERNAL);
    }
    return packed;
}

static json_t *cleaned(const char *text) {
    struct pool pool = {0};
    json_t *string = json_string(text_clean(&pool, text));
    pool_free(&pool);
    return string;
}

json_t *json_text(const char *text) {
    json_t *string = text ? json_string(text) : json_null();
    return string ? string : cleaned(text);
}

json_t *json_time(uint64_t realtime_ns) {
    time_t seconds = (time_t)(realtime_ns / 1000000000);
    struct tm utc;
    char date[32];
    if (!realtime_ns || !gmtime_r(&seconds, &utc) || !strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc))
        return json_null();
    return json_sprintf("%s.%03uZ", date, (unsigned)(realtime_ns / 1000000 % 1000));
}

static const char *mode_name(bool shared) { return shared ? "shared" : "exclusive"; }

json_t *json_frame(const struct code_frame *frame) {
    if (!frame)
        return json_null();
    return json_packed("{s:o, s:I, s:o, s:o, s:o, s:o, s:b}", "module", json_text(frame->module), "offset",
                       (json_int_t)frame->offset, "build_id",
                       json_text(frame->build_id && frame->build_id[0] ? frame->build_id : NULL), "function",
                       json_text(frame->function), "file", json_text(frame->file), "line",
                       frame->line ? json_integer(frame->line) : json_null(), "inlined", frame->inlined);
}

json_t *json_stack(const struct stack *stack) {
    json_t *frames = json_array();
    for (size_t i = 0; i < stack->count; i++)
        json_array_append_new(frames, json_frame(&stack->frames[i]));
    return frames;
}

static json_t *held_locks(const struct model_edge *edge) {
    json_t *held = json_array();
    for (size_t i = 0; i < edge->held_count; i++)
        json_array_append_new(held, json_text(edge->held[i].lock->id));
    return held;
}

static json_t *held_stacks(const struct model_edge *edge) {
    json_t *held = json_array();
    for (size_t i = 0; i < edge->held_count; i++)
        json_array_append_new(held, json_packed("{s:o, s:s, s:o}", "lock", json_text(edge->held[i].lock->id),
                                                "mode", mode_name(edge->held[i].shared), "taken_at",
                                                json_stack(&edge->held[i].taken_at)));
    return held;
}

static const char *kind_of_wait(const struct model_edge *edge) {
    if (edge->condition)
        return "condition";
    if (edge->joined)
        return edge->in_once ? "once" : "thread";
    return edge->to ? "lock" : "barrier";
}

/* Of a stall, where an edge is a wait by itself. */
static json_t *edge_wait(const struct model_edge *edge) {
    return json_packed(
        "{s:s, s:o, s:o, s:o, s:o}", "for", kind_of_wait(edge), "condition",
        edge->condition ? json_sprintf("0x%llx", (unsigned long long)edge->condition) : json_null(), "since",
        json_time(edge->since_realtime_ns), "signalled_by",
        edge->signaller ? json_integer(edge->signaller->serial) : json_null(), "held", held_stacks(edge));
}

static json_t *edge_object(const struct model_edge *edge, bool stall) {
    json_t *object = json_packed("{s:o, s:o, s:s, s:s, s:b, s:i, s:o, s:o, s:o, s:o}", "from",
                                 json_text(edge->from ? edge->from->id : NULL), "to",
                                 json_text(edge->to ? edge->to->id : NULL), "mode_from",
                                 mode_name(edge->shared_from), "mode_to", mode_name(edge->shared_to), "timed",
                                 edge->timed, "thread", (int)edge->thread->serial, "joins",
                                 edge->joined ? json_integer(edge->joined->serial) : json_null(), "held_at",
                                 json_stack(&edge->held_at), "requested_at", json_stack(&edge->requested_at),
                                 "held", held_locks(edge));
    if (stall)
        json_object_set_new(object, "wait", edge_wait(edge));
    return object;
}

/* ---- the locks and threads of a finding, each once ---- */

static bool array_has(json_t *array, const char *text) {
    size_t i;
    json_t *value;
    json_array_foreach(array, i, value) {
        if (strcmp(json_string_value(value), text) == 0)
            return true;
    }
    return false;
}

static json_t *finding_locks(const struct model_finding *finding) {
    json_t *locks = json_array();
    for (size_t i = 0; i < finding->edge_count; i++) {
        const struct model_lock *pair[] = {finding->edges[i].from, finding->edges[i].to};
        for (size_t k = 0; k < 2; k++)
            if (pair[k] && !array_has(locks, pair[k]->id))
                json_array_append_new(locks, json_text(pair[k]->id));
    }
    return locks;
}

static json_t *thread_object(const struct model_thread *thread, uint32_t tid) {
    return json_packed("{s:i, s:i, s:s, s:o, s:o}", "serial", (int)thread->serial, "tid", (int)tid, "name",
                       thread->name, "start_routine", json_text(thread->start_routine), "created_at",
                       json_stack(&thread->created_at));
}

static void add_thread(json_t *threads, const struct model_thread *thread, uint32_t tid) {
    size_t i;
    json_t *known;
    json_array_foreach(threads, i, known) {
        if (json_integer_value(json_object_get(known, "serial")) == (json_int_t)(int)thread->serial)
            return;
    }
    json_array_append_new(threads, thread_object(thread, tid));
}

static json_t *finding_threads(const struct model_finding *finding) {
    json_t *threads = json_array();
    for (size_t i = 0; i < finding->edge_count; i++) {
        const struct model_edge *edge = &finding->edges[i];
        add_thread(threads, edge->thread, edge->tid ? edge->tid : edge->thread->tid);
        if (edge->joined)
            add_thread(threads, edge->joined, edge->joined->tid);
        if (edge->signaller)
            add_thread(threads, edge->signaller, edge->signaller->tid);
    }
    return threads;
}

static json_t *suppressed_by(const struct suppression *suppression) {
    return json_packed("{s:s, s:i, s:o}", "file", suppression->file, "line", (int)suppression->line, "reason",
                       json_text(suppression->reason));
}

json_t *json_finding(const struct model_finding *finding) {
    json_t *edges = json_array();
    for (size_t i = 0; i < finding->edge_count; i++)
        json_array_append_new(edges, edge_object(&finding->edges[i], is_stall(finding)));
    json_t *object =
        json_packed("{s:s, s:s, s:o, s:s, s:I, s:b, s:I, s:o, s:s, s:s, s:s, s:o, s:o, s:o}", "id",
                    finding->id, "kind", kind_name(finding->kind), "verdict",
                    json_text(verdict_name(finding->verdict)), "severity", severity_name(finding->severity),
                    "count", (json_int_t)finding->count, "suppressed", finding->suppression != NULL, "pid",
                    (json_int_t)finding->process->header->pid, "time", json_time(finding->time_realtime_ns),
                    "title", finding->title, "explanation", finding->explanation, "advice", finding->advice,
                    "locks", finding_locks(finding), "edges", edges, "threads", finding_threads(finding));
    if (finding->suppression)
        json_object_set_new(object, "suppressed_by", suppressed_by(finding->suppression));
    return object;
}

/* ---- suppressions ---- */

static json_t *suppression_object(const struct suppression *suppression, size_t uses) {
    return json_packed("{s:s, s:i, s:s, s:o, s:I}", "file", suppression->file, "line", (int)suppression->line,
                       "text", suppression->text, "reason", json_text(suppression->reason), "findings",
                       (json_int_t)uses);
}

json_t *json_suppressions(const struct model *model) {
    json_t *list = json_array();
    for (size_t i = 0; i < model->suppressions->count; i++)
        json_array_append_new(list,
                              suppression_object(&model->suppressions->list[i], model->suppression_uses[i]));
    return list;
}

/* ---- processes ---- */

static json_t *degraded_list(uint32_t degraded) {
    json_t *list = json_array();
    for (unsigned i = 0; i < 32; i++) {
        const char *name = degraded_name(1u << i);
        if (degraded & 1u << i)
            json_array_append_new(list, json_text(name ? name : "unknown"));
    }
    return list;
}

static json_t *wait_object(const struct model_wait *wait) {
    json_t *held = json_array();
    for (size_t i = 0; i < wait->held_count; i++)
        json_array_append_new(held, json_text(wait->held[i].lock->id));
    return json_packed("{s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "thread",
                       thread_object(wait->thread, wait->thread->tid), "for", wait->what, "lock",
                       json_text(wait->lock ? wait->lock->id : NULL), "since",
                       json_time(wait->since_realtime_ns), "owner",
                       wait->owner ? json_integer(wait->owner->serial) : json_null(), "at",
                       json_stack(&wait->at), "held", held);
}

static json_t *process_waits(struct model *model, const struct model_process *process) {
    json_t *waits = json_array();
    for (size_t i = 0; i < model->wait_count; i++)
        if (model->waits[i].process == process)
            json_array_append_new(waits, wait_object(&model->waits[i]));
    return waits;
}

json_t *json_process(struct model *model, const struct model_process *process) {
    const struct lgr_header_copy *header = process->header;
    json_t *exit = header->ended == LGR_EXITED ? json_integer(header->exit_status) : json_null();
    json_t *object = json_packed(
        "{s:I, s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:b, s:I, s:o, s:o}", "pid", (json_int_t)header->pid,
        "ppid", (json_int_t)header->ppid, "exe", process->exe, "cmdline", process->command_line, "build_id",
        json_text(process->build_id[0] ? process->build_id : NULL), "start",
        json_time(header->start_realtime_ns), "end", json_time(header->end_realtime_ns), "exit", exit,
        "running", process->alive, "threads", (json_int_t)header->threads, "degraded",
        degraded_list(header->degraded), "waits", process_waits(model, process));
    if (lgr_merged(process->file))
        json_object_set_new(object, "merged", json_integer((json_int_t)lgr_merged(process->file)));
    return object;
}
