#include "engine/evidence_parts.h"

#include <string.h>

#include "engine/context.h"
#include "engine/level.h"
#include "engine/level_name.h"
#include "engine/lock_class.h"
#include "engine/recorded_modules.h"
#include "engine/semaphore.h"
#include "platform/system.h"
#include "record/writer.h"

struct lgp_lock lge_evidence_lock;
uint32_t lge_evidence_generation = 1;

/* True the first time in this file. */
static bool first_time(uint32_t *recorded) {
    if (*recorded == lge_evidence_generation)
        return false;
    *recorded = lge_evidence_generation;
    return true;
}

void lge_put_context(uint32_t id) {
    struct lge_context *context = lge_context_get(id);
    if (context == NULL || !first_time(&context->recorded))
        return;
    struct lgr_location frames[64];
    for (size_t i = 0; i < context->count; i++)
        frames[i] = lge_recorded_location(context->frames[i],
                                          atomic_load_explicit(&context->epoch, memory_order_relaxed));
    struct lgr_context *record =
        lgr_begin(LGR_CONTEXT, sizeof *record + context->count * sizeof frames[0], true);
    if (record == NULL)
        return;
    record->id = id;
    record->frame_count = context->count;
    record->flags = context->partial ? LGR_CONTEXT_PARTIAL : 0;
    memcpy(record->frames, frames, context->count * sizeof frames[0]);
    lgr_commit(record);
}

void lge_put_level_name(int16_t level) {
    struct lge_level_name *name = level == LGE_NO_LEVEL ? NULL : lge_level_name_of(level);
    if (name == NULL || !first_time(&name->recorded))
        return;
    struct lgr_level_name *record = lgr_begin(LGR_LEVEL_NAME, sizeof *record + name->length, true);
    if (record == NULL)
        return;
    record->level = level;
    record->name_length = (uint32_t)name->length;
    memcpy(record + 1, name->text, name->length);
    lgr_commit(record);
}

void lge_put_class(uint32_t id) {
    struct lge_class *class = lge_class_get(id);
    if (class == NULL || !first_time(&class->recorded))
        return;
    lge_put_context(class->context);
    lge_put_level_name(class->level);
    struct lgr_location variable = {0};
    if (class->kind == LGR_CLASS_STATIC)
        variable = lge_recorded_location(class->variable, class->epoch);
    struct lgr_class *record = lgr_begin(LGR_CLASS, sizeof *record + class->name_length, true);
    if (record == NULL)
        return;
    record->id = id;
    record->kind = class->kind;
    record->level = class->level;
    record->context = class->context;
    record->variable = variable;
    record->name_length = (uint32_t) class->name_length;
    if (class->name_length != 0)
        memcpy(record + 1, class->name, class->name_length);
    lgr_commit(record);
}

/* As they stand in the attributes. */
static uint16_t slots_of(uint64_t id, uint16_t kind) {
    uint32_t slots = kind == LGR_LOCK_SEMAPHORE ? lge_semaphore_slots(id) : 0;
    return (uint16_t)((slots < LGR_LOCK_SLOTS_MOST ? slots : LGR_LOCK_SLOTS_MOST) << LGR_LOCK_SLOTS_SHIFT);
}

void lge_put_lock(uint64_t id) {
    lge_put_class(lge_lock_class(id));
    lge_table_lock();
    struct lge_lock *known = lge_lock_find(id);
    bool first = known != NULL && first_time(&known->recorded);
    struct lge_lock copy = {0};
    if (first)
        copy = *known;
    lge_table_unlock();
    if (!first)
        return;
    struct lgr_lock *record = lgr_begin(LGR_LOCK, sizeof *record, true);
    if (record == NULL)
        return;
    record->id = id;
    record->address = (uintptr_t)lge_address_shown(copy.address);
    record->class_id = lge_lock_class(id);
    record->kind = copy.kind;
    record->attributes = (uint16_t)(copy.attributes | slots_of(id, copy.kind));
    lgr_commit(record);
}

void lge_put_name(uint32_t serial, const char *name) {
    size_t length = strlen(name);
    struct lgr_thread_name *record = lgr_begin(LGR_THREAD_NAME, sizeof *record + length, true);
    if (record == NULL)
        return;
    record->serial = serial;
    record->name_length = (uint32_t)length;
    memcpy(record + 1, name, length);
    lgr_commit(record);
}

struct lge_thread *lge_thread_of_serial(uint32_t serial) {
    lge_threads_lock();
    struct lge_thread *thread = lge_threads_first();
    while (thread != NULL && lge_thread_serial(thread) != serial)
        thread = thread->next_in_list;
    lge_threads_unlock();
    return thread;
}

static void write_thread_record(struct lge_thread *thread) {
    if (thread->creation_context != 0)
        lge_put_context(thread->creation_context);
    struct lgr_location start = {0};
    if (thread->start_routine != 0)
        start = lge_recorded_location(thread->start_routine,
                                      atomic_load_explicit(&lge_modules_epoch, memory_order_relaxed));
    struct lgr_thread *record = lgr_begin(LGR_THREAD, sizeof *record, true);
    if (record == NULL)
        return;
    record->serial = lge_thread_serial(thread);
    record->tid = atomic_load_explicit(&thread->tid, memory_order_relaxed);
    record->parent = thread->parent;
    record->creation_context = thread->creation_context;
    record->start_routine = start;
    lgr_commit(record);
}

/* A thread writes itself when it first leaves evidence, so the record is there
 * even if the thread is gone when a finding names it. */
void lge_put_thread(struct lge_thread *thread) {
    if (thread == NULL)
        return;
    if (first_time(&thread->recorded)) {
        write_thread_record(thread);
        thread->name[0] = '\0';
    }
}

void lge_put_own_name(struct lge_thread *thread) {
    char name[16];
    lgp_thread_name(name);
    if (strncmp(name, thread->name, sizeof name) == 0)
        return;
    memcpy(thread->name, name, sizeof name);
    lge_put_name(lge_thread_serial(thread), name);
}
