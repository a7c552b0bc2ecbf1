#include "source.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

#define LONGEST_LINE 160

/* Only regular files: the name comes from the observed program, and opening a
 * pipe or a device of its choice could block or act. */
static FILE *open_source(const char *file) {
    int descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    if (descriptor < 0)
        return NULL;
    FILE *stream =
        fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) ? fdopen(descriptor, "r") : NULL;
    if (!stream)
        close(descriptor);
    return stream;
}

static const char *tidy_line(struct pool *pool, char *line) {
    line[strcspn(line, "\r\n")] = 0;
    if (strlen(line) > LONGEST_LINE)
        memcpy(line + LONGEST_LINE - 3, "...", 4);
    struct text wide = {0};
    for (; *line; line++)
        text_add_n(&wide, *line == '\t' ? "    " : line, *line == '\t' ? 4 : 1);
    const char *result = text_clean(pool, text_string(&wide));
    text_free(&wide);
    return result;
}

struct excerpt source_excerpt(struct pool *pool, const char *file, unsigned line) {
    struct excerpt result = {.first = line > 1 ? line - 1 : 1};
    FILE *stream = file && line ? open_source(file) : NULL;
    if (!stream)
        return result;
    char *buffer = NULL;
    size_t size = 0;
    for (unsigned number = 1; number <= line + 1 && getline(&buffer, &size, stream) >= 0; number++)
        if (number >= result.first)
            result.lines[result.count++] = tidy_line(pool, buffer);
    free(buffer);
    fclose(stream);
    if (result.count <= line - result.first)
        result.count = 0; /* shorter than it was: another version of the file */
    return result;
}
