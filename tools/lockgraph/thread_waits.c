#include "thread_waits.h"

#include <stdlib.h>

#include "naming.h"

static int compare(const void *a, const void *b) {
    const struct thread_waits *one = a, *other = b;
    if (one->total_ns != other->total_ns)
        return one->total_ns > other->total_ns ? -1 : 1;
    if (one->process != other->process)
        return one->process->index < other->process->index ? -1 : 1;
    return one->serial < other->serial ? -1 : one->serial > other->serial;
}

static struct thread_waits row_of(struct model *model, const struct model_process *process,
                                  const struct lgr_thread_waits *record) {
    return (struct thread_waits){.process = process,
                                 .serial = record->serial,
                                 .thread =
                                     record->serial ? model_thread_of(model, process, record->serial) : NULL,
                                 .count = lgr_figure(&record->count),
                                 .total_ns = lgr_figure(&record->total_ns),
                                 .max_ns = lgr_figure(&record->max_ns)};
}

struct thread_waits_list thread_waits_collect(struct model *model) {
    size_t records = 0;
    for (size_t i = 0; i < model->process_count; i++)
        records += lgr_thread_waits_count(model->processes[i].file);
    struct thread_waits_list list = {.rows = pool_array(&model->pool, records + 1, sizeof *list.rows)};
    for (size_t i = 0; i < model->process_count; i++) {
        const struct model_process *process = &model->processes[i];
        for (size_t k = 0; k < lgr_thread_waits_count(process->file); k++)
            if (lgr_figure(&lgr_thread_waits_at(process->file, k)->count))
                list.rows[list.count++] = row_of(model, process, lgr_thread_waits_at(process->file, k));
    }
    if (list.count)
        qsort(list.rows, list.count, sizeof *list.rows, compare);
    return list;
}

const char *thread_words(struct model *model, const struct model_process *process,
                         const struct model_thread *thread) {
    const char *label = thread ? thread->label : "threads without a row of their own";
    if (model->process_count == 1)
        return label;
    return pool_printf(&model->pool, "%s[%u] %s", process->program, process->header->pid, label);
}
