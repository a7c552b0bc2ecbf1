#include "platform/modules.h"

#include <dlfcn.h>
#include <link.h>

#include "platform/modules_internal.h"

/* struct dl_find_object of glibc >= 2.35, of which only the part that is the
 * same on every machine is named: older headers do not declare it. */
struct found_object {
    unsigned long long flags;
    void *map_start, *map_end;
    struct link_map *link_map;
    unsigned long long rest[12];
};

typedef int find_object_function(void *address, struct found_object *result);

/* Set once by the constructor, before a second thread exists. */
static find_object_function *find_object;

void lgp_modules_start(void) {
    void *symbol = dlsym(RTLD_DEFAULT, "_dl_find_object");
    find_object = (find_object_function *)symbol;
}

bool lgp_module_find(uintptr_t address, struct lgp_module *module) {
    struct found_object object;
    struct lgp_image image;
    if (find_object == NULL)
        return lgp_maps_find(address, module);
    if (find_object((void *)address, &object) != 0)
        return false;
    *module = (struct lgp_module){
        .start = (uintptr_t)object.map_start,
        .end = (uintptr_t)object.map_end,
        .bias = object.link_map->l_addr,
        .path = object.link_map->l_name,
    };
    if (lgp_image_read(module->start, module->end, &image)) {
        module->build_id = image.build_id;
        module->build_id_length = image.build_id_length;
    }
    return true;
}

void lgp_modules_changed(void) {
    if (find_object == NULL)
        lgp_maps_changed();
}

bool lgp_module_contains(uintptr_t address) {
    struct found_object object;
    struct lgp_module module;
    if (find_object == NULL)
        return lgp_maps_find(address, &module);
    return find_object((void *)address, &object) == 0;
}
