#include "format_stacks.h"

#include <string.h>

#include "edge_stacks.h"
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

/* Of a level violation the lock in the way is the second one, and told. */
static void add_also_held(struct text *out, struct model *model, const struct model_finding *finding,
                          const struct model_edge *edge) {
    bool in_the_way = finding->kind == LGR_KIND_LEVEL_VIOLATION;
    for (size_t i = 0; i < edge->held_count; i++) {
        const struct model_held *held = &edge->held[i];
        if (held->lock != edge->from && !(in_the_way && held->lock == edge->to))
            text_printf(out, "      also held: %s%s, taken at %s\n", held->lock->short_name,
                        held->shared ? " (shared)" : "",
                        frame_place(&model->pool, stack_site(&held->taken_at)));
    }
}

static void add_labelled(struct text *out, struct model *model, const struct labelled_stack *labelled,
                         bool color) {
    const struct stack *stack = labelled->stack;
    text_printf(out, "      %s at\n", labelled->label);
    add_stack(out, model, stack, at_least(stack_end(stack), stack->first), color);
}

/* Of what is no ring: each of them by itself. */
static void add_listed_stacks(struct text *out, struct model *model, const struct model_finding *finding,
                              const struct model_edge *edge, bool color) {
    struct labelled_stacks stacks = edge_stacks(&model->pool, finding, edge);
    bool stall = is_stall(finding);
    text_printf(out, "    %s%s%s\n", edge->thread->label, stall ? ": " : "",
                stall ? stall_edge(&model->pool, edge) : "");
    for (size_t i = 0; i < stacks.count; i++)
        add_labelled(out, model, &stacks.list[i], color);
    if (!stall)
        add_also_held(out, model, finding, edge);
}

void format_edge_stacks(struct text *out, struct model *model, const struct model_finding *finding,
                        const struct model_edge *edge, bool color) {
    if (is_misuse(finding) || is_stall(finding)) {
        add_listed_stacks(out, model, finding, edge, color);
        return;
    }
    struct labelled_stacks stacks = edge_stacks(&model->pool, finding, edge);
    size_t shared = shared_tail(&edge->held_at, &edge->requested_at);
    size_t held_end = edge->held_at.count - shared, request_end = edge->requested_at.count - shared;
    size_t bottom = stack_end(&edge->held_at);
    if (shared == 0) {
        held_end = bottom;
        request_end = stack_end(&edge->requested_at);
    }
    held_end = at_least(held_end, edge->held_at.first);
    request_end = at_least(request_end, edge->requested_at.first);
    text_printf(out, "    %s\n", edge->thread->label);
    for (size_t i = 0; i < stacks.count; i++) {
        text_printf(out, "      %s at\n", stacks.list[i].label);
        add_stack(out, model, stacks.list[i].stack, i + 1 < stacks.count ? held_end : request_end, color);
    }
    if (shared && held_end < bottom) {
        text_add(out, "      both called from\n");
        add_frames(out, model, &edge->held_at, (struct range){held_end, bottom}, false);
    }
    add_also_held(out, model, finding, edge);
}
