/* An answer that goes on until somebody ends it: chunks as they come.  While there is
 * nothing to send its connection rests; a client that leaves meanwhile is noticed, and
 * the stream closed.  Belongs to the HTTP thread, without locks but for sd_stream_wake. */
#ifndef SD_HTTP_STREAM_H
#define SD_HTTP_STREAM_H

#include <stddef.h>

#include "error.h"
#include "http_reply.h"

struct sd_stream;
/* At most `room` bytes; 0: nothing now, and sd_stream_wake will tell; -1: it is over, also
 * where there is no room. */
typedef long sd_stream_read(void *user, char *bytes, size_t room);
/* Once: nothing is read any more, and sd_stream_wake must not be called after this. */
typedef void sd_stream_closed(void *user);

/* 405 where HEAD asks: a stream without a body would end at once, its connection without a
 * limit.  For the same reason the connection is closed after a stream. */
struct sd_stream *sd_stream_create(struct sd_request *request, struct sd_error *error);
/* Any thread; takes http.wakes (80). */
void sd_stream_wake(void *stream);
/* Instead of an answer: it was not wanted after all. */
void sd_stream_discard(struct sd_stream *stream);
enum MHD_Result sd_stream_reply(struct sd_stream *stream, const char *type, sd_stream_read *read,
                                sd_stream_closed *closed, void *user);

#endif
