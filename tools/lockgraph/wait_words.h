/* What a thread waits for, in words. */
#ifndef LOCKGRAPH_COMMAND_WAIT_WORDS_H
#define LOCKGRAPH_COMMAND_WAIT_WORDS_H

#include "model.h"

/* "waits for ledger at post() ledger.c:40, held by T3 (worker); holds audit" */
const char *wait_words(struct pool *pool, const struct model_wait *wait);

#endif
