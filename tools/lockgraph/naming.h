/* What locks, classes and threads are called.  The first that applies: the
 * declared name; the static variable; where it was initialised; where it was
 * first taken. */
#ifndef LOCKGRAPH_COMMAND_NAMING_H
#define LOCKGRAPH_COMMAND_NAMING_H

#include "model.h"

/* Fills everything but id and index. */
void name_class(struct model *model, const struct model_process *process, const struct lgr_class_info *info,
                struct model_class *class);
/* Fills name, short_name and identity; process, raw, kind, info and class are set. */
void name_lock(struct model *model, struct model_lock *lock);
/* The static variable at an address in the process; NULL: none. */
const char *name_of_address(struct model *model, const struct model_process *process, uint64_t address);
/* Fills everything but serial, tid and tag. */
void name_thread(struct model *model, const struct model_process *process, const struct lgr_thread_info *info,
                 struct model_thread *thread);
/* Gives a better name to a thread that began in a library routine, as every
 * std::thread does: the outermost function of the program in `stack`. */
void name_thread_by_stack(struct model *model, struct model_thread *thread, const struct stack *stack);

#endif
