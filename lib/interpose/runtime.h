/* The runtime as a whole: options, start, end. */
#ifndef LOCKGRAPH_INTERPOSE_RUNTIME_H
#define LOCKGRAPH_INTERPOSE_RUNTIME_H

/* Opens this process image's evidence file; also in a forked child. */
void lgi_open_evidence(void);
/* Brings the live figures of the file's header up to date; on slow paths. */
void lgi_write_figures(void);

#endif
