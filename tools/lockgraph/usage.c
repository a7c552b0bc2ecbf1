#include "usage.h"

#include <stdlib.h>
#include <string.h>

#include "stacks.h"

static bool same_place(const struct code_frame *a, const struct code_frame *b) {
    if (!a || !b)
        return a == b;
    return a->offset == b->offset && strcmp(a->module ? a->module : "", b->module ? b->module : "") == 0;
}

static struct usage *find(struct usages *usages, const struct model_class *class,
                          const struct code_frame *at) {
    for (size_t i = 0; i < usages->count; i++)
        if (usages->list[i].class == class && same_place(usages->list[i].at, at))
            return &usages->list[i];
    return NULL;
}

static void add(struct model *model, struct usages *usages, struct model_process *process,
                const struct lgr_usage *usage) {
    const struct model_class *class = model_class_of(model, process, usage->class_id);
    struct stack stack = model_stack(model, process, usage->context);
    const struct code_frame *at = usage->context ? stack_site(&stack) : NULL;
    if (!class || (usage->context && !at))
        return; /* of a class, or at a place, that was not recorded */
    struct usage *sum = find(usages, class, at);
    if (!sum) {
        sum = &usages->list[usages->count++];
        *sum = (struct usage){.class = class, .at = at};
    }
    lgr_figures_add(&sum->figures, &usage->figures);
    usages->holds |= lgr_times_count(&usage->figures.hold) != 0;
}

/* A class before its places, the places that cost most first. */
static int compare(const void *a, const void *b) {
    const struct usage *left = a, *right = b;
    if (left->class != right->class)
        return left->class->index < right->class->index ? -1 : 1;
    if (!left->at || !right->at)
        return (left->at != NULL) - (right->at != NULL);
    uint64_t one = left->figures.wait.total_ns, other = right->figures.wait.total_ns;
    return one > other ? -1 : one < other;
}

struct usages usages_collect(struct model *model) {
    size_t records = 0;
    for (size_t i = 0; i < model->process_count; i++)
        records += lgr_usage_count(model->processes[i].file);
    struct usages usages = {.list = pool_array(&model->pool, records, sizeof(struct usage))};
    for (size_t i = 0; i < model->process_count; i++)
        for (size_t k = 0; k < lgr_usage_count(model->processes[i].file); k++)
            add(model, &usages, &model->processes[i], lgr_usage_at(model->processes[i].file, k));
    if (usages.count)
        qsort(usages.list, usages.count, sizeof *usages.list, compare);
    return usages;
}
