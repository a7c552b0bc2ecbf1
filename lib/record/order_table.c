#include "record/order_table.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "platform/system.h"
#include "record/handed_over.h"
#include "record/saved_order.h"

/* ---- reading ---- */

/* The next array of the block; NULL: it is not that long. */
static const void *next(const char **at, uint64_t *left, uint64_t count, size_t item) {
    const void *array = *at;
    if (count > *left / item)
        return NULL;
    *at += count * item;
    *left -= count * item;
    return array;
}

static bool arrays_fit(struct lgr_order *order, const char *block, uint64_t size) {
    const struct lgr_order_header *header = order->header;
    const char *at = block + sizeof *header;
    uint64_t left = size - sizeof *header;
    order->ranges = next(&at, &left, header->range_count, sizeof *order->ranges);
    order->classes = next(&at, &left, header->class_count, sizeof *order->classes);
    order->modules = next(&at, &left, header->module_count, sizeof *order->modules);
    order->befores = next(&at, &left, header->before_count, sizeof *order->befores);
    order->strings = at;
    return order->ranges != NULL && order->classes != NULL && order->modules != NULL &&
           order->befores != NULL && left == header->string_bytes;
}

static bool texts_right(const struct lgr_order *order) {
    uint32_t bytes = order->header->string_bytes;
    if (bytes == 0 || order->strings[bytes - 1] != '\0')
        return false;
    for (uint32_t i = 0; i < order->header->class_count; i++)
        if (order->classes[i].name >= bytes || order->classes[i].nesting >= LGR_NESTINGS)
            return false;
    return true;
}

static bool modules_right(const struct lgr_order *order) {
    uint32_t bytes = order->header->string_bytes, ranges = order->header->range_count;
    for (uint32_t i = 0; i < order->header->module_count; i++) {
        const struct lgr_order_module *module = &order->modules[i];
        if (module->path >= bytes || module->build_id >= bytes ||
            module->build_id_length > bytes - module->build_id || module->first_range > ranges ||
            module->range_count > ranges - module->first_range)
            return false;
    }
    return true;
}

static bool indexes_right(const struct lgr_order *order) {
    uint32_t classes = order->header->class_count;
    for (uint32_t i = 0; i < order->header->range_count; i++)
        if (order->ranges[i].class_index >= classes || order->ranges[i].what > LGR_ORDER_USE)
            return false;
    for (uint32_t i = 0; i < order->header->before_count; i++)
        if (order->befores[i].first >= classes || order->befores[i].second >= classes)
            return false;
    return true;
}

bool lgr_order_read(struct lgr_order *order, const void *block, uint64_t size) {
    order->header = block;
    return size >= sizeof *order->header && (uintptr_t)block % _Alignof(struct lgr_order_header) == 0 &&
           memcmp(order->header->magic, LGR_ORDER_MAGIC, sizeof order->header->magic) == 0 &&
           order->header->size == size && arrays_fit(order, block, size) && texts_right(order) &&
           modules_right(order) && indexes_right(order);
}

static uint64_t size_of(long descriptor) {
    struct stat status;
    return lgp_syscall(SYS_fstat, descriptor, (long)&status, 0, 0, 0, 0) == 0 ? (uint64_t)status.st_size : 0;
}

static bool read_or_forget(struct lgr_order *order, const void *block, uint64_t size) {
    if (lgr_order_read(order, block, size))
        return true;
    lgp_syscall(SYS_munmap, (long)block, (long)size, 0, 0, 0, 0);
    *order = (struct lgr_order){0};
    return false;
}

static bool open_saved(struct lgr_order *order, const char *path) {
    uint64_t size;
    const void *block = lgr_saved_order_load(path, &size);
    return block != NULL && read_or_forget(order, block, size);
}

bool lgr_order_open(struct lgr_order *order, const char *option) {
    uint64_t key;
    if (strcmp(option, "none") == 0)
        return true;
    if (lgr_saved_order_path(option) != NULL)
        return open_saved(order, lgr_saved_order_path(option));
    long descriptor = lgr_handed_open(option, O_RDONLY, LGR_ORDER_SEALS, &key);
    if (descriptor < 0)
        return false;
    uint64_t size = size_of(descriptor);
    void *block = lgr_handed_map(descriptor, size, PROT_READ);
    lgp_close(descriptor);
    if (block == NULL)
        return false;
    if (size >= sizeof key && memcmp(block, &key, sizeof key) == 0)
        return read_or_forget(order, block, size);
    lgp_syscall(SYS_munmap, (long)block, (long)size, 0, 0, 0, 0);
    return false;
}

/* ---- questions ---- */

static bool is_module(const struct lgr_order *order, const struct lgr_order_module *module, const char *path,
                      const uint8_t *build_id, size_t build_id_length) {
    if (module->build_id_length != 0 && build_id_length != 0)
        return module->build_id_length == build_id_length &&
               memcmp(order->strings + module->build_id, build_id, build_id_length) == 0;
    return strcmp(order->strings + module->path, path) == 0;
}

uint32_t lgr_order_module_like(const struct lgr_order *order, const char *path, const uint8_t *build_id,
                               size_t build_id_length) {
    for (uint32_t i = 0; i < order->header->module_count; i++)
        if (is_module(order, &order->modules[i], path, build_id, build_id_length))
            return i + 1;
    return 0;
}

bool lgr_order_names_module(const struct lgr_order *order, const char *path) {
    for (uint32_t i = 0; i < order->header->module_count; i++)
        if (strcmp(order->strings + order->modules[i].path, path) == 0)
            return true;
    return false;
}

uint32_t lgr_order_class_at(const struct lgr_order *order, uint32_t module, enum lgr_order_what what,
                            uint64_t offset) {
    if (module == 0 || module > order->header->module_count)
        return 0;
    const struct lgr_order_module *in = &order->modules[module - 1];
    for (uint32_t i = in->first_range; i < in->first_range + in->range_count; i++) {
        const struct lgr_order_range *range = &order->ranges[i];
        if (range->what == (uint32_t)what && offset >= range->start && offset < range->end)
            return range->class_index + 1;
    }
    return 0;
}

bool lgr_order_is_before(const struct lgr_order *order, uint32_t first, uint32_t second) {
    uint32_t low = 0, high = order->header->before_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct lgr_order_before *pair = &order->befores[middle];
        if (pair->first == first && pair->second == second)
            return true;
        if (pair->first < first || (pair->first == first && pair->second < second))
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
