/* The names of everything a finding can be.  One table each: the text report,
 * the JSON report, the options and the tests read them here. */
#ifndef LOCKGRAPH_COMMAND_KINDS_H
#define LOCKGRAPH_COMMAND_KINDS_H

#include <stdbool.h>
#include <stdint.h>

#include "record/format.h"

/* "order-cycle"; "unknown" for a kind that a newer runtime wrote. */
const char *kind_name(uint16_t kind);
/* What is wrong in general, one clause. */
const char *kind_meaning(uint16_t kind);
/* "feasible"; NULL for LGR_VERDICT_NONE and for unknown ones. */
const char *verdict_name(uint8_t verdict);
/* What the verdict means, one clause. */
const char *verdict_meaning(uint8_t verdict);
/* "error", "warning", "note". */
const char *severity_name(unsigned severity);
/* "mutex", "rwlock", …; "lock" when not known. */
const char *lock_kind_name(uint16_t kind);

/* A threshold as --fail-on takes it: a severity, or one above all of them for
 * "never".  False: not a word we know. */
bool severity_parse(const char *word, unsigned *threshold);
#define SEVERITY_NEVER ((unsigned)LGR_ERROR + 1)

#endif
