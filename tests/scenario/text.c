/* Words, ranges and the other small text work of the parser. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

void *list_grow(void *at, size_t *count, size_t *room, size_t size) {
    if (*count == *room) {
        *room = *room ? 2 * *room : 8;
        at = realloc(at, *room * size);
        if (!at) {
            perror("scenario");
            exit(2);
        }
    }
    memset((char *)at + *count * size, 0, size);
    ++*count;
    return at;
}

char *text_copy(const char *text) {
    char *copy = strdup(text);
    if (!copy) {
        perror("scenario");
        exit(2);
    }
    return copy;
}

void parse_fail(const struct scenario *scenario, int line, const char *format, ...) {
    va_list arguments;
    fflush(stdout);
    fprintf(stderr, "%s:%d: ", scenario->file, line);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(2);
}

/* Splits `L12` into its stem length and its number; false without digits. */
static bool number_at_end(const char *word, size_t *stem, long *number) {
    size_t length = strlen(word);
    *stem = length;
    while (*stem > 0 && isdigit((unsigned char)word[*stem - 1])) {
        --*stem;
    }
    if (*stem == length) {
        return false;
    }
    *number = strtol(word + *stem, NULL, 10);
    return true;
}

/* L1..L4 is L1 L2 L3 L4, and L4..L1 the reverse. */
static bool split_range(const char *word, struct words *words) {
    char first[64], name[96];
    const char *dots = strstr(word, "..");
    size_t stem, last_stem;
    long from, to;
    if (!dots || (size_t)(dots - word) >= sizeof first) {
        return false;
    }
    memcpy(first, word, (size_t)(dots - word));
    first[dots - word] = '\0';
    if (!number_at_end(first, &stem, &from) || !number_at_end(dots + 2, &last_stem, &to) ||
        stem != last_stem || memcmp(first, dots + 2, stem) != 0) {
        return false;
    }
    for (long number = from;; number += from <= to ? 1 : -1) {
        snprintf(name, sizeof name, "%.*s%ld", (int)stem, first, number);
        *ADD(&words->list) = text_copy(name);
        if (number == to) {
            return true;
        }
    }
}

void words_split(const struct scenario *scenario, int line, const char *text, struct words *words) {
    char *copy = text_copy(text), *rest = copy, *word;
    while ((word = strsep(&rest, " \t"))) {
        if (*word == '\0') {
            continue;
        }
        if (!strstr(word, "..")) {
            *ADD(&words->list) = text_copy(word);
        } else if (!split_range(word, words)) {
            parse_fail(scenario, line, "'%s' is no range such as L1..L4", word);
        }
    }
    free(copy);
}

void words_free(struct words *words) {
    for (size_t i = 0; i < words->list.count; i++) {
        free(words->list.at[i]);
    }
    free(words->list.at);
    memset(words, 0, sizeof *words);
}
