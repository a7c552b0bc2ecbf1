/* The line protocol's client: one TCP connection, lines ended by \n, at most 4096 bytes.
 * Owned by a session and used under its session.operation (40); takes no locks.
 *
 *     > HELLO <name>              < OK <history length>
 *     > PAGE <from> <count>       < MESSAGE <number> <sender> <text> … then < END <next>
 *     > SEND <text>               < OK <number>
 *     > MONITOR                   < EVENT <number> <sender> <text> … until > STOP, then < END <n>
 *     > QUIT                      < BYE
 *     anything wrong              < ERROR <reason>
 */
#ifndef SD_LINE_H
#define SD_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "cancel.h"
#include "error.h"

enum { SD_LINE = 4096 };
struct sd_line;

/* 503 unreachable, 504 time_limit, or cancelled. */
struct sd_line *sd_line_connect(const char *host, int port, int32_t limit_ms, struct sd_cancel *cancel,
                                struct sd_error *error);
void sd_line_close(struct sd_line *line);
/* The line's end is added. */
bool sd_line_write(struct sd_line *line, const char *text, int32_t limit_ms, struct sd_cancel *cancel,
                   struct sd_error *error);
/* Without its end; 503 connection_lost: the peer is gone, and the line can only be closed. */
bool sd_line_read(struct sd_line *line, char text[SD_LINE], int32_t limit_ms, struct sd_cancel *cancel,
                  struct sd_error *error);
/* Whether something can be read by then; nothing is broken where not. */
bool sd_line_wait(struct sd_line *line, int32_t ms, const struct sd_cancel *cancel);
/* Both: one line, and its answer, which is not ERROR: else 503 peer with the reason. */
bool sd_line_ask(struct sd_line *line, const char *text, char answer[SD_LINE], int32_t limit_ms,
                 struct sd_cancel *cancel, struct sd_error *error);
/* Whether an answer may still be under way, so that the connection cannot be used on:
 * true after a read or write that did not end well. */
bool sd_line_broken(const struct sd_line *line);
void sd_line_break(struct sd_line *line);

#endif
