#include "interpose/short_names.h"

#include <string.h>

#include "engine/graph.h"
#include "engine/lock_class.h"
#include "platform/memory.h"
#include "platform/modules.h"

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

void lgi_put_place(struct lgp_text *text, uintptr_t address) {
    struct lgp_module module;
    struct lgp_module_room *room = lgp_alloc(sizeof *room); /* much for a coroutine's stack */
    if (room == NULL || !lgp_module_look(address, &module, room))
        lgp_format(text, "0x%lx", (unsigned long)address);
    else
        lgp_format(text, "%s+0x%lx", module.path[0] == '\0' ? "main program" : base_name(module.path),
                   (unsigned long)(address - module.bias));
    lgp_free(room, sizeof *room);
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
    lgp_format(text, "lock %p", address != NULL ? address : address_of(id));
}
