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

enum { PAGE = 4096 };

typedef int find_object_function(void *address, struct found_object *result);

/* Set once by the constructor, before a second thread exists. */
static find_object_function *find_object;

void lgp_modules_start(void) {
    void *symbol = dlsym(RTLD_DEFAULT, "_dl_find_object");
    find_object = (find_object_function *)symbol;
}

/* A program at a fixed address says nothing of where it starts. */
static uintptr_t program_start(void) { return getauxval(AT_PHDR) & ~(uintptr_t)(PAGE - 1); }

/* Where the kernel left gaps between the segments of an object, as in every
 * program on aarch64, the loader tells of one segment; its first page tells of
 * all. */
static uintptr_t other_start(const struct lgp_module *module) {
    return module->bias != 0 ? module->bias : program_start();
}

static void extend(uintptr_t address, struct lgp_module *module, uintptr_t start,
                   const struct lgp_image *image) {
    if (address < image->end && module->end < image->end)
        module->end = image->end;
    if (module->end == image->end)
        module->start = start;
}

static struct lgp_module described(const struct found_object *object, uintptr_t bias, const char *path) {
    return (struct lgp_module){
        .start = (uintptr_t)object->map_start,
        .end = (uintptr_t)object->map_end,
        .bias = bias,
        .path = path,
    };
}

static bool read_directly(void *to, const void *from, size_t size) {
    memcpy(to, from, size);
    return true;
}

/* Of a first page that may not be one, nor there.  The program's is, and never goes. */
static lgp_reader *reader_of(uintptr_t start) {
    return start == program_start() ? read_directly : lgp_read_safely;
}

static bool is_elf(const void *page) { return memcmp(page, ELFMAG, SELFMAG) == 0; }

bool lgp_module_find(uintptr_t address, struct lgp_module *module) {
    struct found_object object;
    struct lgp_image image;
    if (find_object == NULL)
        return lgp_maps_find(address, module, false);
    if (find_object((void *)address, &object) != 0)
        return false;
    *module = described(&object, object.link_map->l_addr, object.link_map->l_name);
    char magic[SELFMAG];
    bool first = module->start % PAGE == 0 && is_elf((const void *)module->start);
    uintptr_t start = first ? module->start : other_start(module);
    if (start != module->start && !reader_of(start)(magic, (const void *)start, sizeof magic))
        return true;
    if (lgp_image_read((const void *)start, start, &image))
        extend(address, module, start, &image);
    return true;
}

/* ---- copies ---- */

static bool copy_path(char *to, const char *from, size_t room, bool may_go) {
    if (may_go)
        return lgp_read_text_safely(to, from, room);
    size_t length = strnlen(from, room);
    if (length == room)
        return false;
    memcpy(to, from, length + 1);
    return true;
}

static bool copy_names(const struct found_object *object, struct lgp_module *module,
                       struct lgp_module_room *room, bool may_go) {
    struct {
        ElfW(Addr) bias;
        const char *path;
    } map; /* how every struct link_map begins */
    lgp_reader *reader = may_go ? lgp_read_safely : read_directly;
    if (!reader(&map, object->link_map, sizeof map) ||
        !copy_path(room->path, map.path, sizeof room->path, may_go))
        return false;
    *module = described(object, map.bias, room->path);
    return true;
}

/* False: there is no such object, or not all of it. */
static bool copy_image(uintptr_t address, struct lgp_module *module, struct lgp_module_room *room,
                       bool may_go) {
    struct lgp_image image;
    lgp_reader *reader = may_go ? lgp_read_safely : read_directly;
    uintptr_t start = module->start;
    bool aligned = start % PAGE == 0; /* else it is no first page, and not a page long */
    if (aligned && !reader(room->page, (const void *)start, PAGE))
        return false;
    if (!aligned || !is_elf(room->page)) {
        start = other_start(module);
        if (!reader_of(start)(room->page, (const void *)start, PAGE))
            return false;
    }
    if (!lgp_image_read(room->page, start, &image))
        return false;
    uintptr_t limit = start == module->start ? module->end : start + PAGE;
    module->build_id_length = lgp_image_build_id(room->page, start, limit, reader, module->build_id);
    extend(address, module, start, &image);
    return true;
}

bool lgp_module_look(uintptr_t address, struct lgp_module *module, struct lgp_module_room *room,
                     bool may_go) {
    struct found_object object, after;
    if (find_object == NULL)
        return lgp_maps_find(address, module, may_go);
    if (find_object((void *)address, &object) != 0 || !copy_names(&object, module, room, may_go))
        return false;
    if (!copy_image(address, module, room, may_go) && may_go)
        return false; /* the loader forgets an object after its memory is gone */
    return find_object((void *)address, &after) == 0 && after.link_map == object.link_map &&
           after.map_start == object.map_start;
}

void lgp_modules_changed(void) {
    if (find_object == NULL)
        lgp_maps_changed();
}

bool lgp_module_contains(uintptr_t address) {
    struct found_object object;
    struct lgp_module module;
    if (find_object == NULL)
        return lgp_maps_find(address, &module, false);
    return find_object((void *)address, &object) == 0;
}
