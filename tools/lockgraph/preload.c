#include "preload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbols.h"

static const char *own_directory(struct pool *pool) {
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0)
        return "/usr/bin";
    path[length] = 0;
    char *slash = strrchr(path, '/');
    *slash = 0;
    return pool_string(pool, path);
}

/* The loader splits LD_PRELOAD at these. */
static bool usable_name(const char *path) { return strpbrk(path, ": \t\n") == NULL; }

static const char *checked(struct pool *pool, const char *path, const char **error) {
    char *absolute = realpath(path, NULL);
    const char *result = NULL;
    if (!absolute || access(absolute, R_OK) != 0)
        *error = pool_printf(pool, "the runtime %s cannot be read: %s", path, strerror(errno));
    else if (!usable_name(absolute))
        *error = pool_printf(pool,
                             "the runtime's path \"%s\" has a space or a colon in it, which LD_PRELOAD "
                             "cannot carry",
                             absolute);
    else
        result = pool_string(pool, absolute);
    free(absolute);
    return result;
}

const char *find_runtime(struct pool *pool, const char **error) {
    static const char *const places[] = {
        "../lib/liblockgraph.so.0", "../lib/liblockgraph.so", "../lib/lockgraph/liblockgraph.so",
        "../lib/x86_64-linux-gnu/liblockgraph.so.0", "../lib/aarch64-linux-gnu/liblockgraph.so.0"};
    const char *given = getenv("LOCKGRAPH_LIBRARY"), *directory = own_directory(pool);
    if (given && given[0])
        return checked(pool, given, error);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *path = pool_printf(pool, "%s/%s", directory, places[i]);
        if (access(path, R_OK) == 0)
            return checked(pool, path, error);
    }
    *error = pool_printf(pool, "liblockgraph.so is not in %s/../lib; name it with LOCKGRAPH_LIBRARY=PATH",
                         directory);
    return NULL;
}

/* ---- LD_PRELOAD ---- */

static bool is_sanitizer(const char *entry) {
    static const char *const names[] = {"libasan.", "libtsan.",   "libubsan.",
                                        "liblsan.", "libhwasan.", "libclang_rt."};
    const char *name = base_name(entry);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static const char *joined(struct pool *pool, const char *list, const char *entry) {
    return list[0] ? pool_printf(pool, "%s:%s", list, entry) : entry;
}

const char *preload_value(struct pool *pool, const char *runtime, const char *existing,
                          const char *sanitizer) {
    const char *first = "", *rest = "";
    char *copy = pool_string(pool, existing ? existing : ""), *next = NULL;
    bool present = false;
    for (char *entry = strtok_r(copy, ": \t\n", &next); entry; entry = strtok_r(NULL, ": \t\n", &next)) {
        if (strcmp(entry, runtime) == 0)
            continue;
        present |= sanitizer && strcmp(base_name(entry), sanitizer) == 0;
        if (is_sanitizer(entry))
            first = joined(pool, first, entry);
        else
            rest = joined(pool, rest, entry);
    }
    if (sanitizer && !present)
        first = joined(pool, first, sanitizer);
    const char *value = joined(pool, first, runtime);
    return rest[0] ? joined(pool, value, rest) : value;
}

/* ---- LOCKGRAPH_OPTIONS ---- */

static bool add_options(struct pool *pool, const char *text, const char *source, struct lgp_options *options,
                        const char **error) {
    char buffer[512] = "";
    struct lgp_text sentence = {buffer, sizeof buffer, 0};
    if (lgp_options_parse(options, text, &sentence))
        return true;
    *error = pool_printf(pool, "%s%s", source, buffer);
    return false;
}

bool gather_options(struct pool *pool, const char *const *given, size_t count, struct lgp_options *options,
                    const char **error) {
    lgp_options_defaults(options);
    const char *environment = getenv(LGP_OPTIONS_VARIABLE);
    if (environment && !add_options(pool, environment, "", options, error))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!add_options(pool, given[i], "-O: ", options, error))
            return false;
    return true;
}

const char *options_value(struct pool *pool, const struct lgp_options *options) {
    char *buffer = pool_alloc(pool, LGP_OPTIONS_TEXT_SIZE);
    struct lgp_text text = {buffer, LGP_OPTIONS_TEXT_SIZE, 0};
    lgp_options_effective(options, &text);
    return buffer;
}
