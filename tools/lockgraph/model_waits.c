#include "model_waits.h"

#include <stdlib.h>

#include "naming.h"

static const char *label_of(struct model *model, struct model_process *process, uint64_t serial) {
    return model_thread_of(model, process, (uint32_t)serial)->label;
}

const char *waited_for(struct model *model, struct model_process *process, uint32_t kind, uint64_t target,
                       const struct model_lock *lock) {
    switch (kind) {
    case LGR_WAIT_LOCK:
        return lock->short_name;
    case LGR_WAIT_JOIN:
        return pool_printf(&model->pool, "%s to end", label_of(model, process, target));
    case LGR_WAIT_ONCE:
        return target ? pool_printf(&model->pool, "the one-time initialisation that %s runs",
                                    label_of(model, process, target))
                      : "a one-time initialisation";
    case LGR_WAIT_CONDITION:
        return "a condition variable";
    case LGR_WAIT_BARRIER:
        return "a barrier";
    default:
        return "something";
    }
}

static void describe_held(struct model *model, struct model_process *process,
                          const struct lgr_thread_state *state, struct model_wait *wait) {
    wait->held_count = state->held_count < LGR_STATE_HELD ? state->held_count : LGR_STATE_HELD;
    wait->held = pool_array(&model->pool, wait->held_count, sizeof *wait->held);
    for (size_t i = 0; i < wait->held_count; i++)
        wait->held[i] = (struct model_held){model_lock_of(model, process, state->held[i].lock),
                                            model_stack(model, process, state->held[i].context),
                                            state->held[i].mode == LGR_SHARED};
}

static void add_wait(struct model *model, struct model_process *process,
                     const struct lgr_thread_state *state) {
    struct model_wait wait = {.process = process, .since_realtime_ns = state->since_realtime_ns};
    struct model_thread *thread = model_thread_of(model, process, state->serial);
    wait.owner = state->owner ? model_thread_of(model, process, state->owner) : NULL;
    wait.at = model_stack(model, process, state->wait_context);
    name_thread_by_stack(model, thread, &wait.at);
    wait.thread = thread;
    if (state->wait_kind == LGR_WAIT_LOCK)
        wait.lock = model_lock_of(model, process, state->target);
    wait.what = waited_for(model, process, state->wait_kind, state->target, wait.lock);
    describe_held(model, process, state, &wait);
    model->waits = checked_resize(model->waits, model->wait_count + 1, sizeof *model->waits);
    model->waits[model->wait_count++] = wait;
}

static int compare_waits(const void *a, const void *b) {
    const struct model_wait *left = a, *right = b;
    if (left->process != right->process)
        return left->process->index < right->process->index ? -1 : 1;
    return left->thread->serial < right->thread->serial ? -1 : left->thread->serial > right->thread->serial;
}

void collect_waits(struct model *model) {
    for (size_t i = 0; i < model->process_count; i++) {
        struct model_process *process = &model->processes[i];
        size_t count = 0;
        const struct lgr_thread_state *states = lgr_thread_states(process->file, &count);
        for (size_t k = 0; process->header->ended == LGR_RUNNING && !process->replaced && k < count; k++)
            if (states[k].serial && states[k].wait_kind != LGR_WAIT_NONE)
                add_wait(model, process, &states[k]);
    }
    if (model->wait_count)
        qsort(model->waits, model->wait_count, sizeof *model->waits, compare_waits);
}
