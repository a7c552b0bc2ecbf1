/* What the files of the writer share.  Internal to lib/record. */
#ifndef LOCKGRAPH_RECORD_WRITER_INTERNAL_H
#define LOCKGRAPH_RECORD_WRITER_INTERNAL_H

struct lgr_header;

/* Fills everything of the header except the live fields and the magic, which
 * the caller stores last. */
void lgr_fill_header(struct lgr_header *header);

/* Appends the LGR_PROCESS record.  One thread at a time. */
void lgr_write_process(const char *effective_options);

#endif
