/* Signal handlers of the program are called through one of ours. */
#ifndef LOCKGRAPH_INTERPOSE_SIGNAL_H
#define LOCKGRAPH_INTERPOSE_SIGNAL_H

/* From the constructor. */
void lgi_signal_start(void);
/* In a forked child. */
void lgi_signal_after_fork(void);

#endif
