/* What `lockgraph inspect` says. */
#ifndef LOCKGRAPH_COMMAND_INSPECT_WORDS_H
#define LOCKGRAPH_COMMAND_INSPECT_WORDS_H

#include "model.h"
#include "snapshot.h"
#include "snapshot_waits.h"
#include "text.h"

void inspect_text(struct text *out, struct snapshot *snapshot, const struct stack *stacks,
                  const struct snapshot_waits *waits, bool color);
/* Schema lockgraph-inspect/1, docs/inspect.schema.json. */
void inspect_json(struct text *out, struct snapshot *snapshot, const struct stack *stacks,
                  const struct snapshot_waits *waits);

#endif
