/* The Trace Event Format, "Trace Event Format" by the Chromium project: metadata (M),
 * slices (X), instants (i), and flows (s, f) that are bound to the slices around them. */
#include <jansson.h>
#include <stdlib.h>

#include "export.h"
#include "json_parts.h"
#include "kinds.h"
#include "stacks.h"
#include "timed_spans.h"

struct slice {
    const struct model_process *process;
    json_int_t thread;
    const char *name;
    uint64_t start_ns, end_ns;
    json_t *arguments;
    size_t index; /* in the order in which they came */
};
struct writer {
    struct model *model;
    json_t *events;
    size_t slice_count;
    struct slice *slices;
    uint64_t start_ns; /* of the first process: time 0 */
    json_int_t flows;
    json_int_t shortened; /* slices that end where another does, not where they did */
};

/* Microseconds with the nanoseconds behind the point. */
static json_t *at(const struct writer *writer, uint64_t realtime_ns) {
    return json_real((double)(int64_t)(realtime_ns - writer->start_ns) / 1000.0);
}

static json_int_t pid_of(const struct model_process *process) { return (json_int_t)process->header->pid; }

static void add_event(struct writer *writer, const char *phase, const struct model_process *process,
                      json_int_t thread, const char *name, json_t *members) {
    json_t *event =
        json_packed("{s:s, s:I, s:I, s:s}", "ph", phase, "pid", pid_of(process), "tid", thread, "name", name);
    json_object_update(event, members);
    json_decref(members);
    json_array_append_new(writer->events, event);
}

/* ---- processes and threads ---- */

static void add_name(struct writer *writer, const struct model_process *process, json_int_t thread,
                     const char *what, const char *name) {
    add_event(writer, "M", process, thread, what, json_packed("{s:{s:s}}", "args", "name", name));
}

static void add_process(struct writer *writer, const struct model_process *process) {
    size_t count;
    const struct lgr_thread_info *threads = lgr_threads(process->file, &count);
    add_name(writer, process, pid_of(process), "process_name", process->program);
    for (size_t i = 0; i < count; i++)
        add_name(writer, process, threads[i].tid, "thread_name",
                 model_thread_of(writer->model, process, threads[i].serial)->label);
}

/* The last moment of which the evidence knows something. */
static uint64_t end_of(const struct writer *writer, const struct model_process *process) {
    uint64_t end = process->header->end_realtime_ns;
    for (size_t i = 0; !process->header->end_realtime_ns && i < writer->model->finding_count; i++) {
        const struct model_finding *finding = &writer->model->findings[i];
        if (finding->process == process && finding->time_realtime_ns > end)
            end = finding->time_realtime_ns;
    }
    for (size_t i = 0; i < writer->model->wait_count; i++)
        if (writer->model->waits[i].process == process && writer->model->waits[i].since_realtime_ns > end)
            end = writer->model->waits[i].since_realtime_ns;
    return end > process->header->start_realtime_ns ? end : process->header->start_realtime_ns + 1000;
}

/* ---- slices and arrows ---- */

static void add_slice(struct writer *writer, const struct model_process *process, json_int_t thread,
                      const char *name, uint64_t start_ns, uint64_t end_ns, json_t *arguments) {
    writer->slices = checked_resize(writer->slices, writer->slice_count + 1, sizeof *writer->slices);
    writer->slices[writer->slice_count] =
        (struct slice){process, thread, name, start_ns, end_ns, arguments, writer->slice_count};
    writer->slice_count++;
}

/* What goes on to the end.  It may have begun in the last moment that is known: 1 us at
 * least, to be seen. */
static void add_open(struct writer *writer, const struct model_process *process, json_int_t thread,
                     const char *name, uint64_t since, json_t *arguments) {
    uint64_t end = end_of(writer, process);
    add_slice(writer, process, thread, name, since, end > since + 1000 ? end : since + 1000, arguments);
}

static void add_flow(struct writer *writer, const struct model_process *process, json_int_t waiter,
                     json_int_t holder, uint64_t since) {
    json_int_t id = ++writer->flows;
    add_event(writer, "s", process, waiter, "held by",
              json_packed("{s:s, s:I, s:o}", "cat", "wait", "id", id, "ts", at(writer, since)));
    add_event(
        writer, "f", process, holder, "held by",
        json_packed("{s:s, s:I, s:o, s:s}", "cat", "wait", "id", id, "ts", at(writer, since), "bp", "e"));
}

static json_t *place_of(struct writer *writer, const struct stack *stack) {
    return json_text(frame_place(&writer->model->pool, stack_site(stack)));
}

static void add_wait(struct writer *writer, const struct model_wait *wait) {
    struct pool *pool = &writer->model->pool;
    uint64_t since = wait->since_realtime_ns;
    add_open(writer, wait->process, wait->thread->tid, pool_printf(pool, "waits for %s", wait->what), since,
             json_packed("{s:o}", "at", place_of(writer, &wait->at)));
    if (!wait->owner || !wait->owner->tid)
        return;
    add_open(writer, wait->process, wait->owner->tid, pool_printf(pool, "holds %s", wait->what), since,
             json_packed("{s:s}", "wanted by", wait->thread->label));
    add_flow(writer, wait->process, wait->thread->tid, wait->owner->tid, since);
}

/* ---- findings ---- */

static bool is_waiting(const struct writer *writer, const struct model_finding *finding,
                       const struct model_thread *thread) {
    for (size_t i = 0; i < writer->model->wait_count; i++)
        if (writer->model->waits[i].process == finding->process &&
            writer->model->waits[i].thread->serial == thread->serial)
            return true;
    return false;
}

static bool lasts(const struct model_finding *finding) {
    return finding->verdict == LGR_VERDICT_ACTUAL && !finding->timed;
}

static const struct model_edge *holder_of(const struct model_finding *finding, size_t index) {
    return finding->kind == LGR_KIND_STALL ? NULL : &finding->edges[(index + 1) % finding->edge_count];
}

/* A deadlock or a stall goes on to the end; where the file has the waits themselves, these are
 * told. */
static void add_lasting(struct writer *writer, const struct model_finding *finding, size_t index) {
    const struct model_edge *edge = &finding->edges[index], *holder = holder_of(finding, index);
    uint64_t since = edge->since_realtime_ns ? edge->since_realtime_ns : finding->time_realtime_ns;
    if (is_waiting(writer, finding, edge->thread))
        return;
    add_open(writer, finding->process, edge->tid,
             pool_printf(&writer->model->pool, "waits for %s", edge->to_label), since,
             json_packed("{s:s, s:o}", "finding", finding->id, "at", place_of(writer, &edge->requested_at)));
    if (holder && holder != edge && !is_waiting(writer, finding, holder->thread))
        add_flow(writer, finding->process, edge->tid, holder->tid, since);
}

static void add_finding(struct writer *writer, const struct model_finding *finding) {
    for (size_t i = 0; i < finding->edge_count; i++) {
        const struct model_edge *edge = &finding->edges[i];
        add_event(writer, "i", finding->process, edge->tid ? edge->tid : edge->thread->tid,
                  pool_printf(&writer->model->pool, "%s %s", kind_name(finding->kind), finding->id),
                  json_packed("{s:s, s:s, s:o, s:{s:s, s:s, s:s}}", "cat", "finding", "s", "t", "ts",
                              at(writer, finding->time_realtime_ns), "args", "title", finding->title,
                              "severity", severity_name(finding->severity), "what to change",
                              finding->advice));
        if (lasts(finding))
            add_lasting(writer, finding, i);
    }
}

/* ---- single holds and waits ---- */

static void add_span(struct writer *writer, const struct timed_spans *spans, const struct timed_span *span) {
    json_t *arguments = json_object();
    if (span->at)
        json_object_set_new(arguments, span->waits ? "at" : "taken at", json_text(span->at));
    add_slice(writer, span->process, span->thread->tid, span->what, span->start_ns, span->end_ns, arguments);
    const struct timed_span *holder = span->waits && span->lock ? timed_spans_holder(spans, span) : NULL;
    if (holder)
        add_flow(writer, span->process, span->thread->tid, holder->thread->tid, span->start_ns);
}

/* ---- slices in order ---- */

static int compare_slices(const void *a, const void *b) {
    const struct slice *one = a, *other = b;
    if (one->process != other->process)
        return one->process->index < other->process->index ? -1 : 1;
    if (one->thread != other->thread)
        return one->thread < other->thread ? -1 : 1;
    if (one->start_ns != other->start_ns)
        return one->start_ns < other->start_ns ? -1 : 1;
    if (one->end_ns != other->end_ns)
        return one->end_ns > other->end_ns ? -1 : 1;
    return one->index < other->index ? -1 : 1;
}

static void write_slice(struct writer *writer, const struct slice *slice) {
    add_event(writer, "X", slice->process, slice->thread, slice->name,
              json_packed("{s:s, s:o, s:f, s:O}", "cat", "wait", "ts", at(writer, slice->start_ns), "dur",
                          (double)(slice->end_ns - slice->start_ns) / 1000.0, "args", slice->arguments));
}

/* Slices of a thread have to be nested; a lock that is given up after one that was taken
 * later makes two, where that one ends.  Many that cross make more pieces than anybody looks
 * at: then the rest is left out. */
static void cut_slice(struct writer *writer, size_t index, uint64_t at_ns, bool with_rest) {
    struct slice *slice = &writer->slices[index];
    if (with_rest)
        add_slice(writer, slice->process, slice->thread, slice->name, at_ns, slice->end_ns,
                  json_incref(slice->arguments));
    else
        writer->shortened++;
    writer->slices[index].end_ns = at_ns;
}

struct enclosing {
    const struct model_process *process;
    json_int_t thread;
    size_t depth, room;
    uint64_t *ends; /* of the slices that are open, outermost first */
};

static void enclose(struct enclosing *open, const struct slice *slice) {
    if (open->process != slice->process || open->thread != slice->thread)
        open->depth = 0;
    open->process = slice->process;
    open->thread = slice->thread;
    while (open->depth && open->ends[open->depth - 1] <= slice->start_ns)
        open->depth--;
}

static void push_end(struct enclosing *open, uint64_t end_ns) {
    if (open->depth == open->room)
        open->ends = checked_resize(open->ends, open->room = open->room * 2 + 8, sizeof *open->ends);
    open->ends[open->depth++] = end_ns;
}

/* Cuts those that reach out of what encloses them; true: some were, and the rest may still. */
static bool cut_crossing(struct writer *writer, bool with_rest) {
    struct enclosing open = {0};
    size_t before = writer->slice_count;
    if (before)
        qsort(writer->slices, before, sizeof *writer->slices, compare_slices);
    for (size_t i = 0; i < before; i++) {
        enclose(&open, &writer->slices[i]);
        if (open.depth && writer->slices[i].end_ns > open.ends[open.depth - 1])
            cut_slice(writer, i, open.ends[open.depth - 1], with_rest);
        push_end(&open, writer->slices[i].end_ns);
    }
    free(open.ends);
    return writer->slice_count > before;
}

static void write_slices(struct writer *writer) {
    enum { ROUNDS = 32 };
    for (int round = 1; cut_crossing(writer, round < ROUNDS); round++)
        continue;
    for (size_t i = 0; i < writer->slice_count; i++) {
        write_slice(writer, &writer->slices[i]);
        json_decref(writer->slices[i].arguments);
    }
    free(writer->slices);
}

/* ---- the whole ---- */

static json_t *about(struct writer *writer, const struct timed_spans *spans) {
    const char *missing =
        spans->least_ns
            ? pool_printf(&writer->model->pool, "holds and waits shorter than %lu ns",
                          (unsigned long)spans->least_ns)
            : "single holds and waits that ended: run with -O timeline=100us; evidence has their sums, see "
              "lockgraph export --format folded and sqlite";
    json_t *about = json_packed("{s:s, s:o, s:s}", "source", "lockgraph", "time 0 in ns since 1970",
                                json_integer((json_int_t)writer->start_ns), "not recorded", missing);
    if (writer->shortened)
        json_object_set_new(about, "slices drawn shorter than they were, for they cross too many others",
                            json_integer(writer->shortened));
    return about;
}

static json_t *trace(struct writer *writer) {
    struct model *model = writer->model;
    struct timed_spans spans = timed_spans_collect(model);
    for (size_t i = 0; i < model->process_count; i++)
        add_process(writer, &model->processes[i]);
    for (size_t i = 0; i < model->wait_count; i++)
        if (model->waits[i].since_realtime_ns)
            add_wait(writer, &model->waits[i]);
    for (size_t i = 0; i < model->finding_count; i++)
        if (!model->findings[i].suppression)
            add_finding(writer, &model->findings[i]);
    for (size_t i = 0; i < spans.count; i++)
        add_span(writer, &spans, &spans.list[i]);
    write_slices(writer);
    return json_packed("{s:s, s:o, s:o}", "displayTimeUnit", "ms", "otherData", about(writer, &spans),
                       "traceEvents", writer->events);
}

void export_trace(struct text *out, struct model *model) {
    struct writer writer = {.model = model,
                            .events = json_array(),
                            .start_ns =
                                model->process_count ? model->processes[0].header->start_realtime_ns : 0};
    json_write_as(out, trace(&writer), JSON_INDENT(1) | JSON_REAL_PRECISION(15));
    text_add(out, "\n");
}
