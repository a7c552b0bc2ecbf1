/* `model`: a child process (this program, --model) that scores texts over a pipe, one
 * line a request and answer.  It is started at the first use and again after it died or
 * was late (then it is killed).  Takes model.client (75) for each request: held over I/O,
 * since the pipe carries one at a time. */
#ifndef SD_MODEL_H
#define SD_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "cancel.h"
#include "config.h"
#include "error.h"
#include "text.h"

struct sd_model;

struct sd_model *sd_model_create(const struct sd_config *config, struct sd_error *error);
/* Ends the child and waits for it. */
void sd_model_destroy(struct sd_model *model);
/* Answer: {"score":0.42,"words":7}.  The text has at most 4096 bytes. */
bool sd_model_score(struct sd_model *model, const char *text, int32_t limit_ms, struct sd_cancel *cancel,
                    struct sd_text *answer, struct sd_error *error);
/* The child's: reads standard input until its end; the exit status. */
int sd_model_main(void);

#endif
