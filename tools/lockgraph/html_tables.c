#include "html_tables.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "json_parts.h"
#include "source.h"
#include "stacks.h"

/* ---- frames ---- */

struct seen_frame {
    const struct code_frame *frame;
    json_int_t number;
    bool has_excerpt;
};

static int compare_text(const char *a, const char *b) {
    if (a == b || !a || !b)
        return (a != NULL) - (b != NULL);
    return strcmp(a, b);
}

static int compare_numbers(uint64_t a, uint64_t b) { return a < b ? -1 : a > b; }

static int compare_frames(const void *a, const void *b) {
    const struct code_frame *one = ((const struct seen_frame *)a)->frame;
    const struct code_frame *other = ((const struct seen_frame *)b)->frame;
    int order = compare_numbers(one->offset, other->offset);
    order = order ? order : compare_numbers(one->line, other->line);
    order = order ? order : compare_text(one->function, other->function);
    order = order ? order : compare_text(one->file, other->file);
    return order ? order : compare_text(one->module, other->module);
}

static struct seen_frame *frame_number(struct html_tables *tables, const struct code_frame *frame) {
    struct pool *pool = &tables->model->pool;
    struct seen_frame key = {.frame = frame};
    struct seen_frame **found = tfind(&key, &tables->frames_seen, compare_frames);
    if (found)
        return *found;
    struct seen_frame *seen = pool_alloc(pool, sizeof *seen);
    *seen = (struct seen_frame){frame, (json_int_t)json_array_size(tables->frames), false};
    tsearch(seen, &tables->frames_seen, compare_frames);
    json_t *object = json_frame(frame);
    json_object_set_new(object, "name", json_text(frame->name ? frame->name : frame_short(pool, frame)));
    json_array_append_new(tables->frames, object);
    return seen;
}

static void add_excerpt(struct html_tables *tables, struct seen_frame *seen) {
    if (seen->has_excerpt)
        return;
    seen->has_excerpt = true;
    struct excerpt excerpt = source_excerpt(&tables->model->pool, seen->frame->file, seen->frame->line);
    if (excerpt.count == 0)
        return;
    json_t *lines = json_array();
    for (size_t i = 0; i < excerpt.count; i++)
        json_array_append_new(lines, json_text(excerpt.lines[i]));
    json_object_set_new(json_array_get(tables->frames, (size_t)seen->number), "source",
                        json_packed("{s:i, s:o}", "first", (int)excerpt.first, "lines", lines));
}

/* ---- stacks ---- */

struct seen_stack {
    size_t count, first, site;
    bool partial;
    json_int_t *frames;
    json_int_t number;
};

static int compare_stacks(const void *a, const void *b) {
    const struct seen_stack *one = a, *other = b;
    int order = compare_numbers(one->count, other->count);
    order = order ? order : compare_numbers(one->first, other->first);
    order = order ? order : compare_numbers(one->site, other->site);
    order = order ? order : one->partial - other->partial;
    return order ? order : memcmp(one->frames, other->frames, one->count * sizeof *one->frames);
}

/* Without what every thread begins with. */
static struct seen_stack *numbered(struct html_tables *tables, const struct stack *stack) {
    struct seen_stack *seen = pool_alloc(&tables->model->pool, sizeof *seen);
    size_t end = stack_end(stack);
    *seen = (struct seen_stack){
        end > stack->site ? end : stack->site + 1, stack->first, stack->site, stack->partial, NULL, 0};
    seen->frames = pool_array(&tables->model->pool, seen->count, sizeof *seen->frames);
    for (size_t i = 0; i < seen->count; i++) {
        struct seen_frame *frame = frame_number(tables, &stack->frames[i]);
        seen->frames[i] = frame->number;
        if (i == stack->site)
            add_excerpt(tables, frame);
    }
    return seen;
}

static json_t *stack_object(const struct seen_stack *seen) {
    json_t *frames = json_array();
    for (size_t i = 0; i < seen->count; i++)
        json_array_append_new(frames, json_integer(seen->frames[i]));
    return json_packed("{s:o, s:i, s:i, s:b}", "frames", frames, "first", (int)seen->first, "site",
                       (int)seen->site, "partial", seen->partial);
}

json_int_t html_stack(struct html_tables *tables, const struct stack *stack) {
    if (stack->count == 0)
        return -1;
    struct seen_stack *seen = numbered(tables, stack);
    struct seen_stack **found = tsearch(seen, &tables->stacks_seen, compare_stacks);
    if (*found != seen)
        return (*found)->number;
    seen->number = (json_int_t)json_array_size(tables->stacks);
    json_array_append_new(tables->stacks, stack_object(seen));
    return seen->number;
}

json_int_t html_context(struct html_tables *tables, const struct model_process *process, uint32_t context) {
    size_t count = 0;
    const struct lgr_context_info *infos = lgr_contexts(process->file, &count);
    const struct lgr_context_info *info = lgr_context_by_id(process->file, context);
    if (!info)
        return -1;
    json_int_t **known = &tables->contexts[process->index];
    if (!*known)
        *known = pool_array(&tables->model->pool, count, sizeof **known);
    json_int_t *number = &(*known)[info - infos];
    if (*number == 0) {
        struct stack stack = model_stack(tables->model, process, context);
        *number = html_stack(tables, &stack) + 1;
    }
    return *number - 1;
}

struct html_tables html_tables_begin(struct model *model) {
    return (struct html_tables){
        .model = model,
        .frames = json_array(),
        .stacks = json_array(),
        .contexts = pool_array(&model->pool, model->process_count, sizeof(json_int_t *)),
    };
}

static void keep(void *node) { (void)node; }

void html_tables_end(struct html_tables *tables) {
    tdestroy(tables->frames_seen, keep);
    tdestroy(tables->stacks_seen, keep);
}
