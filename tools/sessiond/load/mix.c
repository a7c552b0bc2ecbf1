#include "mix.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 1;

void mix_seed(unsigned seed) { state = seed * 2862933555777941757ULL + 3037000493ULL; }

unsigned mix_random(unsigned below) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)((state >> 33) % below);
}

/* With or without a body (NULL). */
static size_t write_request(char text[REQUEST_ROOM], const char *method, const char *path, const char *token,
                            const char *body) {
    int length =
        snprintf(text, REQUEST_ROOM, "%s %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n",
                 method, path, token);
    if (body != NULL)
        length +=
            snprintf(text + length, REQUEST_ROOM - (size_t)length,
                     "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
    else
        length += snprintf(text + length, REQUEST_ROOM - (size_t)length, "\r\n");
    return (size_t)length;
}

/* How often in a hundred, and what. */
static const struct {
    unsigned percent;
    const char *body;
} operations[] = {
    {30, "{\"operation\":\"send\",\"text\":\"the quick brown fox\"}"},
    {10, "{\"operation\":\"scrape\",\"from\":0,\"pages\":2}"},
    {12, "{\"operation\":\"search\",\"query\":\"fox\",\"limit\":5}"},
    {14, "{\"operation\":\"score\",\"text\":\"what a fine day\"}"},
    {10, "{\"operation\":\"digest\",\"rounds\":1}"},
    {10, "{\"operation\":\"broadcast\",\"text\":\"hello\"}"},
    {12, "{\"operation\":\"enqueue\",\"text\":\"a note\"}"},
    {2, "{\"operation\":\"archive\",\"name\":\"today\"}"},
};

static const char *operation(void) {
    unsigned at = mix_random(100);
    size_t which = 0;
    while (at >= operations[which].percent)
        at -= operations[which++].percent;
    return operations[which].body;
}

/* Mistakes that clients make, each with an answer of 4xx. */
static size_t mistake(const char *token, char text[REQUEST_ROOM]) {
    switch (mix_random(5)) {
    case 0:
        return write_request(text, "GET", "/api/v1/sessions", "this-is-nobodys-token", NULL);
    case 1:
        return write_request(text, "GET", "/api/v1/sessions/999999999", token, NULL);
    case 2:
        return write_request(text, "POST", "/api/v1/sessions", token, "{\"port\":\"no number\"}");
    case 3:
        return write_request(text, "PUT", "/api/v1/sessions", token, NULL);
    default:
        return write_request(text, "GET", "/nowhere", token, NULL);
    }
}

static size_t looking(const char *token, const struct user *user, char text[REQUEST_ROOM]) {
    char path[128];
    unsigned at = mix_random(100);
    if (at < 40)
        snprintf(path, sizeof path, "/api/v1/sessions/%llu", user->session);
    else if (at < 70 && user->task != 0)
        snprintf(path, sizeof path, "/api/v1/tasks/%llu", user->task);
    else
        snprintf(path, sizeof path, "%s",
                 at < 82   ? "/api/v1/sessions"
                 : at < 94 ? "/api/v1/me/metrics"
                 : at < 98 ? "/health"
                 : at < 99 ? "/health/tasks"
                           : "/metrics");
    return write_request(text, "GET", path, token, NULL);
}

size_t mix_request(const struct options *options, size_t number, struct user *user, char text[REQUEST_ROOM],
                   enum asked *asked) {
    const char *token = options->tokens[number];
    char path[128];
    *asked = ASKED_OTHER;
    if (user->session == 0 && !user->opening) {
        *asked = ASKED_SESSION;
        user->opening = true;
        return write_request(text, "POST", "/api/v1/sessions", token, "{\"name\":\"load\"}");
    }
    if (user->session == 0 || mix_random(100) == 0)
        return mistake(token, text);
    if ((int)mix_random(100) >= options->operations_percent)
        return looking(token, user, text);
    *asked = ASKED_OPERATION;
    snprintf(path, sizeof path, "/api/v1/sessions/%llu/operations", user->session);
    return write_request(text, "POST", path, token, operation());
}

size_t mix_subscription(const struct options *options, size_t number, char text[REQUEST_ROOM]) {
    return write_request(text, "GET", "/api/v1/events", options->tokens[number], NULL);
}

static unsigned long long number_after(const char *body, const char *name) {
    const char *at = strstr(body, name);
    return at == NULL ? 0 : strtoull(at + strlen(name), NULL, 10);
}

void mix_learn(struct user *user, enum asked asked, int status, const char *body) {
    if (asked == ASKED_SESSION) {
        user->opening = false;
        if (status == 201)
            user->session = number_after(body, "\"id\":");
    }
    if (asked == ASKED_OPERATION && status == 202)
        user->task = number_after(body, "\"task\":");
    if (asked == ASKED_OPERATION && status == 404)
        user->session = 0;
}
