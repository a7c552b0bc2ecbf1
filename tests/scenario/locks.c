/* Simulated locks: who may take them, and who has them. */
#include <string.h>

#include "scenario.h"

static bool other_readers(const struct world *world, size_t thread, const struct sim_lock *lock) {
    for (size_t i = 0; i < world->scenario->threads.count; i++) {
        if (lock->readers[i] > 0 && i != thread) {
            return true;
        }
    }
    return false;
}

static bool writer_waits(const struct world *world, size_t lock) {
    for (size_t i = 0; i < world->scenario->threads.count; i++) {
        const struct sim_thread *sim = &world->threads[i];
        if (sim->blocked == BLOCKED_LOCK && sim->program.at[sim->next]->object == lock &&
            sim->program.at[sim->next]->mode == LGR_EXCLUSIVE) {
            return true;
        }
    }
    return false;
}

/* As glibc: a writer that asks again is told so, a reader that wants to write
 * waits for itself. */
static enum grant grant_rwlock(const struct world *world, size_t thread, enum lgr_mode mode, size_t lock) {
    const struct sim_lock *sim = &world->locks[lock];
    if (sim->writer == thread + 1) {
        return GRANT_ERROR;
    }
    if (sim->writer != 0) {
        return GRANT_BUSY;
    }
    if (mode == LGR_SHARED) {
        bool queue = world->scenario->objects.at[lock].prefer_writer && writer_waits(world, lock);
        return queue ? GRANT_BUSY : GRANT_NOW;
    }
    return sim->readers[thread] > 0 || other_readers(world, thread, sim) ? GRANT_BUSY : GRANT_NOW;
}

enum grant lock_grant(const struct world *world, size_t thread, const struct step *step, size_t lock) {
    const struct object *object = &world->scenario->objects.at[lock];
    const struct sim_lock *sim = &world->locks[lock];
    if (object->lock_kind == LGR_LOCK_RWLOCK) {
        return grant_rwlock(world, thread, step->mode, lock);
    }
    if (sim->writer == 0 || (sim->writer == thread + 1 && object->recursive)) {
        return GRANT_NOW;
    }
    return sim->writer == thread + 1 && object->errorcheck ? GRANT_ERROR : GRANT_BUSY;
}

void lock_take(struct world *world, size_t thread, size_t lock, enum lgr_mode mode) {
    struct sim_lock *sim = &world->locks[lock];
    struct hold *hold = ADD(&world->threads[thread].holds);
    hold->address = sim->storage;
    hold->lock = lock;
    hold->mode = mode;
    if (mode == LGR_SHARED) {
        sim->readers[thread]++;
        return;
    }
    sim->writer = thread + 1;
    sim->depth++;
    sim->storage->owner = world_tid(thread);
}

const struct hold *lock_hold(const struct world *world, size_t thread, size_t lock) {
    const struct sim_thread *sim = &world->threads[thread];
    for (size_t i = sim->holds.count; i-- > 0;) {
        if (sim->holds.at[i].address == world->locks[lock].storage) {
            return &sim->holds.at[i];
        }
    }
    return NULL;
}

static void forget_hold(struct sim_thread *thread, const struct hold *hold) {
    size_t index = (size_t)(hold - thread->holds.at);
    thread->holds.count--;
    memmove(thread->holds.at + index, thread->holds.at + index + 1,
            (thread->holds.count - index) * sizeof *thread->holds.at);
}

void lock_give(struct world *world, size_t thread, size_t lock) {
    struct sim_lock *sim = &world->locks[lock];
    const struct hold *hold = lock_hold(world, thread, lock);
    if (hold->mode == LGR_SHARED) {
        sim->readers[thread] -= sim->readers[thread] > 0;
    } else if (sim->depth > 0 && --sim->depth == 0) {
        sim->writer = 0;
        sim->storage->owner = 0;
    }
    forget_hold(&world->threads[thread], hold);
}

/* Initialised anew: free, whatever it was before. */
void lock_renew(struct world *world, size_t thread, size_t lock) {
    struct sim_lock *sim = &world->locks[lock];
    sim->writer = 0;
    sim->depth = 0;
    sim->storage->owner = 0;
    memset(sim->readers, 0, world->scenario->threads.count * sizeof *sim->readers);
    world_new_identity(world, thread, lock);
}
