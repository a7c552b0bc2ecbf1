/* Which request comes next: a mix of what users do, some of it wrong. */
#ifndef SD_LOAD_MIX_H
#define SD_LOAD_MIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"

enum { REQUEST_ROOM = 1024 };

/* What a user's answers told. */
struct user {
    unsigned long long session; /* 0: none yet */
    unsigned long long task;
    bool opening;
};

enum asked { ASKED_OTHER, ASKED_SESSION, ASKED_OPERATION };

/* A number below `below`, the next of the sequence. */
unsigned mix_random(unsigned below);
void mix_seed(unsigned seed);
/* The request's bytes, of that user; what its answer will tell is `asked`. */
size_t mix_request(const struct options *options, size_t number, struct user *user, char text[REQUEST_ROOM],
                   enum asked *asked);
/* A subscription to events. */
size_t mix_subscription(const struct options *options, size_t number, char text[REQUEST_ROOM]);
/* Learns what the answer tells. */
void mix_learn(struct user *user, enum asked asked, int status, const char *body);

#endif
