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
    struct object *object; /* of which this is the first; NULL: of none */
    const char *unread;    /* it may be one of that path, and was just going; else NULL */
};

/* What is needed of an object: its first page as far as the end of the program headers. */
struct object {
    const char *path;
    uint8_t build_id[LGP_BUILD_ID];
    size_t build_id_length;
    size_t size;
    _Alignas(16) uint8_t headers[];
};

struct path {
    struct path *next;
    char text[];
};

/* All guarded by the lock.  Paths are never freed: callers may still look; so only those of
 * objects are kept, which are few. */
static struct {
    struct lgp_lock lock;
    struct mapping *mappings;
    size_t count, room;
    struct path *paths;
    const char *main_path;
    uintptr_t kernel_data;
    _Alignas(16) uint8_t page[4096]; /* the first of the object that is read */
} maps;

/* --- objects --- */

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

static bool read_page(uintptr_t start) {
    return lgp_read_safely(maps.page, (const void *)start, sizeof maps.page);
}

/* The first page has been read.  NULL: none begins there, or no memory is left. */
static struct object *describe_object(uintptr_t start, uintptr_t end, const char *path) {
    size_t count;
    const ElfW(Phdr) *headers = lgp_image_headers(maps.page, &count);
    size_t size = headers == NULL ? 0 : (size_t)((const uint8_t *)(headers + count) - maps.page);
    struct object *object = headers == NULL ? NULL : lgp_alloc(sizeof *object + size);
    if (object == NULL)
        return NULL;
    object->path = intern_path(path, strlen(path));
    object->size = size;
    memcpy(object->headers, maps.page, size);
    object->build_id_length = lgp_image_build_id(maps.page, start, end, lgp_read_safely, object->build_id);
    return object;
}

static void read_object(struct mapping *mapping, const char *path) {
    bool read = read_page(mapping->start);
    mapping->object = read ? describe_object(mapping->start, mapping->end, path) : NULL;
    mapping->unread = read ? NULL : intern_path(path, strlen(path));
}

static void forget_object(struct object *object) {
    if (object != NULL)
        lgp_free(object, sizeof *object + object->size);
}

/* --- reading the text --- */

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

/* "start-end rwxp offset device inode   path" */
struct line {
    uintptr_t start, end;
    bool readable, private; /* as all that loaders map */
    uint64_t offset;
    const char *path; /* "" for what has no name */
};

static struct line read_line(const char *text) {
    struct line line;
    text = read_hexadecimal(text, &line.start);
    text = skip_field(read_hexadecimal(text + (*text == '-'), &line.end));
    line.readable = *text == 'r';
    line.private = memchr(text, 'p', strcspn(text, " ")) != NULL;
    text = read_hexadecimal(skip_field(text), &line.offset);
    line.path = skip_field(skip_field(skip_field(text)));
    return line;
}

static bool have_room(void) {
    if (maps.count < maps.room)
        return true;
    size_t room = maps.room == 0 ? 256 : maps.room * 2;
    void *grown =
        lgp_resize(maps.mappings, maps.room * sizeof(*maps.mappings), room * sizeof(*maps.mappings));
    if (grown == NULL)
        return false;
    maps.mappings = grown;
    maps.room = room;
    return true;
}

/* False: no further line is wanted. */
typedef bool line_taker(const struct line *line);

/* All objects are read, whichever is asked for: a program may confine itself before the next is. */
static bool add_mapping(const struct line *line) {
    if (!have_room())
        return false;
    struct mapping *mapping = &maps.mappings[maps.count++];
    *mapping = (struct mapping){.start = line->start, .end = line->end};
    if (*line->path == '/' && line->offset == 0 && line->readable && line->private)
        read_object(mapping, line->path);
    return true;
}

static bool note_kernel_data(const struct line *line) {
    if (strcmp(line->path, "[vvar]") != 0)
        return true;
    maps.kernel_data = line->start;
    return false;
}

static void forget_mappings(void) {
    while (maps.count > 0)
        forget_object(maps.mappings[--maps.count].object);
}

/* Takes the whole lines out of `buffer`; returns how many bytes are left of the
 * last, unfinished one, moved to the front; < 0: no more is wanted. */
static long take_lines(char *buffer, size_t filled, line_taker *take) {
    char *text = buffer, *end = buffer + filled, *newline;
    while ((newline = memchr(text, '\n', (size_t)(end - text))) != NULL) {
        *newline = '\0';
        struct line line = read_line(text);
        if (!take(&line))
            return -1;
        text = newline + 1;
    }
    memmove(buffer, text, (size_t)(end - text));
    return end - text;
}

enum { ROOM = 8192 };

static void read_lines(long descriptor, char *buffer, line_taker *take) {
    long filled = 0;
    while (filled >= 0 && filled < ROOM) {
        long got = lgp_syscall(SYS_read, descriptor, (long)(buffer + filled), ROOM - filled, 0, 0, 0);
        if (got == -EINTR)
            continue;
        if (got <= 0)
            break;
        filled = take_lines(buffer, (size_t)(filled + got), take);
    }
}

/* What was known stays known where there is no descriptor or memory left. */
static void read_maps(line_taker *take) {
    char *buffer = lgp_alloc(ROOM);
    long descriptor = lgp_open_maps();
    if (buffer != NULL && descriptor >= 0) {
        if (take == add_mapping)
            forget_mappings();
        read_lines(descriptor, buffer, take);
    }
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

static struct mapping *mapping_of(uintptr_t address) {
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

/* The headers of the object that begins there; NULL: none does, or none any more. */
static const void *headers_at(struct mapping *mapping, bool may_go) {
    if (mapping->unread != NULL)
        read_object(mapping, mapping->unread);
    if (mapping->object == NULL)
        return NULL;
    if (!may_go)
        return mapping->object->headers;
    return read_page(mapping->start) ? maps.page : NULL;
}

static void describe(const struct mapping *mapping, const struct lgp_image *image,
                     struct lgp_module *module) {
    const struct object *object = mapping->object;
    *module = (struct lgp_module){
        .start = mapping->start,
        .end = image->end,
        .bias = image->bias,
        .path = object->path == maps.main_path ? "" : object->path,
        .build_id_length = object->build_id_length,
    };
    memcpy(module->build_id, object->build_id, object->build_id_length);
}

/* The object's last pages may be anonymous (its zeroed data), so it is looked
 * for downwards: the nearest mapping of a file's first page whose header says
 * that the object reaches up to `address`.  The table may be older than an
 * unloading. */
static bool find_object(struct mapping *mapping, uintptr_t address, struct lgp_module *module, bool may_go) {
    struct lgp_image image;
    const void *headers;
    for (;; mapping--) {
        headers = headers_at(mapping, may_go);
        if (headers != NULL && lgp_image_read(headers, mapping->start, &image))
            break;
        if (mapping == maps.mappings)
            return false;
    }
    if (address >= image.end || !lgp_image_covers(headers, &image, address))
        return false;
    describe(mapping, &image, module);
    if (may_go) /* another one may be there */
        module->build_id_length =
            lgp_image_build_id(maps.page, mapping->start, mapping->end, lgp_read_safely, module->build_id);
    return true;
}

static bool find_locked(uintptr_t address, struct lgp_module *module, bool may_go) {
    if (maps.main_path == NULL)
        read_main_path();
    struct mapping *mapping = mapping_of(address);
    if (mapping == NULL) {
        read_maps(add_mapping);
        mapping = mapping_of(address);
    }
    return mapping != NULL && find_object(mapping, address, module, may_go);
}

bool lgp_maps_find(uintptr_t address, struct lgp_module *module, bool may_go) {
    lgp_lock(&maps.lock);
    bool found = find_locked(address, module, may_go);
    lgp_unlock(&maps.lock);
    return found;
}

uintptr_t lgp_maps_kernel_data(void) {
    lgp_lock(&maps.lock);
    read_maps(note_kernel_data);
    uintptr_t start = maps.kernel_data;
    lgp_unlock(&maps.lock);
    return start;
}

void lgp_maps_changed(void) {
    lgp_lock(&maps.lock);
    forget_mappings();
    lgp_unlock(&maps.lock);
}

/* What there was is given up, not freed: it may be half changed. */
void lgp_modules_after_fork(void) {
    struct lgp_part part = {&maps.lock, &maps, sizeof maps};
    if (!lgp_part_intact(&part))
        lgp_part_forget(&part);
}
