#include "line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "stream.h"
#include "text.h"

struct sd_line {
    int fd;
    bool broken;
    size_t begin, end; /* of what was read and not yet asked for */
    char bytes[2 * SD_LINE];
};

struct sd_line *sd_line_connect(const char *host, int port, int32_t limit_ms, struct sd_cancel *cancel,
                                struct sd_error *error) {
    struct sd_line *line = calloc(1, sizeof *line);
    if (line == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for a connection");
        return NULL;
    }
    line->fd = sd_stream_connect(host, port, sd_now_ms() + limit_ms, cancel, error);
    if (line->fd >= 0)
        return line;
    free(line);
    return NULL;
}

void sd_line_close(struct sd_line *line) {
    if (line == NULL)
        return;
    close(line->fd);
    free(line);
}

bool sd_line_write(struct sd_line *line, const char *text, int32_t limit_ms, struct sd_cancel *cancel,
                   struct sd_error *error) {
    char bytes[SD_LINE + 1];
    int length = snprintf(bytes, sizeof bytes, "%s\n", text);
    if (length < 0 || (size_t)length >= sizeof bytes)
        return sd_fail_field(error, "text", "a line has at most %d bytes", SD_LINE - 1);
    line->broken = line->broken ||
                   !sd_stream_write(line->fd, bytes, (size_t)length, sd_now_ms() + limit_ms, cancel, error);
    return !line->broken;
}

/* A whole line out of what was read, or NULL. */
static char *next_line(struct sd_line *line) {
    char *at = line->bytes + line->begin;
    char *end = memchr(at, '\n', line->end - line->begin);
    if (end == NULL)
        return NULL;
    *end = 0;
    line->begin += (size_t)(end - at) + 1;
    return at;
}

static bool fill(struct sd_line *line, int64_t until_ms, struct sd_cancel *cancel, struct sd_error *error) {
    memmove(line->bytes, line->bytes + line->begin, line->end - line->begin);
    line->end -= line->begin;
    line->begin = 0;
    long got = sd_stream_read(line->fd, line->bytes + line->end, sizeof line->bytes - line->end, until_ms,
                              cancel, error);
    if (got > 0)
        line->end += (size_t)got;
    return got > 0 || (got == 0 && sd_fail_busy(error, "connection_lost", 1, "the peer closed it"));
}

bool sd_line_read(struct sd_line *line, char text[SD_LINE], int32_t limit_ms, struct sd_cancel *cancel,
                  struct sd_error *error) {
    int64_t until_ms = sd_now_ms() + limit_ms;
    char *found;
    while ((found = next_line(line)) == NULL && !line->broken) {
        if (line->end - line->begin >= SD_LINE)
            line->broken = !sd_fail_busy(error, "peer", 1, "the peer's line is too long");
        else
            line->broken = !fill(line, until_ms, cancel, error);
    }
    if (found == NULL)
        return false;
    sd_copy(text, SD_LINE, found);
    return true;
}

bool sd_line_wait(struct sd_line *line, int32_t ms, const struct sd_cancel *cancel) {
    return memchr(line->bytes + line->begin, '\n', line->end - line->begin) != NULL ||
           sd_stream_readable(line->fd, ms, cancel);
}

bool sd_line_ask(struct sd_line *line, const char *text, char answer[SD_LINE], int32_t limit_ms,
                 struct sd_cancel *cancel, struct sd_error *error) {
    if (!sd_line_write(line, text, limit_ms, cancel, error) ||
        !sd_line_read(line, answer, limit_ms, cancel, error))
        return false;
    return strncmp(answer, "ERROR", 5) != 0 || sd_fail(error, 503, "peer", "the peer says: %s", answer);
}

bool sd_line_broken(const struct sd_line *line) { return line->broken; }
void sd_line_break(struct sd_line *line) { line->broken = true; }
