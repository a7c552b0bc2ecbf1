/* What this command is.  The build defines LOCKGRAPH_VERSION. */
#ifndef LOCKGRAPH_COMMAND_VERSION_H
#define LOCKGRAPH_COMMAND_VERSION_H

#ifndef LOCKGRAPH_VERSION
#define LOCKGRAPH_VERSION "0.1.0"
#endif

#endif
