#include "http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "clock.h"
#include "stream.h"

enum { MOST_BODY = 1 << 20, MOST_HEAD = 16 << 10, PORT = 80 };

struct url {
    char host[256], path[256];
    int port;
};

static bool parse_port(const char *at, size_t length, int *port) {
    char digits[8];
    int64_t number;
    if (length >= sizeof digits)
        return false;
    sd_copy(digits, length + 1, at);
    if (!sd_parse_number(digits, 1, 65535, &number))
        return false;
    *port = (int)number;
    return true;
}

static bool parse(const char *text, struct url *url) {
    static const char scheme[] = "http://";
    if (strncmp(text, scheme, sizeof scheme - 1) != 0)
        return false;
    const char *host = text + sizeof scheme - 1;
    size_t length = strcspn(host, ":/"), authority = strcspn(host, "/");
    if (length == 0 || length >= sizeof url->host || strlen(host + authority) >= sizeof url->path ||
        strpbrk(host, "@?# \t\r\n") != NULL)
        return false;
    sd_copy(url->host, length + 1, host);
    sd_copy(url->path, sizeof url->path, host[authority] == 0 ? "/" : host + authority);
    url->port = PORT;
    return length == authority || parse_port(host + length + 1, authority - length - 1, &url->port);
}

static bool bad(struct sd_error *error, const char *why) {
    return sd_fail_busy(error, "bad_answer", 1, "the service behind a URL answered badly: %s", why);
}

/* Of the head, ended by a zero; what follows the name and its colon, or NULL. */
static const char *header(const char *head, const char *name) {
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " \t");
    }
    return NULL;
}

/* One connection a request: its end is the end of the answer, whatever the head says. */
static bool read_all(int fd, struct sd_text *all, int64_t until_ms, const struct sd_cancel *cancel,
                     struct sd_error *error) {
    char bytes[4096];
    long got;
    while ((got = sd_stream_read(fd, bytes, sizeof bytes, until_ms, cancel, error)) > 0) {
        sd_text_add_bytes(all, bytes, (size_t)got);
        if (all->length > MOST_BODY + MOST_HEAD)
            return bad(error, "it is too long");
    }
    if (got < 0)
        return false;
    return !all->failed || sd_fail_busy(error, "no_memory", 1, "no memory for an answer");
}

/* Chunks as HTTP/1.1 servers may send them: each its length in hexadecimal, a line end,
 * the bytes, a line end; a length of 0 ends it. */
static bool add_chunks(const char *at, const char *end, struct sd_text *answer) {
    for (;;) {
        char *after;
        unsigned long length = strtoul(at, &after, 16);
        const char *bytes = strstr(after, "\r\n");
        if (after == at || bytes == NULL)
            return false;
        if (length == 0)
            return true;
        bytes += 2;
        if (length > (size_t)(end - bytes) || (size_t)(end - bytes) - length < 2)
            return false;
        sd_text_add_bytes(answer, bytes, length);
        at = bytes + length + 2;
    }
}

static bool take_body(const struct sd_text *all, const char *head, size_t head_length, struct sd_text *answer,
                      struct sd_error *error) {
    const char *body = all->bytes + head_length, *coding = header(head, "Transfer-Encoding");
    size_t length = all->length - head_length;
    const char *told = header(head, "Content-Length");
    if (coding != NULL && strncasecmp(coding, "chunked", 7) == 0)
        return add_chunks(body, body + length, answer) || bad(error, "its chunks are damaged");
    if (told != NULL && strtoul(told, NULL, 10) > length)
        return bad(error, "it was cut off");
    sd_text_add_bytes(answer, body, told == NULL ? length : strtoul(told, NULL, 10));
    return true;
}

static bool take_answer(const struct sd_text *all, struct sd_text *answer, struct sd_error *error) {
    const char *end = all->bytes == NULL ? NULL : strstr(all->bytes, "\r\n\r\n");
    int status = 0;
    if (end == NULL || sscanf(all->bytes, "HTTP/1.%*1[01] %3d", &status) != 1)
        return bad(error, "it is no HTTP");
    if (status < 200 || status > 299) {
        char why[32];
        snprintf(why, sizeof why, "status %d", status);
        return bad(error, why);
    }
    size_t length = (size_t)(end - all->bytes);
    char *head = strndup(all->bytes, length);
    if (head == NULL)
        return sd_fail_busy(error, "no_memory", 1, "no memory for an answer");
    bool taken = take_body(all, head, length + 4, answer, error);
    free(head);
    return taken;
}

static bool ask(int fd, const struct url *url, const char *json, int64_t until_ms,
                const struct sd_cancel *cancel, struct sd_text *all, struct sd_error *error) {
    struct sd_text request = {0};
    sd_text_format(&request,
                   "POST %s HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: application/json\r\n"
                   "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                   url->path, url->host, url->port, strlen(json), json);
    bool asked = !request.failed || sd_fail_busy(error, "no_memory", 1, "no memory for a request");
    asked = asked && sd_stream_write(fd, request.bytes, request.length, until_ms, cancel, error);
    sd_text_free(&request);
    return asked && read_all(fd, all, until_ms, cancel, error);
}

bool sd_http_post(const char *url, const char *json, int32_t limit_ms, const struct sd_cancel *cancel,
                  struct sd_text *answer, struct sd_error *error) {
    int64_t until_ms = sd_now_ms() + limit_ms;
    struct url parsed;
    struct sd_text all = {0};
    if (!parse(url, &parsed))
        return sd_fail(error, 500, "bad_url", "%s is no http URL", url);
    int fd = sd_stream_connect(parsed.host, parsed.port, until_ms, cancel, error);
    if (fd < 0)
        return false;
    bool done = ask(fd, &parsed, json, until_ms, cancel, &all, error) && take_answer(&all, answer, error);
    close(fd);
    sd_text_free(&all);
    return done;
}
