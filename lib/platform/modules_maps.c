#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

#include "platform/futex_lock.h"
#include "platform/memory.h"
#include "platform/modules_internal.h"
#include "platform/part.h"
#include "platform/safe_read.h"
#include "platform/system.h"

/* One line of /proc/self/maps.  Anonymous memory is kept, too, so that a heap
 * or stack address does not cause the file to be read again each time. */
struct mapping {
    uintptr_t start, end;
    bool readable;
    uint64_t offset;
    const char *path; /* "" for what is no file */
};

struct path {
    struct path *next;
    char text[];
};

/* All guarded by the lock.  Paths are never freed: callers may still look. */
static struct {
    struct lgp_lock lock;
    struct mapping *mappings;
    size_t count, room;
    struct path *paths;
    const char *main_path;
    uintptr_t kernel_data;
    _Alignas(16) uint8_t page[4096]; /* the first of the object that is looked at */
} maps;

/* --- reading the text --- */

static const char *intern_path(const char *text, size_t length) {
    for (struct path *known = maps.paths; known != NULL; known = known->next)
        if (strncmp(known->text, text, length) == 0 && known->text[length] == '\0')
            return known->text;
    struct path *added = lgp_alloc(sizeof(*added) + length + 1);
    if (added == NULL)
        return "";
    memcpy(added->text, text, length);
    added->next = maps.paths;
    maps.paths = added;
    return added->text;
}

static const char *read_hexadecimal(const char *text, uint64_t *value) {
    for (*value = 0;; text++) {
        unsigned digit = (unsigned char)*text;
        if (digit >= '0' && digit <= '9')
            digit -= '0';
        else if (digit >= 'a' && digit <= 'f')
            digit -= 'a' - 10;
        else
            return text;
        *value = *value << 4 | digit;
    }
}

static const char *skip_field(const char *text) {
    while (*text != ' ' && *text != '\0')
        text++;
    while (*text == ' ')
        text++;
    return text;
}

/* "start-end rwxp offset device inode   path", ended by a zero byte. */
static struct mapping read_line(const char *line) {
    struct mapping mapping = {.path = ""};
    uint64_t value;
    line = read_hexadecimal(line, &value);
    mapping.start = value;
    line = read_hexadecimal(line + (*line == '-'), &value);
    mapping.end = value;
    line = skip_field(line);
    mapping.readable = *line == 'r';
    line = skip_field(line);
    read_hexadecimal(line, &mapping.offset);
    line = skip_field(skip_field(skip_field(line)));
    if (*line == '/')
        mapping.path = intern_path(line, strlen(line));
    else if (strcmp(line, "[vvar]") == 0)
        maps.kernel_data = mapping.start;
    return mapping;
}

static bool add_mapping(const struct mapping *mapping) {
    if (maps.count == maps.room) {
        size_t room = maps.room == 0 ? 256 : maps.room * 2;
        void *grown =
            lgp_resize(maps.mappings, maps.room * sizeof(*maps.mappings), room * sizeof(*maps.mappings));
        if (grown == NULL)
            return false;
        maps.mappings = grown;
        maps.room = room;
    }
    maps.mappings[maps.count++] = *mapping;
    return true;
}

/* Takes the whole lines out of `buffer`; returns how many bytes are left of the
 * last, unfinished one, moved to the front. */
static size_t take_lines(char *buffer, size_t filled) {
    char *line = buffer, *end = buffer + filled, *newline;
    while ((newline = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        *newline = '\0';
        struct mapping mapping = read_line(line);
        if (!add_mapping(&mapping))
            return 0;
        line = newline + 1;
    }
    memmove(buffer, line, (size_t)(end - line));
    return (size_t)(end - line);
}

enum { ROOM = 8192 };

static void read_lines(long descriptor, char *buffer) {
    size_t filled = 0;
    maps.count = 0;
    while (filled < ROOM) {
        long got = lgp_syscall(SYS_read, descriptor, (long)(buffer + filled), (long)(ROOM - filled), 0, 0, 0);
        if (got == -EINTR)
            continue;
        if (got <= 0)
            break;
        filled = take_lines(buffer, filled + (size_t)got);
    }
}

/* What was known stays known where there is no descriptor or memory left. */
static void read_maps(void) {
    char *buffer = lgp_alloc(ROOM);
    long descriptor = lgp_open_maps();
    if (buffer != NULL && descriptor >= 0)
        read_lines(descriptor, buffer);
    if (descriptor >= 0)
        lgp_close(descriptor);
    lgp_free(buffer, ROOM);
}

static void read_main_path(void) {
    char buffer[1024];
    long length =
        lgp_syscall(SYS_readlinkat, AT_FDCWD, (long)"/proc/self/exe", (long)buffer, sizeof(buffer), 0, 0);
    maps.main_path = length > 0 ? intern_path(buffer, (size_t)length) : "";
}

/* --- looking up --- */

static const struct mapping *mapping_of(uintptr_t address) {
    size_t low = 0, high = maps.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (maps.mappings[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < maps.count && maps.mappings[low].start <= address ? &maps.mappings[low] : NULL;
}

/* The object's last pages may be anonymous (its zeroed data), so it is looked
 * for downwards: the nearest mapping of a file's first page whose header says
 * that the object reaches up to `address`.  The table may be older than an
 * unloading. */
static bool find_object(const struct mapping *mapping, uintptr_t address, struct lgp_module *module) {
    struct lgp_image image;
    for (;; mapping--) {
        if (*mapping->path != '\0' && mapping->offset == 0 && mapping->readable &&
            lgp_read_safely(maps.page, (const void *)mapping->start, sizeof maps.page) &&
            lgp_image_read(maps.page, mapping->start, &image))
            break;
        if (mapping == maps.mappings)
            return false;
    }
    if (address >= image.end || !lgp_image_covers(maps.page, &image, address))
        return false;
    *module = (struct lgp_module){
        .start = mapping->start,
        .end = image.end,
        .bias = image.bias,
        .path = mapping->path == maps.main_path ? "" : mapping->path,
    };
    module->build_id_length =
        lgp_image_build_id(maps.page, mapping->start, mapping->end, lgp_read_safely, module->build_id);
    return true;
}

static bool find_locked(uintptr_t address, struct lgp_module *module) {
    if (maps.main_path == NULL)
        read_main_path();
    const struct mapping *mapping = mapping_of(address);
    if (mapping == NULL) {
        read_maps();
        mapping = mapping_of(address);
    }
    return mapping != NULL && find_object(mapping, address, module);
}

bool lgp_maps_find(uintptr_t address, struct lgp_module *module) {
    lgp_lock(&maps.lock);
    bool found = find_locked(address, module);
    lgp_unlock(&maps.lock);
    return found;
}

uintptr_t lgp_maps_kernel_data(void) {
    lgp_lock(&maps.lock);
    read_maps();
    maps.count = 0; /* of now: other objects come there later */
    uintptr_t start = maps.kernel_data;
    lgp_unlock(&maps.lock);
    return start;
}

void lgp_maps_changed(void) {
    lgp_lock(&maps.lock);
    maps.count = 0;
    lgp_unlock(&maps.lock);
}

/* What there was is given up, not freed: it may be half changed. */
void lgp_modules_after_fork(void) {
    struct lgp_part part = {&maps.lock, &maps, sizeof maps};
    if (!lgp_part_intact(&part))
        lgp_part_forget(&part);
}
