#include "format_stacks.h"

#include <string.h>

#include "ink.h"
#include "misuse_words.h"
#include "source.h"
#include "stacks.h"
#include "stall_words.h"

#define LONGEST_STACK   16 /* frames shown of one stack; the middle is folded */
#define FUNCTION_COLUMN 32

struct range {
    size_t start, end; /* frames [start, end) */
};

static bool same_text(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

static bool same_frame(const struct code_frame *a, const struct code_frame *b) {
    return a->offset == b->offset && a->line == b->line && same_text(a->module, b->module) &&
           same_text(a->function, b->function) && same_text(a->file, b->file);
}

/* Frames at the outer end that both stacks have. */
static size_t shared_tail(const struct stack *a, const struct stack *b) {
    size_t shared = 0;
    while (shared < a->count && shared < b->count &&
           same_frame(&a->frames[a->count - 1 - shared], &b->frames[b->count - 1 - shared]))
        shared++;
    return shared;
}

static void add_excerpt(struct text *out, struct model *model, const struct code_frame *frame, bool color) {
    struct excerpt excerpt = source_excerpt(&model->pool, frame->file, frame->line);
    for (size_t i = 0; i < excerpt.count; i++) {
        unsigned number = excerpt.first + (unsigned)i;
        bool marked = number == frame->line;
        const char *line =
            pool_printf(&model->pool, "          %c %5u | %s", marked ? '>' : ' ', number, excerpt.lines[i]);
        ink_add(out, color, marked ? INK_BOLD : INK_DIM, line);
        text_add(out, "\n");
    }
}

static void add_frame(struct text *out, struct model *model, const struct code_frame *frame) {
    struct pool *pool = &model->pool;
    if (!frame->function) {
        text_printf(out, "        %s\n", frame_short(pool, frame));
        return;
    }
    bool parameters = strchr(frame->function, '(') != NULL;
    const char *function = pool_printf(pool, "%s%s", frame->function, parameters ? "" : "()");
    const char *place = frame->file ? pool_printf(pool, "%s:%u", base_name(frame->file), frame->line)
                                    : pool_printf(pool, "in %s", base_name(frame->module));
    size_t width = text_width(function);
    text_printf(out, "        %s", function);
    text_fill(out, ' ', width < FUNCTION_COLUMN ? FUNCTION_COLUMN - width : 1);
    text_printf(out, "%s%s\n", place, frame->inlined ? "  (inlined)" : "");
}

static void add_frames(struct text *out, struct model *model, const struct stack *stack, struct range range,
                       bool color) {
    size_t count = range.end - range.start, head = LONGEST_STACK * 3 / 4;
    for (size_t i = range.start; i < range.end; i++) {
        if (count > LONGEST_STACK && i == range.start + head) {
            size_t skipped = count - LONGEST_STACK;
            text_printf(out, "        … %zu more frames …\n", skipped);
            i += skipped;
        }
        add_frame(out, model, &stack->frames[i]);
        if (i == stack->site)
            add_excerpt(out, model, &stack->frames[i], color);
    }
}

/* Known helpers above the first frame of interest are told in one line. */
static void add_stack(struct text *out, struct model *model, const struct stack *stack, size_t end,
                      bool color) {
    if (stack->count == 0)
        text_add(out, "        the stack was not recorded\n");
    if (stack->first)
        text_printf(out, "        (through %s)\n", stack->frames[stack->first - 1].name);
    add_frames(out, model, stack, (struct range){stack->first, end}, color);
    if (stack->partial)
        text_add(out, "        (only this frame is known)\n");
}

static size_t at_least(size_t number, size_t least) { return number > least ? number : least; }

static void add_also_held(struct text *out, struct model *model, const struct model_edge *edge) {
    for (size_t i = 0; i < edge->held_count; i++) {
        const struct model_held *held = &edge->held[i];
        if (held->lock != edge->from)
            text_printf(out, "      also held: %s%s, taken at %s\n", held->lock->short_name,
                        held->shared ? " (shared)" : "",
                        frame_place(&model->pool, stack_site(&held->taken_at)));
    }
}

static void add_labelled(struct text *out, struct model *model, const struct stack *stack, const char *label,
                         bool color) {
    text_printf(out, "      %s at\n", label);
    add_stack(out, model, stack, at_least(stack_end(stack), stack->first), color);
}

/* The wrong call; the earlier place is told with the thread whose it is. */
static void add_misuse_stacks(struct text *out, struct model *model, const struct model_finding *finding,
                              const struct model_edge *edge, bool color) {
    bool call = edge == finding->edges;
    struct pool *pool = &model->pool;
    const char *lock = edge->from ? pool_printf(pool, "%s was ", edge->from_label) : "";
    const char *subject = finding->kind == LGR_KIND_HEARTBEAT_MISSED ? "" : lock; /* not of the lock */
    text_printf(out, "    %s\n", edge->thread->label);
    if (call)
        add_labelled(out, model, &edge->requested_at,
                     pool_printf(pool, "%s%s", subject, misuse_call(finding)), color);
    /* Levels: where the lock in the way was taken, not the one that is wanted. */
    if (finding->kind == LGR_KIND_LEVEL_VIOLATION && edge->to)
        lock = pool_printf(pool, "%s was ", edge->to_label);
    bool earlier = edge->from || edge->held_at.count;
    if (earlier && call == (finding->edge_count == 1) && (edge->held_at.count || !call))
        add_labelled(out, model, &edge->held_at, pool_printf(pool, "%s%s", lock, misuse_earlier(finding)),
                     color);
    add_also_held(out, model, edge);
}

static void add_stall_stacks(struct text *out, struct model *model, const struct model_finding *finding,
                             const struct model_edge *edge, bool color) {
    struct pool *pool = &model->pool;
    text_printf(out, "    %s: %s\n", edge->thread->label, stall_edge(pool, edge));
    add_labelled(out, model, &edge->requested_at, "waiting", color);
    for (size_t i = 0; i < edge->held_count; i++)
        add_labelled(out, model, &edge->held[i].taken_at,
                     pool_printf(pool, "%s was taken", edge->held[i].lock->short_name), color);
    if (stall_tells_signal(finding, edge))
        add_labelled(
            out, model, &edge->held_at,
            pool_printf(pool, "%s was last signalled, by %s,", edge->to_label, edge->signaller->label),
            color);
}

void format_edge_stacks(struct text *out, struct model *model, const struct model_finding *finding,
                        const struct model_edge *edge, bool color) {
    if (is_misuse(finding)) {
        add_misuse_stacks(out, model, finding, edge, color);
        return;
    }
    if (is_stall(finding)) {
        add_stall_stacks(out, model, finding, edge, color);
        return;
    }
    size_t shared = shared_tail(&edge->held_at, &edge->requested_at);
    size_t held_end = edge->held_at.count - shared, request_end = edge->requested_at.count - shared;
    size_t bottom = stack_end(&edge->held_at);
    if (shared == 0) {
        held_end = bottom;
        request_end = stack_end(&edge->requested_at);
    }
    held_end = at_least(held_end, edge->held_at.first);
    request_end = at_least(request_end, edge->requested_at.first);
    bool waits = finding->verdict == LGR_VERDICT_ACTUAL;
    text_printf(out, "    %s\n", edge->thread->label);
    if (edge->from) {
        text_printf(out, "      %s was taken at\n", edge->from_label);
        add_stack(out, model, &edge->held_at, held_end, color);
    }
    text_printf(out,
                edge->joined ? "      waiting for %s to end at\n"
                : waits      ? "      waiting for %s at\n"
                             : "      %s was requested at\n",
                edge->to_label);
    add_stack(out, model, &edge->requested_at, request_end, color);
    if (shared && held_end < bottom) {
        text_add(out, "      both called from\n");
        add_frames(out, model, &edge->held_at, (struct range){held_end, bottom}, false);
    }
    add_also_held(out, model, edge);
}
