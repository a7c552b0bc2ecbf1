#include "output.h"

#include <stdio.h>

bool output_write(const struct text *text, const char *file, const char *mode) {
    FILE *stream = file ? fopen(file, mode) : stdout;
    bool written = stream && fwrite(text_string(text), 1, text->length, stream) == text->length;
    if (stream && (file ? fclose(stream) : fflush(stream)) != 0)
        written = false;
    return written;
}
