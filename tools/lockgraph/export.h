/* Evidence in the languages of other tools. */
#ifndef LOCKGRAPH_COMMAND_EXPORT_H
#define LOCKGRAPH_COMMAND_EXPORT_H

#include "model.h"
#include "text.h"

/* Where the program waited, as one line a stack: frames from the outermost on, the lock,
 * and the nanoseconds; what flame graphs are made from. */
void export_folded(struct text *out, struct model *model);

/* Waits, findings and who holds what, on a time line: JSON as Perfetto and Chrome read it. */
void export_trace(struct text *out, struct model *model);

/* A new database at `path`, or over the one that was there.  False with one sentence in
 * `error` (256 bytes); nothing is changed then. */
bool export_sqlite(struct model *model, const char *path, char *error);

#endif
