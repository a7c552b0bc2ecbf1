/* What one step of a thread does: to the simulation and, as events, to the
 * engine. */
#include "engine/level.h"
#include "engine/semaphore.h"
#include "engine/thread.h"
#include "scenario.h"

static struct lge_request request_of(struct world *world, size_t thread, const struct step *step, size_t lock,
                                     enum lgr_mode mode) {
    const struct object *object = &world->scenario->objects.at[lock];
    struct sim_lock *sim = &world->locks[lock];
    if (sim->id == 0) {
        world_new_identity(world, thread, lock);
    }
    struct lge_request request = {.address = sim->storage, .id = sim->id, .mode = (uint8_t)mode};
    request.context = world_context(world, step, &request.site);
    request.kind = (uint8_t)object->lock_kind;
    request.flags = (uint8_t)((step->timed ? LGE_TIMED : 0u) | (object->recursive ? LGE_RECURSIVE : 0u) |
                              (object->prefer_writer ? LGE_WRITER_PREFERRED : 0u));
    request.attributes = (uint8_t)((object->recursive ? LGR_LOCK_RECURSIVE : 0u) |
                                   (object->errorcheck ? LGR_LOCK_ERRORCHECK : 0u));
    return request;
}

static void begin_waiting(struct world *world, size_t thread, enum blocked why) {
    world->threads[thread].blocked = why;
    world->threads[thread].woken = false;
    world->threads[thread].since = ++world->clock;
}

static void pass(struct sim_thread *thread) {
    thread->blocked = BLOCKED_NOT;
    thread->next++;
}

/* What a program does whose lock call failed: the part up to the matching
 * unlock is left out. */
static void skip_to_unlock(struct sim_thread *thread) {
    size_t depth = 0, lock = thread->program.at[thread->next]->object;
    thread->blocked = BLOCKED_NOT;
    for (size_t i = thread->next + 1; i < thread->program.count; i++) {
        const struct step *step = thread->program.at[i];
        bool take = step->kind == STEP_LOCK || step->kind == STEP_TAKE;
        if (step->object != lock || !(take || step->kind == STEP_UNLOCK || step->kind == STEP_GIVE)) {
            continue;
        }
        if (take) {
            depth++;
        } else if (depth-- == 0) {
            thread->next = i + 1;
            return;
        }
    }
    thread->next++;
}

/* ---- locks ---- */

static void acquired(struct world *world, size_t thread, const struct lge_request *request, size_t lock) {
    lock_take(world, thread, lock, (enum lgr_mode)request->mode);
    lge_acquired(world->threads[thread].engine, request);
    lge_level_hold(world->threads[thread].engine, request->address, world->scenario->objects.at[lock].key);
    pass(&world->threads[thread]);
}

/* As a front end does after its first time slice, so that the engine has every
 * waiter's stack; what is to be found must have been found at once. */
static void look_again(struct world *world, size_t thread, bool deadlock) {
    if (!deadlock && lge_wait_again(world->threads[thread].engine)) {
        seen_error(&world->seen, "%s was found to be deadlocked on the second look only",
                   world->scenario->threads.at[thread].name);
    }
}

/* Mutexes keep their owner, as in glibc; other locks do not. */
static void wait_for_lock(struct world *world, size_t thread, const struct lge_request *request,
                          size_t lock) {
    bool owned = world->scenario->objects.at[lock].lock_kind == LGR_LOCK_MUTEX;
    const int *owner = owned ? &world->locks[lock].storage->owner : NULL;
    begin_waiting(world, thread, BLOCKED_LOCK);
    look_again(world, thread, lge_wait_begin(world->threads[thread].engine, request, owner));
}

static void begin_lock(struct world *world, size_t thread, const struct step *step) {
    struct lge_request request = request_of(world, thread, step, step->object, step->mode);
    if (!step->attempt) {
        lge_level_check(world->threads[thread].engine, &request,
                        world->scenario->objects.at[step->object].key);
        lge_check(world->threads[thread].engine, &request);
    }
    switch (lock_grant(world, thread, step, step->object)) {
    case GRANT_NOW:
        acquired(world, thread, &request, step->object);
        break;
    case GRANT_ERROR:
        skip_to_unlock(&world->threads[thread]);
        break;
    case GRANT_BUSY:
        if (step->attempt) {
            skip_to_unlock(&world->threads[thread]);
        } else {
            wait_for_lock(world, thread, &request, step->object);
        }
        break;
    }
}

static size_t wanted_lock(const struct step *step) {
    return step->kind == STEP_CONDITION_WAIT ? step->other : step->object;
}

static void finish_lock(struct world *world, size_t thread, const struct step *step) {
    size_t lock = wanted_lock(step);
    struct lge_request request = request_of(world, thread, step, lock, step->mode);
    lge_wait_end(world->threads[thread].engine);
    acquired(world, thread, &request, lock);
}

/* Returns false, and tells the engine all the same, when the thread does not
 * hold the lock. */
static bool release(struct world *world, size_t thread, size_t lock) {
    bool held = lock_hold(world, thread, lock) != NULL;
    bool said = lge_released(world->threads[thread].engine, world->locks[lock].storage);
    if (said != held) {
        seen_error(&world->seen, "lge_released(%s) by %s says %d", world->scenario->objects.at[lock].name,
                   world->scenario->threads.at[thread].name, said);
    }
    if (held) {
        lock_give(world, thread, lock);
    }
    return held;
}

static void hand_over(struct world *world, size_t thread, const struct step *step) {
    if (release(world, thread, step->object)) {
        struct lge_request request = request_of(world, thread, step, step->object, LGR_EXCLUSIVE);
        lock_take(world, step->other, step->object, LGR_EXCLUSIVE);
        lge_acquired(world->threads[step->other].engine, &request);
    }
    pass(&world->threads[thread]);
}

/* ---- conditions ---- */

/* Waits that end by whoever comes are told where stalls are looked for. */
static void begin_condition(struct world *world, size_t thread, const struct step *step) {
    struct lge_thread *engine = world->threads[thread].engine;
    release(world, thread, step->other);
    struct lge_request request = request_of(world, thread, step, step->other, LGR_EXCLUSIVE);
    lge_check(engine, &request);
    begin_waiting(world, thread, BLOCKED_CONDITION);
    struct sim_sync *condition = &world->syncs[step->object];
    struct lge_condition_wait wait = {condition, &condition->signalled, request.context, true};
    if (world->scenario->stalls) {
        lge_wait_condition(engine, &request, &world->locks[step->other].storage->owner, &wait);
    }
}

static void finish_condition(struct world *world, size_t thread, const struct step *step) {
    struct lge_request request = request_of(world, thread, step, step->other, LGR_EXCLUSIVE);
    lge_wait_end(world->threads[thread].engine);
    world->syncs[step->object].signalled--;
    lge_sync_acquire(world->threads[thread].engine, world->syncs[step->object].sync, LGR_REASON_CONDITION);
    if (lock_grant(world, thread, step, step->other) == GRANT_NOW) {
        acquired(world, thread, &request, step->other);
    } else {
        wait_for_lock(world, thread, &request, step->other);
    }
}

static struct sim_thread *oldest_waiter(struct world *world, size_t condition) {
    struct sim_thread *oldest = NULL;
    for (size_t i = 0; i < world->scenario->threads.count; i++) {
        struct sim_thread *sim = &world->threads[i];
        if (sim->blocked == BLOCKED_CONDITION && !sim->woken &&
            sim->program.at[sim->next]->object == condition && (!oldest || sim->since < oldest->since)) {
            oldest = sim;
        }
    }
    return oldest;
}

static void wake(struct world *world, size_t thread, const struct step *step) {
    struct sim_thread *waiter = oldest_waiter(world, step->object);
    if (waiter) {
        lge_sync_release(world->threads[thread].engine, world->syncs[step->object].sync);
    }
    while (waiter) {
        waiter->woken = true;
        world->syncs[step->object].signalled++;
        waiter = step->kind == STEP_BROADCAST ? oldest_waiter(world, step->object) : NULL;
    }
    pass(&world->threads[thread]);
}

/* ---- barriers and semaphores that signal ---- */

/* Who comes last passes the others on at once: no wait at a barrier is over while
 * it lasts. */
static const _Atomic uint32_t nobody;

static void begin_barrier(struct world *world, size_t thread, const struct step *step) {
    struct sim_sync *barrier = &world->syncs[step->object];
    lge_sync_release(world->threads[thread].engine, barrier->sync);
    begin_waiting(world, thread, BLOCKED_BARRIER);
    if (++barrier->value < world->scenario->objects.at[step->object].parties) {
        if (world->scenario->stalls) {
            lge_wait_barrier(world->threads[thread].engine, barrier, &nobody, 0, 0);
        }
        return;
    }
    barrier->value = 0;
    for (size_t i = 0; i < world->scenario->threads.count; i++) {
        struct sim_thread *sim = &world->threads[i];
        if (sim->blocked == BLOCKED_BARRIER && sim->program.at[sim->next]->object == step->object) {
            lge_wait_end(sim->engine);
            lge_sync_acquire(sim->engine, barrier->sync, LGR_REASON_BARRIER);
            pass(sim);
        }
    }
}

static void post(struct world *world, size_t thread, const struct step *step) {
    lge_sync_release(world->threads[thread].engine, world->syncs[step->object].sync);
    world->syncs[step->object].value++;
    pass(&world->threads[thread]);
}

static void tell_wait(struct world *world, size_t thread, const struct step *step, const void *address,
                      uint64_t id) {
    struct lge_request request = {.address = address, .id = id, .kind = LGR_LOCK_SEMAPHORE};
    request.context = world_context(world, step, &request.site);
    if (world->scenario->stalls) {
        lge_wait_signal(world->threads[thread].engine, &request);
    }
}

static void wait_for_post(struct world *world, size_t thread, const struct step *step) {
    struct sim_sync *signal = &world->syncs[step->object];
    if (signal->value == 0) {
        begin_waiting(world, thread, BLOCKED_WAIT);
        if (signal->id == 0) {
            signal->id = lge_lock_id_new(world->threads[thread].engine, LGE_CLASS_NONE);
        }
        tell_wait(world, thread, step, signal, signal->id);
        return;
    }
    lge_wait_end(world->threads[thread].engine);
    signal->value--;
    lge_sync_acquire(world->threads[thread].engine, signal->sync, LGR_REASON_SEMAPHORE);
    pass(&world->threads[thread]);
}

/* ---- semaphores that count ---- */

static struct lge_request slot_request(struct world *world, size_t thread, const struct step *step,
                                       unsigned *facts) {
    struct lge_request request = request_of(world, thread, step, step->object, LGR_EXCLUSIVE);
    *facts = lge_semaphore_facts_of(request.id);
    lge_semaphore_request(&request, *facts);
    return request;
}

static void take_slot(struct world *world, size_t thread, size_t semaphore,
                      const struct lge_request *request) {
    world->locks[semaphore].value--;
    lge_semaphore_acquired(world->threads[thread].engine, request);
    pass(&world->threads[thread]);
}

/* A semaphore that signals is not watched while it is waited for. */
static void begin_take(struct world *world, size_t thread, const struct step *step) {
    struct sim_thread *sim = &world->threads[thread];
    unsigned facts;
    struct lge_request request = slot_request(world, thread, step, &facts);
    sim->watched = (facts & LGE_SEMAPHORE_SIGNAL) == 0 && !step->attempt;
    if (sim->watched) {
        lge_check(sim->engine, &request);
    }
    if (world->locks[step->object].value > 0) {
        take_slot(world, thread, step->object, &request);
    } else if (step->attempt) {
        skip_to_unlock(sim);
    } else {
        begin_waiting(world, thread, BLOCKED_SLOT);
        if (sim->watched) {
            look_again(world, thread, lge_wait_begin(sim->engine, &request, NULL));
        } else if (!step->timed) {
            tell_wait(world, thread, step, request.address, request.id);
        }
    }
}

static void finish_take(struct world *world, size_t thread, const struct step *step) {
    unsigned facts;
    struct lge_request request = slot_request(world, thread, step, &facts);
    lge_wait_end(world->threads[thread].engine);
    take_slot(world, thread, step->object, &request);
}

static void give(struct world *world, size_t thread, const struct step *step) {
    struct sim_lock *sim = &world->locks[step->object];
    if (sim->id == 0) {
        world_new_identity(world, thread, step->object);
    }
    lge_semaphore_posting(world->threads[thread].engine, sim->id, sim->storage);
    sim->value++;
    pass(&world->threads[thread]);
}

/* ---- threads ---- */

static void joined(struct world *world, size_t thread, size_t target) {
    world->threads[target].joined = true;
    lge_thread_joined(world->threads[thread].engine, world->threads[target].engine,
                      lge_thread_serial(world->threads[target].engine));
    world->threads[target].engine = NULL;
    pass(&world->threads[thread]);
}

static void begin_join(struct world *world, size_t thread, const struct step *step) {
    struct sim_thread *target = &world->threads[step->object];
    if (target->ended) {
        joined(world, thread, step->object);
        return;
    }
    uintptr_t site;
    uint32_t context = world_context(world, step, &site);
    begin_waiting(world, thread, BLOCKED_JOIN);
    look_again(world, thread,
               lge_wait_join(world->threads[thread].engine, target->engine, site, 0, context, false));
}

static void finish_join(struct world *world, size_t thread, const struct step *step) {
    lge_wait_end(world->threads[thread].engine);
    joined(world, thread, step->object);
}

/* ---- identity ---- */

static void reuse(struct world *world, size_t thread, const struct step *step) {
    world->locks[step->other].storage = world->locks[step->object].storage;
    lock_renew(world, thread, step->other);
    pass(&world->threads[thread]);
}

/* What is used after it was destroyed is a new lock to everyone. */
static void destroy(struct world *world, size_t thread, const struct step *step) {
    struct sim_lock *lock = &world->locks[step->object];
    if (lock->id) {
        lge_semaphore_destroyed(lock->id);
        lge_lock_destroyed(lock->id);
    }
    lock->id = 0;
    pass(&world->threads[thread]);
}

static void init(struct world *world, size_t thread, const struct step *step) {
    lock_renew(world, thread, step->object);
    pass(&world->threads[thread]);
}

/* ---- dispatch ---- */

static void begin_step(struct world *world, size_t thread, const struct step *step) {
    switch (step->kind) {
    case STEP_LOCK:
        begin_lock(world, thread, step);
        break;
    case STEP_UNLOCK:
        release(world, thread, step->object);
        pass(&world->threads[thread]);
        break;
    case STEP_CREATE:
        world_create(world, thread, step->object);
        pass(&world->threads[thread]);
        break;
    case STEP_JOIN:
        begin_join(world, thread, step);
        break;
    case STEP_EXIT:
        world->threads[thread].next = world->threads[thread].program.count;
        break;
    case STEP_BARRIER:
        begin_barrier(world, thread, step);
        break;
    case STEP_POST:
        post(world, thread, step);
        break;
    case STEP_WAIT:
        wait_for_post(world, thread, step);
        break;
    case STEP_CONDITION_WAIT:
        begin_condition(world, thread, step);
        break;
    case STEP_SIGNAL:
    case STEP_BROADCAST:
        wake(world, thread, step);
        break;
    case STEP_DESTROY:
        destroy(world, thread, step);
        break;
    case STEP_INIT:
        init(world, thread, step);
        break;
    case STEP_REUSE:
        reuse(world, thread, step);
        break;
    case STEP_HAND_OVER:
        hand_over(world, thread, step);
        break;
    case STEP_TAKE:
        begin_take(world, thread, step);
        break;
    case STEP_GIVE:
        give(world, thread, step);
        break;
    }
}

static void finish_step(struct world *world, size_t thread, const struct step *step) {
    switch (world->threads[thread].blocked) {
    case BLOCKED_LOCK:
        finish_lock(world, thread, step);
        break;
    case BLOCKED_JOIN:
        finish_join(world, thread, step);
        break;
    case BLOCKED_WAIT:
        wait_for_post(world, thread, step);
        break;
    case BLOCKED_CONDITION:
        finish_condition(world, thread, step);
        break;
    case BLOCKED_SLOT:
        finish_take(world, thread, step);
        break;
    case BLOCKED_BARRIER:
    case BLOCKED_NOT:
        break;
    }
}

bool world_runnable(const struct world *world, size_t thread) {
    const struct sim_thread *sim = &world->threads[thread];
    if (!sim->started || sim->ended || sim->next >= sim->program.count) {
        return false;
    }
    const struct step *step = sim->program.at[sim->next];
    switch (sim->blocked) {
    case BLOCKED_NOT:
        return sim->next < sim->available;
    case BLOCKED_LOCK:
        return lock_grant(world, thread, step, wanted_lock(step)) == GRANT_NOW;
    case BLOCKED_JOIN:
        return world->threads[step->object].ended;
    case BLOCKED_WAIT:
        return world->syncs[step->object].value > 0;
    case BLOCKED_CONDITION:
        return sim->woken;
    case BLOCKED_SLOT:
        return world->locks[step->object].value > 0;
    case BLOCKED_BARRIER:
        break;
    }
    return false;
}

static size_t slots_held(const struct world *world, size_t thread) {
    const struct lge_thread *engine = world->threads[thread].engine;
    size_t count = 0;
    for (const struct lge_held *held = engine->top; held > engine->base; held--) {
        const struct object *lock = world_lock_object(world, held->id);
        count += lock && lock->counts;
    }
    return count;
}

/* The engine and the simulation must agree on what each thread holds; but for
 * semaphores that count, whose holders only the engine tells from posters. */
static void compare_holds(struct world *world) {
    for (size_t i = 0; i < world->scenario->threads.count; i++) {
        const struct sim_thread *sim = &world->threads[i];
        if (!sim->engine || sim->ended) {
            continue;
        }
        const char *name = world->scenario->threads.at[i].name;
        size_t said = lge_held_count(sim->engine) - slots_held(world, i);
        if (said != sim->holds.count) {
            seen_error(&world->seen, "%s holds %zu locks, the engine says %zu", name, sim->holds.count, said);
        }
        for (size_t j = 0; j < world->scenario->objects.count; j++) {
            bool held = lock_hold(world, i, j) != NULL, counts = world->scenario->objects.at[j].counts;
            if (!counts && world->locks[j].id && lge_holds(sim->engine, world->locks[j].storage) != held) {
                seen_error(&world->seen, "lge_holds(%s, %s) says %d", name,
                           world->scenario->objects.at[j].name, !held);
            }
        }
    }
}

void world_step(struct world *world, size_t thread) {
    const struct sim_thread *sim = &world->threads[thread];
    const struct step *step = sim->program.at[sim->next];
    if (sim->blocked == BLOCKED_NOT) {
        begin_step(world, thread, step);
    } else {
        finish_step(world, thread, step);
    }
    for (size_t i = 0; i < world->scenario->threads.count; i++) {
        world_finish_if_over(world, i);
    }
    compare_holds(world);
}

void world_event(struct world *world, const struct script_line *line) {
    struct sim_thread *sim = &world->threads[line->thread];
    bool lock = sim->blocked == BLOCKED_LOCK || (sim->blocked == BLOCKED_SLOT && sim->watched);
    if (line->event == EVENT_AGAIN && (lock || sim->blocked == BLOCKED_JOIN)) {
        lge_wait_again(sim->engine);
    } else if (line->event == EVENT_TIMEOUT && lock && sim->program.at[sim->next]->timed) {
        lge_wait_end(sim->engine);
        skip_to_unlock(sim);
        world_finish_if_over(world, line->thread);
    } else {
        seen_error(&world->seen, "line %d: the thread does not wait so", line->line);
    }
}
