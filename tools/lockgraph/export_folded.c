#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "stacks.h"

struct line {
    const char *stack;
    uint64_t ns;
};
struct lines {
    size_t count, room;
    struct line *list;
};

/* A ';' parts frames. */
static void add_frame(struct text *line, const char *name) {
    text_add(line, line->length ? ";" : "");
    for (; *name; name++)
        text_add_n(line, *name == ';' ? ":" : name, 1);
}

static const char *folded(struct model *model, const struct model_process *process, const struct stack *stack,
                          const struct model_class *class) {
    struct text line = {0};
    add_frame(&line, process->program);
    for (size_t i = stack_end(stack); i-- > stack->first;) {
        const struct code_frame *frame = &stack->frames[i];
        add_frame(&line, frame->name ? frame->name : frame_short(&model->pool, frame));
    }
    add_frame(&line, pool_printf(&model->pool, "[%s]", class->short_name));
    const char *result = pool_string(&model->pool, text_string(&line));
    text_free(&line);
    return result;
}

static void add_line(struct lines *lines, const char *stack, uint64_t ns) {
    if (lines->count == lines->room) {
        lines->room = lines->room ? 2 * lines->room : 64;
        lines->list = checked_resize(lines->list, lines->room, sizeof *lines->list);
    }
    lines->list[lines->count++] = (struct line){stack, ns};
}

/* Those with context 0 are sums of the others. */
static void gather(struct model *model, struct model_process *process, struct lines *lines) {
    for (size_t i = 0; i < lgr_usage_count(process->file); i++) {
        const struct lgr_usage *usage = lgr_usage_at(process->file, i);
        const struct model_class *class = model_class_of(model, process, usage->class_id);
        struct stack stack = model_stack(model, process, usage->context);
        if (usage->context && class && stack.count && usage->figures.wait.total_ns)
            add_line(lines, folded(model, process, &stack, class), usage->figures.wait.total_ns);
    }
}

static int compare(const void *a, const void *b) {
    return strcmp(((const struct line *)a)->stack, ((const struct line *)b)->stack);
}

void export_folded(struct text *out, struct model *model) {
    struct lines lines = {0};
    for (size_t i = 0; i < model->process_count; i++)
        gather(model, &model->processes[i], &lines);
    if (lines.count)
        qsort(lines.list, lines.count, sizeof *lines.list, compare);
    for (size_t i = 0, next; i < lines.count; i = next) {
        uint64_t sum = 0;
        for (next = i; next < lines.count && strcmp(lines.list[next].stack, lines.list[i].stack) == 0; next++)
            sum += lines.list[next].ns;
        text_printf(out, "%s %llu\n", lines.list[i].stack, (unsigned long long)sum);
    }
    free(lines.list);
}
