#include "peer_rooms.h"

#include <stdlib.h>
#include <string.h>

enum { KEPT = 4096, HEADS = 256, MOST_ROOMS = 10000 };

struct sd_room {
    struct sd_room *next;
    char name[64];
    int64_t made_up, length;
    char **sent; /* of KEPT: "<sender> <text>"; NULL: nothing was sent yet */
};

struct sd_rooms {
    int64_t history;
    size_t count;
    struct sd_room *heads[HEADS];
};

struct sd_rooms *sd_rooms_create(int64_t history) {
    struct sd_rooms *rooms = calloc(1, sizeof *rooms);
    if (rooms != NULL)
        rooms->history = history;
    return rooms;
}

static void destroy_room(struct sd_room *room) {
    for (size_t at = 0; room->sent != NULL && at < KEPT; at++)
        free(room->sent[at]);
    free(room->sent);
    free(room);
}

void sd_rooms_destroy(struct sd_rooms *rooms) {
    for (size_t head = 0; head < HEADS; head++)
        while (rooms->heads[head] != NULL) {
            struct sd_room *room = rooms->heads[head];
            rooms->heads[head] = room->next;
            destroy_room(room);
        }
    free(rooms);
}

static size_t head_of(const char *name) {
    size_t hash = 5381;
    for (; *name != 0; name++)
        hash = hash * 33 + (unsigned char)*name;
    return hash % HEADS;
}

struct sd_room *sd_rooms_find(struct sd_rooms *rooms, const char *name) {
    struct sd_room **head = &rooms->heads[head_of(name)], *room = *head;
    while (room != NULL && strncmp(room->name, name, sizeof room->name - 1) != 0)
        room = room->next;
    if (room != NULL || rooms->count == MOST_ROOMS || (room = calloc(1, sizeof *room)) == NULL)
        return room;
    sd_copy(room->name, sizeof room->name, name);
    room->made_up = room->length = rooms->history;
    room->next = *head;
    *head = room;
    rooms->count++;
    return room;
}

int64_t sd_room_length(const struct sd_room *room) { return room->length; }

int64_t sd_room_add(struct sd_room *room, const char *sender, const char *text) {
    struct sd_text line = {0};
    sd_text_format(&line, "%s %s", sender, text);
    if (room->sent == NULL)
        room->sent = calloc(KEPT, sizeof *room->sent);
    char *bytes = sd_text_take(&line);
    if (room->sent == NULL || bytes == NULL) {
        free(bytes);
        return -1;
    }
    char **place = &room->sent[(size_t)room->length % KEPT];
    free(*place);
    *place = bytes;
    return room->length++;
}

/* Sentences that a full-text search finds something in and a model can judge. */
static void make_up(const char *word, int64_t number, struct sd_text *out) {
    static const char *const senders[] = {"ada", "grace", "edsger", "barbara", "leslie"};
    static const char *const subjects[] = {"the build",   "the release", "our queue", "that worker",
                                           "the session", "this scrape", "the report"};
    static const char *const states[] = {"works well",    "is slow today",    "looks fine",
                                         "hangs again",   "failed at night",  "was fixed, thanks",
                                         "is clear now",  "lost a heartbeat", "got faster",
                                         "needs a probe", "waits for a lock"};
    unsigned long long n = (unsigned long long)number;
    sd_text_format(out, "%s %llu %s message %llu: %s %s\n", word, n, senders[n % 5], n, subjects[n % 7],
                   states[n % 11]);
}

void sd_room_write(const struct sd_room *room, const char *word, int64_t number, struct sd_text *out) {
    if (number < 0 || number >= room->length)
        return;
    if (number < room->made_up)
        make_up(word, number, out);
    else if (number >= room->length - KEPT)
        sd_text_format(out, "%s %lld %s\n", word, (long long)number, room->sent[(size_t)number % KEPT]);
}
