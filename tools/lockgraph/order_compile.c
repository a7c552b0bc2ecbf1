#include "order_compile.h"

#include <elfutils/libdwfl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "order_ranges.h"
#include "program_modules.h"
#include "suppress.h"

/* ---- modules ---- */

static void add_matching(struct pool *pool, struct path_list *modules, const char *pattern) {
    glob_t found;
    if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        add_module(pool, modules, found.gl_pathv[i]);
    globfree(&found);
}

static const char *directory_of(struct pool *pool, const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? pool_string_n(pool, path, (size_t)(slash - path)) : ".";
}

/* A name without a directory is looked for where the program and its libraries are. */
static void add_named(struct pool *pool, const struct order_rule *rule, struct path_list *modules) {
    const char *name = rule->module;
    if (name[0] == '/') {
        add_matching(pool, modules, name);
    } else if (strchr(name, '/')) {
        add_matching(pool, modules, pool_printf(pool, "%s/%s", directory_of(pool, rule->place.file), name));
    } else {
        size_t count = modules->count;
        for (size_t i = 0; i < count; i++)
            add_matching(pool, modules,
                         pool_printf(pool, "%s/%s", directory_of(pool, modules->paths[i]), name));
    }
}

static bool is_there(const struct path_list *modules, const char *pattern) {
    for (size_t i = 0; i < modules->count; i++)
        if (pattern_matches_path(pattern, modules->paths[i]))
            return true;
    return false;
}

void order_modules(struct pool *pool, const struct order *order, const char *program,
                   struct path_list *modules) {
    program_modules(pool, program, modules);
    for (size_t i = 0; i < order->rule_count; i++)
        if (order->rules[i].module && !is_there(modules, order->rules[i].module))
            add_named(pool, &order->rules[i], modules);
}

/* ---- the table ---- */

struct table {
    struct pool *pool;
    struct text classes, modules, befores, strings;
    struct order_ranges ranges;
    struct lgr_order_header header;
};

static uint32_t add_bytes(struct table *table, const void *bytes, size_t length) {
    size_t at = table->strings.length;
    text_add_n(&table->strings, bytes, length);
    text_add_n(&table->strings, "", 1);
    return (uint32_t)at;
}

static void add_classes(struct table *table, const struct order *order) {
    for (size_t i = 0; i < order->class_count; i++) {
        const struct order_class *class = &order->classes[i];
        struct lgr_order_class entry = {.name = add_bytes(table, class->name, strlen(class->name)),
                                        .level = (int16_t) class->level,
                                        .nesting = (uint16_t) class->nesting};
        text_add_n(&table->classes, (const char *)&entry, sizeof entry);
    }
    table->header.class_count = (uint32_t)order->class_count;
}

/* Of two with levels these decide. */
static bool by_pair(const struct order *order, size_t first, size_t second) {
    return order_precedes(order, first, second) &&
           (order->classes[first].level == NO_LEVEL || order->classes[second].level == NO_LEVEL);
}

static void add_befores(struct table *table, const struct order *order) {
    for (size_t first = 0; first < order->class_count; first++)
        for (size_t second = 0; second < order->class_count; second++)
            if (by_pair(order, first, second)) {
                struct lgr_order_before pair = {(uint32_t)first, (uint32_t)second};
                text_add_n(&table->befores, (const char *)&pair, sizeof pair);
                table->header.before_count++;
            }
}

/* A module without any such lock is left out. */
static void add_table_module(struct table *table, const struct order *order, struct symbols *symbols,
                             const char *path, size_t *uses) {
    struct module_symbols *module = symbols_module(symbols, path, NULL, 0);
    size_t before = table->ranges.count;
    if (!module_dwfl(module))
        return;
    order_ranges_of(order, table->pool, symbols, module, &table->ranges, uses);
    if (table->ranges.count == before)
        return;
    const unsigned char *build_id = NULL;
    GElf_Addr address;
    int length = dwfl_module_build_id(module_dwfl(module), &build_id, &address);
    struct lgr_order_module entry = {
        .path = add_bytes(table, path, strlen(path)),
        .build_id = length > 0 ? add_bytes(table, build_id, (size_t)length) : 0,
        .build_id_length = length > 0 ? (uint32_t)length : 0,
        .first_range = (uint32_t)before,
        .range_count = (uint32_t)(table->ranges.count - before),
    };
    text_add_n(&table->modules, (const char *)&entry, sizeof entry);
    table->header.module_count++;
}

static void put_together(struct table *table, struct text *block) {
    struct lgr_order_header *header = &table->header;
    size_t ranges = table->ranges.count * sizeof *table->ranges.list;
    header->range_count = (uint32_t)table->ranges.count;
    header->string_bytes = (uint32_t)table->strings.length;
    header->size = sizeof *header + ranges + table->classes.length + table->modules.length +
                   table->befores.length + table->strings.length;
    text_add_n(block, (const char *)header, sizeof *header);
    if (ranges)
        text_add_n(block, (const char *)table->ranges.list, ranges);
    text_add_n(block, text_string(&table->classes), table->classes.length);
    text_add_n(block, text_string(&table->modules), table->modules.length);
    text_add_n(block, text_string(&table->befores), table->befores.length);
    text_add_n(block, text_string(&table->strings), table->strings.length);
}

void order_compile(struct pool *pool, const struct order *order, const struct path_list *modules,
                   uint64_t key, struct text *block, size_t *uses) {
    struct table table = {.pool = pool, .header = {.key = key}};
    struct symbols *symbols = symbols_open(NULL);
    memcpy(table.header.magic, LGR_ORDER_MAGIC, sizeof table.header.magic);
    add_bytes(&table, "", 0);
    add_classes(&table, order);
    add_befores(&table, order);
    for (size_t i = 0; i < modules->count; i++)
        add_table_module(&table, order, symbols, modules->paths[i], uses);
    put_together(&table, block);
    symbols_close(symbols);
    text_free(&table.classes);
    text_free(&table.modules);
    text_free(&table.befores);
    text_free(&table.strings);
    free(table.ranges.list);
}
