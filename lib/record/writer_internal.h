/* What the files of the writer share.  Internal to lib/record. */
#ifndef LOCKGRAPH_RECORD_WRITER_INTERNAL_H
#define LOCKGRAPH_RECORD_WRITER_INTERNAL_H

#include <stddef.h>

/* Between lgr_begin and lgr_commit: the record turned out shorter.  What lies
 * past `size` must still be zero. */
void lgr_writer_shorten(size_t size);

/* Fills everything of the header except the live fields and the magic, which
 * the caller stores last. */
struct lgr_header;
void lgr_fill_header(struct lgr_header *header);

/* Appends the LGR_PROCESS record. */
void lgr_write_process(const char *effective_options);

#endif
