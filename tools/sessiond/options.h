/* How Lockgraph is set up in this program.  What holds in any case is in
 * lg_default_options, which is asked before main; what follows from the configuration
 * needs a start with LOCKGRAPH_OPTIONS.  In both the user's own options win.  No locks. */
#ifndef SD_OPTIONS_H
#define SD_OPTIONS_H

#include "config.h"

/* Begins the program again with more options if the configuration asks for such: every
 * lock call in the log (log_level = debug), adaptive time limits.  Returns where it does
 * not, or where that has been done. */
void sd_options_apply(const struct sd_config *config, char *const *arguments);

#endif
