#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "file_text.h"
#include "suppress.h"

static bool cannot_read(const char *file) {
    complain("%s: %s; give --suppressions a file that can be read", file, strerror(errno));
    return false;
}

/* Each line of `errors` becomes a complaint. */
static void complain_of(const struct text *errors) {
    const char *line = text_string(errors);
    for (const char *end; (end = strchr(line, '\n')); line = end + 1)
        complain("%.*s", (int)(end - line), line);
}

static bool load(struct pool *pool, struct suppressions *suppressions, const char *file) {
    struct text content = {0}, errors = {0};
    bool right = file_text(file, &content);
    if (!right)
        cannot_read(file);
    else
        right = suppressions_parse(pool, suppressions, file, text_string(&content), content.length, &errors);
    complain_of(&errors);
    text_free(&errors);
    text_free(&content);
    return right;
}

bool suppressions_load(struct pool *pool, struct suppressions *suppressions, const char *const *files,
                       size_t count) {
    if (count == 0)
        return access(DEFAULT_SUPPRESSIONS, F_OK) != 0 || load(pool, suppressions, DEFAULT_SUPPRESSIONS);
    for (size_t i = 0; i < count; i++)
        if (!load(pool, suppressions, files[i]))
            return false;
    return true;
}
