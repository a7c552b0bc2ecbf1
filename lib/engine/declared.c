#include "engine/declared.h"

#include "engine/context.h"
#include "engine/level.h"
#include "engine/lock_class.h"
#include "engine/recorded_modules.h"

/* Guards and wrappers that no compiler inlined stand before the function that means to lock. */
enum { FRAMES_OF_USE = 8 };

static const struct lgr_order *declared;
static bool declared_by_use; /* some rule is LGR_ORDER_USE; as `declared` */

static bool has_uses(const struct lgr_order *order) {
    for (uint32_t i = 0; order != NULL && i < order->header->range_count; i++)
        if (order->ranges[i].what == LGR_ORDER_USE)
            return true;
    return false;
}

void lge_declared_start(const struct lgr_order *order) {
    declared = order;
    declared_by_use = has_uses(order);
}
const struct lgr_order *lge_declared_order(void) { return declared; }

static uint32_t class_at(uintptr_t address, enum lgr_order_what what) {
    uint64_t offset;
    uint32_t module = lge_recorded_module_declared(address, &offset);
    uint32_t number = lgr_order_class_at(declared, module, what, offset);
    if (number == 0)
        return LGE_CLASS_NONE;
    const struct lgr_order_class *class = &declared->classes[number - 1];
    return lge_class_ordered(declared->strings + class->name, class->level, class->nesting, number);
}

uint32_t lge_declared_variable(uintptr_t address) {
    return declared == NULL ? LGE_CLASS_NONE : class_at(address, LGR_ORDER_VARIABLE);
}

/* The innermost function that a rule names decides. */
static uint32_t by_calls(uint32_t context_id, enum lgr_order_what what, uint16_t most) {
    const struct lge_context *context = lge_context_get(context_id);
    for (uint16_t i = 0; context != NULL && i < context->count && i < most; i++) {
        uint32_t class_id = class_at(context->frames[i] - 1, what);
        if (class_id != LGE_CLASS_NONE)
            return class_id;
    }
    return LGE_CLASS_NONE;
}

/* Found once for each class: locks are initialised often. */
uint32_t lge_declared_initialised(uint32_t class_id, uint32_t context) {
    struct lge_class *class = declared == NULL ? NULL : lge_class_get(class_id);
    if (class == NULL)
        return LGE_CLASS_NONE;
    uint32_t known = atomic_load_explicit(&class->declared, memory_order_relaxed);
    if (known == LGE_NOT_ASKED) {
        known = by_calls(context, LGR_ORDER_CALL, UINT16_MAX);
        atomic_store_explicit(&class->declared, known == LGE_CLASS_NONE ? LGE_UNDECLARED : known,
                              memory_order_relaxed);
    }
    return known == LGE_UNDECLARED ? LGE_CLASS_NONE : known;
}

uint32_t lge_declared_used(uint32_t context) {
    return declared_by_use ? by_calls(context, LGR_ORDER_USE, FRAMES_OF_USE) : LGE_CLASS_NONE;
}

const struct lge_held *lge_declared_forbids(const struct lge_thread *thread, uint32_t class_id) {
    const struct lge_class *wanted = lge_class_get(class_id);
    if (declared == NULL || wanted == NULL || wanted->order == 0)
        return NULL;
    for (const struct lge_held *held = thread->top; held > thread->base; held--) {
        const struct lge_class *class = lge_class_get(lge_lock_class(held->id));
        if (held->address != NULL && class != NULL && class->order != 0 &&
            lgr_order_is_before(declared, wanted->order - 1, class->order - 1))
            return held;
    }
    return NULL;
}
