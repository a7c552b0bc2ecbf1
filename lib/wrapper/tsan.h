/* The annotations of ThreadSanitizer for locks of a program's own making
 * (sanitizer/tsan_interface.h), understood where that one is not there itself. */
#ifndef LOCKGRAPH_WRAPPER_TSAN_H
#define LOCKGRAPH_WRAPPER_TSAN_H

/* From the constructor: a ThreadSanitizer in the process gets its calls. */
void lgw_tsan_start(void);

#endif
