#include "file_text.h"

#include <errno.h>
#include <stdio.h>

#define LARGEST_FILE ((size_t)16 << 20)

static bool read_all(FILE *stream, struct text *content) {
    char block[16384];
    size_t length;
    while ((length = fread(block, 1, sizeof block, stream)) > 0) {
        text_add_n(content, block, length);
        if (content->length > LARGEST_FILE) {
            errno = EFBIG;
            return false;
        }
    }
    return !ferror(stream);
}

bool file_text(const char *path, struct text *content) {
    FILE *stream = fopen(path, "re");
    if (!stream)
        return false;
    bool read = read_all(stream, content);
    int error = errno;
    fclose(stream);
    errno = error;
    return read;
}
