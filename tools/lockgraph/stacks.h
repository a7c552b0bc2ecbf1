/* Which frames of a stack matter to a reader. */
#ifndef LOCKGRAPH_COMMAND_STACKS_H
#define LOCKGRAPH_COMMAND_STACKS_H

#include <stdbool.h>

#include "model.h"

/* A helper on the way to a lock (std::lock_guard, __gthread_mutex_lock,
 * g_mutex_lock, inline_mysql_mutex_lock, …): shown in stacks, but the place
 * that is named is its caller. */
bool frame_is_helper(const struct code_frame *frame);
/* The start of every thread or program below its own code (clone3,
 * start_thread, __libc_start_main, _start): left out of text reports. */
bool frame_is_bottom(const struct code_frame *frame);

/* In the runtime. */
bool frame_is_ours(const struct code_frame *frame);
/* In libc, the loader or the runtime of C++. */
bool frame_in_base_library(const struct code_frame *frame);

/* Named by the first frame that is neither a helper nor the bottom. */
struct stack stack_of(const struct code_frame *frames, size_t count, bool partial);

/* Frames worth telling: all but those, what std::thread puts above them, and the runtime's. */
size_t stack_end(const struct stack *stack);

/* "post() ledger.c:40", "post() in libledger.so", "libledger.so+0x1234", or
 * "a place not recorded" for NULL. */
const char *frame_place(struct pool *pool, const struct code_frame *frame);
/* "ledger.c:40", else "post", else "libledger.so+0x1234". */
const char *frame_short(struct pool *pool, const struct code_frame *frame);

/* The same frame in every run and at every address layout: module and
 * function, then the line within the function (with debug information) or the
 * offset within it; build id and offset where there is no symbol. */
const char *frame_identity(struct pool *pool, const struct code_frame *frame);

/* The same for a stack: the frame it is named by with what is inlined around
 * it, and up to `callers` frames below. */
const char *stack_identity(struct pool *pool, const struct stack *stack, size_t callers);

/* Where a and b, the two stacks of one thread, are named by the same place,
 * that is a lock wrapper of the program's own: names both by the first callers
 * that differ.  Left alone when there are none (a loop over locks). */
void stacks_tell_apart(struct stack *a, struct stack *b);

#endif
