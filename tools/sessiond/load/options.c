#include "options.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t offset;
    int least, most, standard;
    const char *help;
} numbers[] = {
    {"--port", offsetof(struct options, port), 1, 65535, 8470, "of the service"},
    {"--seconds", offsetof(struct options, seconds), 1, 1000000, 20, "how long"},
    {"--rate", offsetof(struct options, rate), 1, 1000000, 1200, "requests a second"},
    {"--connections", offsetof(struct options, connections), 1, 10000, 100, "kept open"},
    {"--kills", offsetof(struct options, kills_percent), 0, 100, 1,
     "percent of requests cut off by their client"},
    {"--slow", offsetof(struct options, slow), 0, 1000, 4, "clients that send a few bytes at a time"},
    {"--subscribers", offsetof(struct options, subscribers), 0, 1000, 10, "that read events"},
    {"--deaf", offsetof(struct options, deaf), 0, 1000, 2, "subscribers that never read"},
    {"--abandoned", offsetof(struct options, abandoned_per_second), 0, 10000, 10,
     "subscribers a second that leave"},
    {"--greedy", offsetof(struct options, greedy), 0, 1000, 1, "users that ask for more than they may"},
    {"--operations", offsetof(struct options, operations_percent), 0, 100, 8,
     "percent of requests that start tasks"},
    {"--pid", offsetof(struct options, pid), 0, 1 << 30, 0,
     "of the service: its CPU time and memory are told"},
    {"--seed", offsetof(struct options, seed), 0, 1 << 30, 1, "of what is chosen at random"},
};
enum { NUMBERS = sizeof numbers / sizeof numbers[0] };

static bool wrong(const char *what, const char *cure) {
    fprintf(stderr, "sessiond-load: %s: %s\n", what, cure);
    return false;
}

static void help(void) {
    puts("usage: sessiond-load --config FILE [--host ADDRESS] [--json FILE] [--NUMBER N]...\n\n"
         "The users are those of the service's configuration file: user = NAME:TOKEN\n");
    for (size_t i = 0; i < NUMBERS; i++)
        printf("  %-14s %s (%d)\n", numbers[i].name, numbers[i].help, numbers[i].standard);
}

/* `user = NAME:TOKEN` lines. */
static bool read_tokens(struct options *options, const char *path) {
    char line[1024], token[TOKEN_ROOM];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return wrong(path, "give --config a file that can be read");
    while (options->token_count < MOST_TOKENS && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, " user = %*[^:]:%127s", token) == 1)
            memcpy(options->tokens[options->token_count++], token, sizeof token);
    fclose(file);
    return options->token_count > 0 || wrong(path, "it has no line user = NAME:TOKEN");
}

static bool read_number(struct options *options, size_t which, const char *value) {
    char *end;
    long number = strtol(value, &end, 10);
    if (*value == 0 || *end != 0 || number < numbers[which].least || number > numbers[which].most)
        return wrong(numbers[which].name, "give a number in its limits; --help");
    *(int *)((char *)options + numbers[which].offset) = (int)number;
    return true;
}

static bool read_option(struct options *options, const char *name, const char *value) {
    if (value == NULL)
        return wrong(name, "give a value after it");
    if (strcmp(name, "--config") == 0)
        return read_tokens(options, value);
    if (strcmp(name, "--host") == 0)
        return options->host = value, true;
    if (strcmp(name, "--json") == 0)
        return options->json = value, true;
    for (size_t i = 0; i < NUMBERS; i++)
        if (strcmp(name, numbers[i].name) == 0)
            return read_number(options, i, value);
    return wrong(name, "there is no such option; --help");
}

bool options_read(struct options *options, int count, char **arguments) {
    memset(options, 0, sizeof *options);
    options->host = "127.0.0.1";
    for (size_t i = 0; i < NUMBERS; i++)
        *(int *)((char *)options + numbers[i].offset) = numbers[i].standard;
    for (int i = 1; i < count; i += 2) {
        if (strcmp(arguments[i], "--help") == 0) {
            help();
            exit(0);
        }
        if (!read_option(options, arguments[i], i + 1 < count ? arguments[i + 1] : NULL))
            return false;
    }
    return options->token_count > 0 ||
           wrong("--config", "name the service's configuration, which has its users");
}
