#include "source_names.h"

#include <search.h>
#include <string.h>
#include <unistd.h>

#include "symbols_unit.h"

struct known_name {
    const void *unit;
    const char *file; /* the pointer alone counts: units own their strings */
    struct source_name name;
};

static int compare_pointers(const void *a, const void *b) {
    return (uintptr_t)a < (uintptr_t)b ? -1 : (uintptr_t)a > (uintptr_t)b;
}

static int compare(const void *a, const void *b) {
    const struct known_name *left = a, *right = b;
    int order = compare_pointers(left->file, right->file);
    return order ? order : compare_pointers(left->unit, right->unit);
}

/* What follows a prefix that is given; `name` itself where none fits. */
static const char *stripped(const struct symbol_paths *paths, const char *name) {
    for (size_t i = 0; i < paths->source_prefixes.count; i++) {
        const char *prefix = paths->source_prefixes.list[i];
        size_t length = strlen(prefix);
        if (strncmp(name, prefix, length) != 0 || name[length] != '/')
            continue;
        name += length;
        return name + strspn(name, "/");
    }
    return name;
}

/* With as much of the name as fits: /build/app/net/poll.c is DIR/build/app/net/poll.c, or
 * DIR/app/net/poll.c, …, or DIR/poll.c. */
static const char *found_below(struct pool *pool, const char *directory, const char *name) {
    for (const char *rest = name; rest; rest = strchr(rest, '/')) {
        rest += strspn(rest, "/");
        const char *path = pool_printf(pool, "%s/%s", directory, rest);
        if (access(path, R_OK) == 0)
            return path;
    }
    return NULL;
}

static const char *shown(const struct symbol_paths *paths, struct pool *pool, const char *recorded) {
    const char *name = stripped(paths, recorded), *found = NULL;
    for (size_t i = 0; !found && i < paths->source_dirs.count; i++)
        found = found_below(pool, paths->source_dirs.list[i], name);
    return found ? found : name;
}

static struct source_name name_of(const struct source_names *names, struct pool *pool, Dwarf_Die *unit,
                                  const char *file) {
    const char *recorded = source_path(pool, unit, file);
    return (struct source_name){recorded, names->paths ? shown(names->paths, pool, recorded) : recorded};
}

const struct source_name *source_name_of(struct source_names *names, struct pool *pool, Dwarf_Die *unit,
                                         const char *file) {
    struct known_name key = {.unit = unit->addr, .file = file};
    struct known_name **found = tfind(&key, &names->known, compare);
    if (found)
        return &(*found)->name;
    struct known_name *made = pool_alloc(pool, sizeof *made);
    *made = key;
    made->name = name_of(names, pool, unit, file);
    tsearch(made, &names->known, compare);
    return &made->name;
}

static void keep(void *node) { (void)node; }

void source_names_free(struct source_names *names) { tdestroy(names->known, keep); }
