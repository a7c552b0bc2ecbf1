#include "html_timeline.h"

#include <stdlib.h>
#include <string.h>

#include "json_parts.h"
#include "stall_words.h"
#include "timed_spans.h"

#define NS_IN_MS UINT64_C(1000000)

struct lane {
    const struct model_process *process;
    const struct model_thread *thread;
    json_t *spans;
};
struct timeline {
    struct model *model;
    uint64_t origin, end; /* real time */
    size_t lane_count;
    struct lane *lanes;
    size_t waited_count; /* parts of holds so far */
};

static struct lane *lane_of(struct timeline *timeline, const struct model_process *process,
                            const struct model_thread *thread) {
    struct lane *last = timeline->lane_count ? &timeline->lanes[timeline->lane_count - 1] : NULL;
    if (last && last->process == process && last->thread->serial == thread->serial)
        return last;
    for (size_t i = 0; i < timeline->lane_count; i++)
        if (timeline->lanes[i].process == process && timeline->lanes[i].thread->serial == thread->serial)
            return &timeline->lanes[i];
    timeline->lanes = checked_resize(timeline->lanes, timeline->lane_count + 1, sizeof *timeline->lanes);
    timeline->lanes[timeline->lane_count] = (struct lane){process, thread, json_array()};
    return &timeline->lanes[timeline->lane_count++];
}

/* ---- what is known by a finding, or was not over ---- */

struct bar {
    const char *state, *text;
    uint64_t start, end; /* end 0: open */
};

static json_int_t since_origin(const struct timeline *timeline, uint64_t time) {
    return time > timeline->origin ? (json_int_t)((time - timeline->origin) / 1000) : 0;
}

static json_int_t earlier(json_int_t one, json_int_t other) { return one < other ? one : other; }

/* A span of the same words that the new one touches takes it in: of a wait that was told by
 * itself and by a finding, or of a hold that was recorded and told. */
static bool is_taken_in(const struct timeline *timeline, json_t *spans, const struct bar *span) {
    json_int_t start = since_origin(timeline, span->start);
    json_int_t end = span->end ? since_origin(timeline, span->end) : INT64_MAX;
    for (size_t i = 0; i < json_array_size(spans); i++) {
        json_t *other = json_array_get(spans, i), *other_end = json_object_get(other, "end_us");
        json_int_t from = json_integer_value(json_object_get(other, "start_us"));
        json_int_t to = json_is_null(other_end) ? INT64_MAX : json_integer_value(other_end);
        if (strcmp(json_string_value(json_object_get(other, "text")), span->text) != 0 || start > to ||
            end < from)
            continue;
        json_object_set_new(other, "start_us", json_integer(earlier(start, from)));
        if (end > to)
            json_object_set_new(other, "end_us", end == INT64_MAX ? json_null() : json_integer(end));
        return true;
    }
    return false;
}

static void add_span(struct timeline *timeline, const struct model_process *process,
                     const struct model_thread *thread, struct bar span) {
    struct lane *lane = lane_of(timeline, process, thread);
    uint64_t last = span.end ? span.end : span.start;
    timeline->end = last > timeline->end ? last : timeline->end;
    if (is_taken_in(timeline, lane->spans, &span))
        return;
    json_array_append_new(lane->spans,
                          json_packed("{s:s, s:I, s:o, s:s}", "state", span.state, "start_us",
                                      since_origin(timeline, span.start), "end_us",
                                      span.end ? json_integer(since_origin(timeline, span.end)) : json_null(),
                                      "text", span.text));
}

static const char *holds(struct timeline *timeline, const struct model_lock *lock) {
    return pool_printf(&timeline->model->pool, "holds %s", lock->short_name);
}

static const char *waits_for(struct timeline *timeline, const char *what) {
    return pool_printf(&timeline->model->pool, "waits for %s", what);
}

/* ---- who waited when the evidence was read ---- */

static bool is_waited_for(const struct model *model, const struct model_lock *lock) {
    for (size_t i = 0; i < model->wait_count; i++)
        if (model->waits[i].lock == lock)
            return true;
    return false;
}

static void add_wait(struct timeline *timeline, const struct model_wait *wait) {
    if (!wait->since_realtime_ns)
        return;
    for (size_t i = 0; i < wait->held_count; i++) {
        const struct model_lock *lock = wait->held[i].lock;
        add_span(timeline, wait->process, wait->thread,
                 (struct bar){is_waited_for(timeline->model, lock) ? "contended" : "held",
                              holds(timeline, lock), wait->since_realtime_ns, 0});
    }
    add_span(timeline, wait->process, wait->thread,
             (struct bar){"blocked", waits_for(timeline, wait->what), wait->since_realtime_ns, 0});
}

/* ---- findings ---- */

static bool is_wanted(const struct model_finding *finding, const struct model_lock *lock) {
    for (size_t i = 0; i < finding->edge_count; i++)
        if (finding->edges[i].to == lock)
            return true;
    return false;
}

/* A deadlock or a stall: nobody goes on from then. */
static void add_standstill(struct timeline *timeline, const struct model_finding *finding,
                           const struct model_edge *edge) {
    uint64_t start = edge->since_realtime_ns ? edge->since_realtime_ns : finding->time_realtime_ns;
    const char *what =
        edge->joined ? pool_printf(&timeline->model->pool, "%s %s", edge->joined->label, edge_until(edge))
        : edge->to   ? edge->to->short_name
                     : edge->to_label;
    for (size_t i = 0; i < edge->held_count; i++)
        add_span(timeline, finding->process, edge->thread,
                 (struct bar){is_wanted(finding, edge->held[i].lock) ? "contended" : "held",
                              holds(timeline, edge->held[i].lock), start, 0});
    add_span(timeline, finding->process, edge->thread,
             (struct bar){"blocked", waits_for(timeline, what), start, 0});
}

/* A wait or a hold that was over its limit when it was told: at least so long. */
static void add_overlong(struct timeline *timeline, const struct model_finding *finding) {
    const struct model_edge *edge = &finding->edges[0];
    uint64_t limit = (finding->detail & UINT32_MAX) * NS_IN_MS, end = finding->time_realtime_ns;
    uint64_t start = end > limit ? end - limit : 0;
    bool waits = finding->kind == LGR_KIND_WAIT_TIMEOUT || finding->detail & LGR_HOLD_GOES_ON;
    if (!edge->from || limit == 0)
        return;
    const struct model_lock *lock = edge->from;
    struct bar hold = {waits ? "contended" : "held", holds(timeline, lock), start, end};
    if (finding->edge_count > 1 || !waits)
        add_span(timeline, finding->process, finding->edges[finding->edge_count - 1].thread, hold);
    if (waits)
        add_span(timeline, finding->process, edge->thread,
                 (struct bar){"blocked", waits_for(timeline, lock->short_name), start, end});
}

static void add_finding(struct timeline *timeline, const struct model_finding *finding) {
    bool overlong = finding->kind == LGR_KIND_WAIT_TIMEOUT || finding->kind == LGR_KIND_HOLD_TOO_LONG;
    bool standstill =
        is_stall(finding) || finding->kind == LGR_KIND_DEADLOCK || finding->kind == LGR_KIND_SELF_DEADLOCK;
    if (finding->edge_count == 0 || finding->time_realtime_ns == 0)
        return;
    if (overlong)
        add_overlong(timeline, finding);
    for (size_t i = 0; i < finding->edge_count && standstill; i++)
        add_standstill(timeline, finding, &finding->edges[i]);
}

/* ---- single holds and waits ---- */

/* A wait lies over one hold or two, but for those of many readers: of them as many as can
 * be told apart, and no more than there are bars. */
static json_t *waited_parts(struct timeline *timeline, const struct timed_spans *spans,
                            const struct timed_span *hold, bool *more) {
    enum { MOST_OF_ONE = 1000, MOST_OF_A_SPAN = 4 };
    json_t *parts = json_array();
    struct waited part = {0};
    while (!hold->waits && json_array_size(parts) < MOST_OF_ONE &&
           timeline->waited_count < spans->count * MOST_OF_A_SPAN &&
           timed_spans_waited(spans, hold, part.end_ns, &part)) {
        timeline->waited_count++;
        json_array_append_new(parts, json_packed("[I, I]", since_origin(timeline, part.start_ns),
                                                 since_origin(timeline, part.end_ns)));
    }
    *more = !hold->waits && timed_spans_waited(spans, hold, part.end_ns, &part);
    return parts;
}

static void add_recorded(struct timeline *timeline, const struct timed_spans *spans) {
    for (size_t i = 0; i < spans->count; i++) {
        const struct timed_span *span = &spans->list[i];
        struct lane *lane = lane_of(timeline, span->process, span->thread);
        timeline->end = span->end_ns > timeline->end ? span->end_ns : timeline->end;
        json_t *bar = json_packed("{s:s, s:I, s:I, s:s}", "state", span->waits ? "blocked" : "held",
                                  "start_us", since_origin(timeline, span->start_ns), "end_us",
                                  since_origin(timeline, span->end_ns), "text", span->what);
        if (span->at)
            json_object_set_new(bar, "at", json_text(span->at));
        const struct timed_span *holder = span->waits && span->lock ? timed_spans_holder(spans, span) : NULL;
        if (holder)
            json_object_set_new(bar, "holder", json_text(holder->thread->label));
        bool more = false;
        json_t *waited = waited_parts(timeline, spans, span, &more);
        if (json_array_size(waited))
            json_object_set(bar, "waited", waited);
        json_decref(waited);
        if (more)
            json_object_set_new(
                bar, "text",
                json_text(pool_printf(&timeline->model->pool, "%s; others waited more often than is drawn",
                                      span->what)));
        json_array_append_new(lane->spans, bar);
    }
}

/* ---- the whole ---- */

static int compare_lanes(const void *a, const void *b) {
    const struct lane *one = a, *other = b;
    if (one->process != other->process)
        return one->process->index < other->process->index ? -1 : 1;
    return one->thread->serial < other->thread->serial ? -1 : one->thread->serial > other->thread->serial;
}

static json_t *lane_object(const struct lane *lane) {
    return json_packed("{s:s, s:s, s:o}", "process", lane->process->program, "thread", lane->thread->label,
                       "spans", lane->spans);
}

static void find_ends(struct timeline *timeline) {
    struct model *model = timeline->model;
    timeline->origin = model->process_count ? model->processes[0].header->start_realtime_ns : 0;
    for (size_t i = 0; i < model->process_count; i++) {
        uint64_t end = model->processes[i].header->end_realtime_ns;
        timeline->end = end > timeline->end ? end : timeline->end;
    }
}

json_t *html_timeline(struct model *model) {
    struct timeline timeline = {.model = model};
    struct timed_spans spans = timed_spans_collect(model);
    find_ends(&timeline);
    add_recorded(&timeline, &spans);
    for (size_t i = 0; i < model->wait_count; i++)
        add_wait(&timeline, &model->waits[i]);
    for (size_t i = 0; i < model->finding_count; i++)
        add_finding(&timeline, &model->findings[i]);
    if (timeline.lane_count)
        qsort(timeline.lanes, timeline.lane_count, sizeof *timeline.lanes, compare_lanes);
    json_t *lanes = json_array();
    for (size_t i = 0; i < timeline.lane_count; i++)
        json_array_append_new(lanes, lane_object(&timeline.lanes[i]));
    free(timeline.lanes);
    return json_packed("{s:I, s:o, s:o}", "end_us", since_origin(&timeline, timeline.end), "least_ns",
                       spans.least_ns ? json_integer((json_int_t)spans.least_ns) : json_null(), "lanes",
                       lanes);
}
