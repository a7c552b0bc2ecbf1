#include "sarif_places.h"

#include <ctype.h>
#include <string.h>

#include "json_parts.h"
#include "stacks.h"

/* RFC 3986: all but what is unreserved, and the slashes. */
static const char *percent_encoded(struct pool *pool, const char *path) {
    char *encoded = pool_alloc(pool, 3 * strlen(path) + 1), *end = encoded;
    static const char digits[] = "0123456789ABCDEF";
    for (; *path; path++) {
        unsigned char byte = (unsigned char)*path;
        if ((byte < 0x80 && isalnum(byte)) || strchr("-._~/+", byte)) {
            *end++ = (char)byte;
        } else {
            *end++ = '%';
            *end++ = digits[byte >> 4];
            *end++ = digits[byte & 15];
        }
    }
    return encoded;
}

/* Without "." and ".." where that can be: readers compare names as they are. */
static char *without_dots(struct pool *pool, const char *path) {
    char *clean = pool_alloc(pool, strlen(path) + 2), *end = clean, *rest = pool_string(pool, path);
    const char *part = strsep(&rest, "/");
    for (; part; part = strsep(&rest, "/")) {
        char *parent = end > clean ? memrchr(clean, '/', (size_t)(end - clean)) : NULL;
        bool up = strcmp(part, "..") == 0;
        if (up && parent && strcmp(parent, "/..") != 0)
            end = parent;
        else if (strcmp(part, ".") != 0 && part[0])
            end = stpcpy(stpcpy(end, "/"), part);
        *end = 0;
    }
    return path[0] == '/' || !*clean ? clean : clean + 1;
}

/* What follows the root; NULL: it is not below. */
static const char *below(const char *path, const char *root) {
    size_t length = root ? strlen(root) : 0;
    while (length && root[length - 1] == '/')
        length--;
    if (!root || strncmp(path, root, length) != 0 || path[length] != '/')
        return NULL;
    return path + length + 1;
}

static bool goes_up(const char *path) { return strncmp(path, "../", 3) == 0 || strstr(path, "/../") != NULL; }

/* A name without a directory was relative to where it was compiled, which is not known:
 * most often the root. */
static json_t *artifact(struct pool *pool, const char *path, const char *source_root) {
    path = without_dots(pool, path);
    const char *name = path[0] == '/' ? below(path, source_root) : path;
    if (name && !goes_up(name))
        return json_packed("{s:s, s:s}", "uri", percent_encoded(pool, name), "uriBaseId", SARIF_ROOT);
    if (path[0] == '/')
        return json_packed("{s:o}", "uri", json_sprintf("file://%s", percent_encoded(pool, path)));
    return json_packed("{s:s}", "uri", percent_encoded(pool, path));
}

static json_t *physical(struct pool *pool, const struct code_frame *frame, const char *source_root) {
    if (frame->file && frame->line)
        return json_packed("{s:o, s:{s:i}}", "artifactLocation", artifact(pool, frame->file, source_root),
                           "region", "startLine", (int)frame->line);
    if (frame->module)
        return json_packed("{s:o}", "artifactLocation", artifact(pool, frame->module, NULL));
    return NULL;
}

static json_t *logical(struct pool *pool, const struct code_frame *frame) {
    if (frame->function)
        return json_packed("[{s:s, s:s}]", "fullyQualifiedName", frame->function, "kind", "function");
    return json_packed("[{s:s}]", "fullyQualifiedName", frame_short(pool, frame));
}

json_t *sarif_location(struct pool *pool, const struct code_frame *frame, const char *source_root,
                       const char *text) {
    json_t *location = json_object();
    if (frame) {
        json_t *place = physical(pool, frame, source_root);
        if (place)
            json_object_set_new(location, "physicalLocation", place);
        json_object_set_new(location, "logicalLocations", logical(pool, frame));
    }
    if (text)
        json_object_set_new(location, "message", json_packed("{s:s}", "text", text));
    return location;
}
