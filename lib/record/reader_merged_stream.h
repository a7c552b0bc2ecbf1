/* The records of a merged file one after another, each checked: sound, in its place, and
 * at the end that none is missing.  Never more than one record and a buffer in memory. */
#ifndef LOCKGRAPH_RECORD_READER_MERGED_STREAM_H
#define LOCKGRAPH_RECORD_READER_MERGED_STREAM_H

#include "record/merged.h"
#include "record/reader_model.h"

struct lgm_stream {
    const struct lgr_source *source; /* where what is wrong is said */
    unsigned char *bytes;            /* of the file, from `offset` on */
    size_t room, filled, used;       /* used: by records that were handed out */
    uint64_t offset, count;
    struct lgm_record *before; /* a copy of the one handed out last */
    size_t before_room;
    bool ended;  /* as it should */
    bool failed; /* `error` of the source says why */
};

/* Reads the header.  False: it failed; closed all the same by lgm_stream_close. */
bool lgm_stream_open(struct lgm_stream *stream, const struct lgr_source *source);
/* Valid until the next call; NULL at the end, or when it failed.  LGM_END is not handed out. */
const struct lgm_record *lgm_stream_next(struct lgm_stream *stream);
void lgm_stream_close(struct lgm_stream *stream);

#endif
