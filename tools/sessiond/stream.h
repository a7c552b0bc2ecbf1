/* Bytes to and from somewhere that may be slow: a TCP connection or a pipe, without ever
 * waiting longer than a limit or than the token allows.  The descriptors are the caller's,
 * non-blocking, and used by one thread at a time.  Takes no locks but those of lookup.h.
 *
 * Errors: 503 unreachable, 503 connection_lost, 504 time_limit, or what the token says. */
#ifndef SD_STREAM_H
#define SD_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cancel.h"
#include "error.h"

/* -1: the error.  A name is looked up first (lookup.h). */
int sd_stream_connect(const char *host, int port, int64_t until_ms, const struct sd_cancel *cancel,
                      struct sd_error *error);
/* A listening socket; `port` 0 becomes the one that it got.  -1: the error. */
int sd_stream_listen(const char *host, int *port, struct sd_error *error);
/* Writes it to a file, which is whole when it has its name. */
bool sd_stream_tell_port(const char *path, int port, struct sd_error *error);
/* Waits until the descriptor is ready for `events` (POLLIN, POLLOUT), or at its end. */
bool sd_stream_wait(int fd, short events, int64_t until_ms, const struct sd_cancel *cancel,
                    struct sd_error *error);
bool sd_stream_write(int fd, const void *bytes, size_t length, int64_t until_ms,
                     const struct sd_cancel *cancel, struct sd_error *error);
/* What there is, at least one byte; 0: its end; -1: the error. */
long sd_stream_read(int fd, void *bytes, size_t room, int64_t until_ms, const struct sd_cancel *cancel,
                    struct sd_error *error);
/* Whether something can be read now or by then, its end included; false also when cancelled. */
bool sd_stream_readable(int fd, int32_t ms, const struct sd_cancel *cancel);

#endif
