/* `store`: blob files under <data_dir>/blobs, written beside, fsynced and renamed; or a
 * URL they are posted to ({"user":N,"name":"…","text":"…"}).  Names are [A-Za-z0-9._-],
 * never beginning with a dot.  No locks: a file has a name of its own until it is renamed. */
#ifndef SD_BLOB_H
#define SD_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cancel.h"
#include "config.h"
#include "error.h"
#include "text.h"

struct sd_blob;

struct sd_blob *sd_blob_create(const struct sd_config *config, struct sd_error *error);
void sd_blob_destroy(struct sd_blob *blob);
/* 400 bad_field name; also for whoever wants to know before it begins. */
bool sd_blob_name_check(const char *name, struct sd_error *error);
/* Answer: {"name":"…","bytes":N}. */
bool sd_blob_put(struct sd_blob *blob, int64_t user, const char *name, const void *bytes, size_t length,
                 int32_t limit_ms, struct sd_cancel *cancel, struct sd_text *answer, struct sd_error *error);
/* Removes files whose writer did not live to give them their name; how many. */
int sd_blob_sweep(const struct sd_blob *blob);

#endif
