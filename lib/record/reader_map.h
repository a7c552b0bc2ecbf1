/* Files mapped for reading that others may change or cut short meanwhile.
 *
 * What is no longer in the file reads as zeros, where touching it would end the program
 * with SIGBUS; what is may change at any moment, so whoever decides by it decides by a
 * copy.  Mapped and unmapped by one thread at a time. */
#ifndef LOCKGRAPH_RECORD_READER_MAP_H
#define LOCKGRAPH_RECORD_READER_MAP_H

#include <stddef.h>

/* The first `size` bytes of the file, more than none; NULL with errno set. */
unsigned char *lgr_map(int descriptor, size_t size);
void lgr_unmap(unsigned char *bytes, size_t size);
/* Before some of it is touched here and there: every now and then all of it is let go, since each
 * touch brings the pages around it into memory. */
void lgr_map_touch(unsigned char *bytes, size_t size);
/* Takes the part out of this process's memory until it is touched again. */
void lgr_map_release(unsigned char *bytes, size_t size);

#endif
