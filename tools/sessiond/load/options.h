/* What sessiond-load is asked to do.  Set once, before anything else; no threads. */
#ifndef SD_LOAD_OPTIONS_H
#define SD_LOAD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum { MOST_TOKENS = 1000, TOKEN_ROOM = 128 };

struct options {
    const char *host;
    int port, seconds, rate, connections;
    int kills_percent;        /* of requests whose client goes away in the middle */
    int slow;                 /* clients that send and read a few bytes at a time */
    int subscribers;          /* that read their events */
    int deaf;                 /* subscribers that never read */
    int abandoned_per_second; /* subscribers that come and go without a word */
    int greedy;               /* users that ask for far more than they may */
    int operations_percent;   /* of requests that start a task */
    int pid;                  /* of the server, whose costs are told; 0: not */
    unsigned seed;
    const char *json; /* file for the figures; NULL: none */
    char tokens[MOST_TOKENS][TOKEN_ROOM];
    size_t token_count;
};

/* false: told on the standard error. */
bool options_read(struct options *options, int count, char **arguments);

#endif
