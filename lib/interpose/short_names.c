#include "interpose/short_names.h"

#include "engine/graph.h"
#include "engine/level.h"
#include "engine/level_name.h"
#include "engine/lock_class.h"
#include "engine/recorded_modules.h"

void lgi_put_place(struct lgp_text *text, uintptr_t address) {
    struct lge_module_name module;
    if (!lge_recorded_modules_name(address, &module))
        lgp_format(text, "0x%lx", (unsigned long)address);
    else
        lgp_format(text, "%s+0x%lx", module.text[0] == '\0' ? "main program" : module.text,
                   (unsigned long)module.offset);
}

static const void *address_of(uint64_t lock_id) {
    lge_table_lock();
    const struct lge_lock *lock = lge_lock_find(lock_id);
    const void *address = lock == NULL ? NULL : lock->address;
    lge_table_unlock();
    return address;
}

void lgi_put_lock(struct lgp_text *text, uint64_t id, const void *address) {
    const struct lge_class *class = lge_class_get(lge_lock_class(id));
    if (class != NULL && class->kind == LGR_CLASS_NAMED && class->name != NULL) {
        lgp_format(text, "%s ", class->name);
    } else if (class != NULL && class->kind == LGR_CLASS_STATIC) {
        lgi_put_place(text, class->variable);
        return;
    }
    lgp_format(text, "lock %p", lge_address_shown(address != NULL ? address : address_of(id)));
}

void lgi_put_level(struct lgp_text *text, const struct lge_class *class) {
    if (class == NULL || class->level == LGE_NO_LEVEL)
        return;
    const struct lge_level_name *name = lge_level_name_of(class->level);
    lgp_format(text, " (level %d", class->level);
    if (name != NULL)
        lgp_format(text, " (%s)", name->text);
    lgp_format(text, ")");
}
