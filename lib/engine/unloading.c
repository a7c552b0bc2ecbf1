#include "engine/unloading.h"

#include "engine/context.h"
#include "engine/known.h"
#include "engine/lock_class.h"
#include "engine/recorded_modules.h"

/* Contexts and classes up to these have been asked for.  Relaxed: two threads may
 * both ask for some. */
static _Atomic uint32_t contexts_located, classes_located;

static void locate_context(uint32_t id) {
    const struct lge_context *context = lge_context_get(id);
    for (size_t i = 0; context != NULL && i < context->count; i++)
        lge_recorded_location(context->frames[i],
                              atomic_load_explicit(&context->epoch, memory_order_relaxed));
}

static void locate_class(uint32_t id) {
    const struct lge_class *class = lge_class_get(id);
    if (class != NULL && class->kind == LGR_CLASS_STATIC)
        lge_recorded_location(class->variable, class->epoch);
}

static void locate(_Atomic uint32_t *located, uint32_t count, void (*one)(uint32_t id)) {
    uint32_t done = atomic_load_explicit(located, memory_order_relaxed);
    for (uint32_t id = (done <= count ? done : 0) + 1; id <= count; id++) /* more: all were forgotten */
        one(id);
    atomic_store_explicit(located, count, memory_order_relaxed);
}

void lge_modules_unloading(void) {
    locate(&contexts_located, (uint32_t)lge_context_count(), locate_context);
    locate(&classes_located, lge_class_count(), locate_class);
}

/* A chain that was known through the code that was there is not known through the
 * code that is there now. */
void lge_modules_unloaded(struct lge_thread *thread) {
    if (!lge_recorded_modules_unloaded())
        return;
    lge_context_forget_unloaded(thread);
    lge_known_clear_all();
}
