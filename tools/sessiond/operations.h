/* What a session can be asked to do: the request as validated from JSON, and which kind
 * of task and which slot it needs.  No locks. */
#ifndef SD_OPERATIONS_H
#define SD_OPERATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "error.h"
#include "tasks.h"

enum sd_operation_kind {
    SD_OP_SCRAPE,    /* {"from":N,"pages":N}: pages through the history, stores messages */
    SD_OP_SEND,      /* {"text":"…"}: posts a message */
    SD_OP_MONITOR,   /* {"seconds":N}: follows events, calls the session's handlers */
    SD_OP_SEARCH,    /* {"query":"…","limit":N}: through dependency search */
    SD_OP_SCORE,     /* {"text":"…"}: through dependency model */
    SD_OP_ARCHIVE,   /* {"name":"…"}: the session's messages, checksummed on the CPU pool, into `store` */
    SD_OP_DIGEST,    /* {"rounds":N}: a database task: SQL over all the user's messages, N times */
    SD_OP_BROADCAST, /* {"text":"…"}: an event to the user's subscribers */
    SD_OP_ENQUEUE,   /* {"text":"…"}: a durable task "note", whose effect is a row of `effects` */
    SD_OP_KINDS
};

/* The table of operations.c: one row says all. */
struct sd_operation_kind_info {
    const char *name; /* of the request, the task, the label for lg_operation and the metrics */
    enum sd_task_kind task;
    bool connection;  /* works on the session's connection: takes session.operation (40) */
    bool scrape_slot; /* and scrape_slots (20) instead of operation_slots (21) */
};
const struct sd_operation_kind_info *sd_operation_info(enum sd_operation_kind kind);
/* The first connection, which no client asks for by name. */
extern const struct sd_operation_kind_info sd_operation_connect;

struct sd_operation {
    enum sd_operation_kind kind;
    int64_t from, pages, seconds, limit, rounds;
    char name[64], text[2048]; /* text: of send, score, broadcast, enqueue; the query of search */
    int32_t limit_ms;          /* "limit_ms" of any: less than the kind's; 0: that */
};

/* {"operation":"scrape", …}.  Unknown fields and wrong types: 400 with the field's name. */
bool sd_operation_parse(const json_t *json, struct sd_operation *operation, struct sd_error *error);

#endif
