/* The environment under which a program is observed. */
#ifndef LOCKGRAPH_COMMAND_PRELOAD_H
#define LOCKGRAPH_COMMAND_PRELOAD_H

#include "platform/options.h"
#include "pool.h"

/* The runtime: $LOCKGRAPH_LIBRARY, or liblockgraph.so.0 or liblockgraph.so in
 * ../lib, ../lib/lockgraph or the multiarch directory next to this command.
 * NULL with one sentence in `error`. */
const char *find_runtime(struct pool *pool, const char **error);

/* A value for LD_PRELOAD: `runtime` in front of `existing` (NULL: none), but
 * behind sanitizer runtimes, which insist on being first, in it or in
 * `sanitizer` (NULL: none).  A runtime already named is not named twice. */
const char *preload_value(struct pool *pool, const char *runtime, const char *existing,
                          const char *sanitizer);

/* Options from $LOCKGRAPH_OPTIONS, then `given` (each -O in turn).  False with
 * one sentence in `error`. */
bool gather_options(struct pool *pool, const char *const *given, size_t count, struct lgp_options *options,
                    const char **error);

/* The value for LOCKGRAPH_OPTIONS. */
const char *options_value(struct pool *pool, const struct lgp_options *options);

#endif
