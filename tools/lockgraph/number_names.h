/* Names of error and signal numbers: "EINVAL", "ALRM". */
#ifndef LOCKGRAPH_COMMAND_NUMBER_NAMES_H
#define LOCKGRAPH_COMMAND_NUMBER_NAMES_H

/* NULL: it has none.  0 is the error "0", as in glibc. */
const char *error_name(int number);
/* Without "SIG". */
const char *signal_name(int number);

#endif
