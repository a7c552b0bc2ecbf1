/* `lockgraph report --follow`: findings as they come. */
#ifndef LOCKGRAPH_COMMAND_REPORT_FOLLOW_H
#define LOCKGRAPH_COMMAND_REPORT_FOLLOW_H

#include "format.h"
#include "suppress.h"

struct follow {
    int count; /* operands: inputs.h */
    char **operands;
    bool json, strict;
    unsigned fail_on;
    const char *output; /* NULL: the standard output */
    const struct suppressions *suppressions;
    struct format_options format; /* of the text */
};

/* Tells each finding once, and again when it is graded up, until no process of the evidence
 * runs any more, or a signal says so; then what `report` would have said beside them.  The
 * exit status, that of `report`. */
int report_follow(const struct follow *follow);

#endif
