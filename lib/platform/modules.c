#include "platform/modules.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

#include "platform/modules_internal.h"
#include "platform/safe_read.h"

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

/* Where the kernel left gaps between the segments of an object, as in every
 * program on aarch64, the loader tells of one segment; its first page tells of
 * all.  0: it is not to be seen. */
static uintptr_t first_page(const struct lgp_module *module) {
    char magic[SELFMAG];
    uintptr_t start = module->bias;
    if (memcmp((const void *)module->start, ELFMAG, SELFMAG) == 0)
        return module->start;
    if (start == 0) /* a program at a fixed address */
        start = getauxval(AT_PHDR) & ~(uintptr_t)4095;
    return lgp_read_safely(magic, (const void *)start, SELFMAG) ? start : 0;
}

static void read_image(uintptr_t address, struct lgp_module *module) {
    struct lgp_image image;
    uintptr_t start = first_page(module);
    uintptr_t limit = start == module->start ? module->end : start + 4096;
    if (start == 0 || !lgp_image_read(start, limit, &image))
        return;
    module->build_id = image.build_id;
    module->build_id_length = image.build_id_length;
    if (address < image.end && module->end < image.end)
        module->end = image.end;
    if (module->end == image.end)
        module->start = start;
}

bool lgp_module_find(uintptr_t address, struct lgp_module *module) {
    struct found_object object;
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
    read_image(address, module);
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
