#include "record/reader_merged_ids.h"

#include <stdlib.h>

/* 96 bits of an id and its type, of which there are millions. */
struct lgm_numbered {
    uint64_t key;
    uint32_t rest;
    uint32_t number; /* 0: free */
};

static struct lgm_numbered entry_of(const struct lgm_id *id, uint16_t type) {
    return (struct lgm_numbered){
        .key = id->word[0] ^ (uint64_t)type << 56,
        .rest = (uint32_t)(id->word[1] ^ id->word[1] >> 32),
    };
}

static struct lgm_numbered *slot_of(const struct lgm_ids *ids, const struct lgm_numbered *entry) {
    size_t at = (size_t)(entry->key ^ entry->rest) & (ids->slots - 1);
    while (ids->table[at].number && (ids->table[at].key != entry->key || ids->table[at].rest != entry->rest))
        at = (at + 1) & (ids->slots - 1);
    return &ids->table[at];
}

bool lgm_ids_make_room(struct lgm_ids *ids) {
    struct lgm_ids larger = *ids;
    if (4 * ids->count < 3 * ids->slots)
        return true;
    larger.slots = ids->slots ? 2 * ids->slots : 1024;
    larger.table = calloc(larger.slots, sizeof *larger.table);
    if (!larger.table)
        return false;
    for (size_t i = 0; i < ids->slots; i++)
        if (ids->table[i].number)
            *slot_of(&larger, &ids->table[i]) = ids->table[i];
    free(ids->table);
    *ids = larger;
    return true;
}

uint32_t lgm_number(struct lgm_ids *ids, const struct lgm_record *record) {
    struct lgm_id id = lgm_id_of(record);
    struct lgm_numbered entry = entry_of(&id, record->type), *slot = slot_of(ids, &entry);
    entry.number = ++ids->last[record->type];
    ids->count += slot->number == 0;
    *slot = entry;
    return entry.number;
}

uint32_t lgm_number_of(const struct lgm_ids *ids, const struct lgm_id *id, uint16_t type) {
    if (lgm_is_none(id) || ids->slots == 0)
        return 0;
    struct lgm_numbered entry = entry_of(id, type);
    return slot_of(ids, &entry)->number;
}

void lgm_ids_free(struct lgm_ids *ids) { free(ids->table); }
