/* Order files from disk, with what they include. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "file_text.h"
#include "order_file.h"

/* Files that include each other; `outer` is the one with the include line. */
struct nest {
    const char *real;
    const struct nest *outer;
};

static bool is_open(const struct nest *nest, const char *real) {
    for (; nest; nest = nest->outer)
        if (strcmp(nest->real, real) == 0)
            return true;
    return false;
}

static void add_file(struct order_source *source, const char *real) {
    struct order *order = source->order;
    const char **files = pool_array(source->pool, order->file_count + 1, sizeof *files);
    if (order->file_count)
        memcpy(files, order->files, order->file_count * sizeof *files);
    files[order->file_count++] = real;
    order->files = files;
}

static bool was_read(const struct order *order, const char *real) {
    for (size_t i = 0; i < order->file_count; i++)
        if (strcmp(order->files[i], real) == 0)
            return true;
    return false;
}

/* Relative to the file that names it. */
static const char *beside(struct pool *pool, const char *from, const char *file) {
    const char *slash = strrchr(from, '/');
    if (file[0] == '/' || !slash)
        return file;
    return pool_printf(pool, "%.*s/%s", (int)(slash - from), from, file);
}

static void include(struct order_source *from, const char *file, const struct order_place *place);

/* False with errno set: it cannot be read. */
static bool read_file(struct order_source *outer, const char *path, const char *real,
                      const struct nest *nest) {
    struct text content = {0};
    bool read = file_text(path, &content);
    if (read) {
        struct nest here = {real, nest};
        struct order_source source = *outer;
        source.file = text_clean(outer->pool, path);
        source.include = include;
        source.context = &here;
        add_file(outer, real);
        order_parse(&source, text_string(&content), content.length);
        outer->wrong = source.wrong;
    }
    int error = errno;
    text_free(&content);
    errno = error;
    return read;
}

static void include(struct order_source *from, const char *file, const struct order_place *place) {
    const char *path = beside(from->pool, from->file, file), *shown = text_clean(from->pool, path);
    char *real = realpath(path, NULL);
    const char *kept = real ? pool_string(from->pool, real) : NULL;
    int error = errno;
    free(real);
    errno = error;
    if (kept && is_open(from->context, kept))
        order_mistake(from, place, "%s includes itself this way; drop the line", shown);
    else if (!kept || (!was_read(from->order, kept) && !read_file(from, path, kept, from->context)))
        order_mistake(from, place, "%s: %s; name a file that can be read, from where this one lies", shown,
                      strerror(errno));
}

static void complain_of(const struct text *errors) {
    const char *line = text_string(errors);
    for (const char *end; (end = strchr(line, '\n')); line = end + 1)
        complain("%.*s", (int)(end - line), line);
}

static bool cannot_read(const char *file) {
    complain("%s: %s; give --order a file that can be read", file, strerror(errno));
    return false;
}

static bool load(struct pool *pool, struct order *order, const char *file) {
    struct text errors = {0};
    struct order_source source = {.pool = pool, .order = order, .file = file, .errors = &errors};
    char *real = realpath(file, NULL);
    bool read = real && read_file(&source, file, pool_string(pool, real), NULL);
    bool right = read ? order_settle(&source) : cannot_read(file);
    free(real);
    complain_of(&errors);
    if (source.wrong > ORDER_MISTAKES)
        complain("%s: and %zu more mistakes", file, source.wrong - ORDER_MISTAKES);
    text_free(&errors);
    return right;
}

bool order_load(struct pool *pool, struct order *order, const char *file) {
    if (!file && access(DEFAULT_ORDER, F_OK) != 0)
        return true;
    return load(pool, order, file ? file : DEFAULT_ORDER);
}
