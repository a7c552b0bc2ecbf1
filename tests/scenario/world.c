/* One run's threads, names and identities. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/level.h"
#include "engine/semaphore.h"
#include "engine/stall.h"
#include "scenario.h"

#define FIRST_TID     1000
#define PLACE_BASE    ((uintptr_t)0x100000)
#define WRAPPER_SITE  ((uintptr_t)0x7000)
#define LABEL_BASE    ((uintptr_t)0x80000000u)
#define CLASS_BASE    ((uintptr_t)0xc0000000u)
#define VARIABLE_BASE ((uintptr_t)0xd0000000u)
#define ROUTINE_BASE  ((uintptr_t)0xe0000000u)

static void *zeroed(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (!memory) {
        perror("scenario");
        exit(2);
    }
    return memory;
}

int world_tid(size_t thread) { return FIRST_TID + (int)thread; }

static void start_thread(struct world *world, size_t thread, struct lge_thread *parent) {
    struct sim_thread *sim = &world->threads[thread];
    sim->engine = lge_thread_new(parent, ROUTINE_BASE + 16 * thread, 0);
    sim->started = true;
    lge_thread_begin(sim->engine, (uint32_t)world_tid(thread), 0, 0);
    sim->serial = lge_thread_serial(sim->engine);
    if (lge_thread_by_tid((uint32_t)world_tid(thread)) != sim->engine) {
        seen_error(&world->seen, "lge_thread_by_tid does not know %s",
                   world->scenario->threads.at[thread].name);
    }
}

static void end_thread(struct world *world, size_t thread) {
    struct sim_thread *sim = &world->threads[thread];
    sim->ended = true;
    lge_thread_end(sim->engine);
    if (lge_stall_near()) {
        lge_stall_look_last();
    }
}

static void collect_programs(struct world *world) {
    const struct scenario *scenario = world->scenario;
    for (size_t i = 0; i < scenario->lines.count; i++) {
        const struct script_line *line = &scenario->lines.at[i];
        for (size_t j = 0; j < line->steps.count; j++) {
            *ADD(&world->threads[line->thread].program) = &line->steps.at[j];
        }
    }
}

/* The one that is played, for the engine's questions. */
static const struct world *played;

static enum lge_company by_themselves(const struct lge_sleeper *sleepers, size_t count) {
    (void)sleepers;
    (void)count;
    return LGE_ALONE;
}

static bool exhausted(const void *address) {
    for (size_t i = 0; i < played->scenario->objects.count; i++) {
        if (address == &played->syncs[i]) {
            return played->syncs[i].value == 0;
        }
        if (address == played->locks[i].storage) {
            return played->locks[i].value == 0;
        }
    }
    return false;
}

void world_begin(struct world *world, const struct scenario *scenario) {
    memset(world, 0, sizeof *world);
    world->scenario = scenario;
    struct lge_config config = {
        .search_budget = 1u << 20, .stack_depth = 16, .on_finding = seen_take, .user = &world->seen};
    if (scenario->stalls) {
        config.company = by_themselves;
        config.exhausted = exhausted;
    }
    played = world;
    lge_start(&config);
    size_t objects = scenario->objects.count, threads = scenario->threads.count;
    world->threads = zeroed(threads, sizeof *world->threads);
    world->locks = zeroed(objects, sizeof *world->locks);
    world->storage = zeroed(objects, sizeof *world->storage);
    world->syncs = zeroed(objects, sizeof *world->syncs);
    world->class_ids = zeroed(scenario->classes.count + objects, sizeof *world->class_ids);
    for (size_t i = 0; i < objects; i++) {
        world->locks[i].storage = &world->storage[i];
        world->locks[i].readers = zeroed(threads, sizeof(unsigned));
        if (scenario->objects.at[i].kind != OBJECT_LOCK) {
            world->syncs[i].sync = lge_sync_new();
        }
    }
    collect_programs(world);
    for (size_t i = 0; i < threads; i++) {
        if (!scenario->threads.at[i].created) {
            start_thread(world, i, NULL);
        }
    }
}

void world_end(struct world *world) {
    for (size_t i = 0; i < world->scenario->objects.count; i++) {
        free(world->locks[i].readers);
        if (world->syncs[i].sync) {
            lge_sync_free(world->syncs[i].sync);
        }
    }
    for (size_t i = 0; i < world->scenario->threads.count; i++) {
        free(world->threads[i].program.at);
        free(world->threads[i].holds.at);
    }
    for (size_t i = 0; i < world->names.count; i++) {
        free(world->names.at[i].name);
    }
    free(world->names.at);
    free(world->threads);
    free(world->locks);
    free(world->storage);
    free(world->syncs);
    free(world->class_ids);
    seen_clear(&world->seen);
    lge_reset();
}

/* ---- threads ---- */

void world_create(struct world *world, size_t parent, size_t thread) {
    if (world->threads[thread].started) {
        seen_error(&world->seen, "%s was created twice", world->scenario->threads.at[thread].name);
        return;
    }
    start_thread(world, thread, world->threads[parent].engine);
}

void world_finish_if_over(struct world *world, size_t thread) {
    struct sim_thread *sim = &world->threads[thread];
    if (sim->started && !sim->ended && sim->blocked == BLOCKED_NOT && sim->next >= sim->program.count) {
        end_thread(world, thread);
    }
}

bool world_stuck(const struct world *world, size_t thread) {
    const struct sim_thread *sim = &world->threads[thread];
    return sim->blocked != BLOCKED_NOT && !world_runnable(world, thread);
}

bool world_all_done(const struct world *world) {
    for (size_t i = 0; i < world->scenario->threads.count; i++) {
        if (!world->threads[i].ended) {
            return false;
        }
    }
    return true;
}

/* ---- contexts, classes, names ---- */

uint32_t world_label_context(const struct world *world, size_t label) {
    (void)world;
    uintptr_t frames[] = {WRAPPER_SITE, LABEL_BASE + 16 * label, PLACE_BASE};
    return lge_context_intern(frames, 3, false);
}

/* All labelled steps lock at one site, as through one lock function; the label
 * stands for that function's caller.  Without a label each lock has one site for
 * each kind of call, so that a repeated line is a repeated chain. */
uint32_t world_context(const struct world *world, const struct step *step, uintptr_t *site) {
    if (step->label) {
        *site = WRAPPER_SITE;
        return world_label_context(world, step->label);
    }
    uintptr_t kind =
        (uintptr_t)step->kind << 3 | (uintptr_t)step->mode << 2 | (uintptr_t)step->attempt << 1 | step->timed;
    uintptr_t frames[] = {PLACE_BASE + 4096 * step->object + 16 * kind, PLACE_BASE};
    *site = frames[0];
    return lge_context_intern(frames, 2, false);
}

/* Called from a place of its own, by the function that calls for all of them. */
static uint32_t make_constructed(size_t number) {
    uintptr_t frames[] = {CLASS_BASE - 16, CLASS_BASE + 16 * number};
    return lge_class_initialised_at(lge_context_intern(frames, 2, false));
}

static uint32_t make_class(enum lgr_class_kind kind, const char *name, size_t number) {
    uintptr_t frame = CLASS_BASE + 16 * number;
    switch (kind) {
    case LGR_CLASS_INIT:
        return lge_class_initialised_at(lge_context_intern(&frame, 1, false));
    case LGR_CLASS_GUESS:
        return lge_class_guessed(lge_context_intern(&frame, 1, false));
    case LGR_CLASS_STATIC:
        return lge_class_static(VARIABLE_BASE + 64 * number);
    default:
        return lge_class_named(name);
    }
}

uint32_t world_class(struct world *world, size_t object) {
    const struct scenario *scenario = world->scenario;
    const struct object *lock = &scenario->objects.at[object];
    bool own = lock->class_index == NO_CLASS;
    size_t slot = own ? scenario->classes.count + object : lock->class_index;
    if (world->class_ids[slot] == 0) {
        world->class_ids[slot] =
            lock->level != NO_LEVEL ? lge_class_levelled(lock->name, (int16_t)lock->level, lock->keyed, true)
            : own                   ? make_class(LGR_CLASS_NAMED, lock->name, object)
            : scenario->classes.at[slot].constructed
                ? make_constructed(slot)
                : make_class(scenario->classes.at[slot].kind, scenario->classes.at[slot].name, slot);
    }
    return world->class_ids[slot];
}

const char *world_class_name(const struct world *world, uint32_t class_id) {
    const struct scenario *scenario = world->scenario;
    for (size_t i = 0; class_id && i < scenario->classes.count + scenario->objects.count; i++) {
        if (world->class_ids[i] == class_id) {
            return i < scenario->classes.count ? scenario->classes.at[i].name
                                               : scenario->objects.at[i - scenario->classes.count].name;
        }
    }
    return "?";
}

static const struct lock_name *find_identity(const struct world *world, uint64_t id) {
    for (size_t i = 0; i < world->names.count; i++) {
        if (world->names.at[i].id == id) {
            return &world->names.at[i];
        }
    }
    return NULL;
}

const char *world_lock_name(const struct world *world, uint64_t id) {
    const struct lock_name *identity = find_identity(world, id);
    return identity ? identity->name : "?";
}

const struct object *world_lock_object(const struct world *world, uint64_t id) {
    const struct lock_name *identity = find_identity(world, id);
    return identity ? &world->scenario->objects.at[identity->object] : NULL;
}

const char *world_thread_name(const struct world *world, uint32_t serial) {
    for (size_t i = 0; i < world->scenario->threads.count; i++) {
        if (world->threads[i].serial == serial) {
            return world->scenario->threads.at[i].name;
        }
    }
    return "?";
}

void world_new_identity(struct world *world, size_t thread, size_t lock) {
    struct sim_lock *sim = &world->locks[lock];
    char name[128];
    sim->id = lge_lock_id_new(world->threads[thread].engine, world_class(world, lock));
    if (++sim->generation == 1) {
        snprintf(name, sizeof name, "%s", world->scenario->objects.at[lock].name);
    } else {
        snprintf(name, sizeof name, "%s/%u", world->scenario->objects.at[lock].name, sim->generation);
    }
    const struct object *object = &world->scenario->objects.at[lock];
    if (object->counts) {
        sim->value = object->slots;
        lge_semaphore_created(sim->id, sim->storage, object->slots, false);
    }
    if (lge_lock_class(sim->id) != world_class(world, lock)) {
        seen_error(&world->seen, "lge_lock_class(%s) is not the class it was made with", name);
    }
    struct lock_name *entry = ADD(&world->names);
    entry->id = sim->id;
    entry->object = lock;
    entry->name = text_copy(name);
}
