#include "model_waits.h"

#include <stdlib.h>

#include "naming.h"

static void describe_target(struct model *model, struct model_process *process,
                            const struct lgr_thread_state *state, struct model_wait *wait) {
    switch (state->wait_kind) {
    case LGR_WAIT_LOCK:
        wait->lock = model_lock_of(model, process, state->target);
        wait->what = wait->lock->short_name;
        break;
    case LGR_WAIT_JOIN:
        wait->what = pool_printf(&model->pool, "%s to end",
                                 model_thread_of(model, process, (uint32_t)state->target)->label);
        break;
    case LGR_WAIT_ONCE:
        wait->what = pool_printf(&model->pool, "the one-time initialisation that %s runs",
                                 model_thread_of(model, process, (uint32_t)state->target)->label);
        break;
    case LGR_WAIT_CONDITION:
        wait->what = "a condition variable";
        break;
    case LGR_WAIT_BARRIER:
        wait->what = "a barrier";
        break;
    default:
        wait->what = "something";
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
    describe_target(model, process, state, &wait);
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
