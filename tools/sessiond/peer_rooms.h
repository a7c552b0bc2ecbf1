/* What the peer remembers: a room for each name, with a history of messages numbered from
 * 0.  The first ones are made up from their numbers and take no memory; of those that
 * were sent the last 4,096 are kept.  One thread; no locks. */
#ifndef SD_PEER_ROOMS_H
#define SD_PEER_ROOMS_H

#include <stdint.h>

#include "text.h"

struct sd_rooms;
struct sd_room;

struct sd_rooms *sd_rooms_create(int64_t history);
void sd_rooms_destroy(struct sd_rooms *rooms);
/* Made if there is none; NULL: no memory, or there are too many. */
struct sd_room *sd_rooms_find(struct sd_rooms *rooms, const char *name);
int64_t sd_room_length(const struct sd_room *room);
/* Its number; -1: no memory. */
int64_t sd_room_add(struct sd_room *room, const char *sender, const char *text);
/* "WORD <number> <sender> <text>\n"; nothing where it is too old or not there. */
void sd_room_write(const struct sd_room *room, const char *word, int64_t number, struct sd_text *out);

#endif
