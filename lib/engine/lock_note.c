#include "engine/lock_note.h"
#include "engine/lifecycle.h"

#include "engine/map.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"

struct note {
    uint64_t key;
    uint32_t published_class;
    bool unpublished;
};

static struct {
    struct lgp_lock lock;
    struct lge_map by_id;
    _Atomic size_t count; /* relaxed: who made a note sees it */
} notes;

static bool none(void) { return atomic_load_explicit(&notes.count, memory_order_relaxed) == 0; }

static void counted(void) { atomic_store_explicit(&notes.count, notes.by_id.count, memory_order_relaxed); }

/* Under the lock: the note of that lock, a new one where it has none. */
static struct note *obtain(uint64_t id) {
    struct note *note = lge_map_get(&notes.by_id, id);
    if (note != NULL)
        return note;
    note = lgp_alloc(sizeof *note);
    if (note == NULL || lge_map_add(&notes.by_id, id, note)) {
        counted();
        return note;
    }
    lgp_free(note, sizeof *note);
    return NULL;
}

bool lge_note_key(uint64_t id, uint64_t key) {
    lgp_lock(&notes.lock);
    struct note *note = obtain(id);
    if (note != NULL)
        note->key = key;
    lgp_unlock(&notes.lock);
    return note != NULL;
}

uint64_t lge_noted_key(uint64_t id) {
    if (none())
        return 0;
    lgp_lock(&notes.lock);
    const struct note *note = lge_map_get(&notes.by_id, id);
    uint64_t key = note != NULL ? note->key : 0;
    lgp_unlock(&notes.lock);
    return key;
}

bool lge_note_unpublished(uint64_t id, uint32_t class_id) {
    lgp_lock(&notes.lock);
    struct note *note = obtain(id);
    if (note != NULL) {
        note->unpublished = true;
        note->published_class = class_id;
    }
    lgp_unlock(&notes.lock);
    return note != NULL;
}

bool lge_noted_unpublished(uint64_t id, uint32_t *class_id) {
    if (none())
        return false;
    lgp_lock(&notes.lock);
    const struct note *note = lge_map_get(&notes.by_id, id);
    bool unpublished = note != NULL && note->unpublished;
    if (unpublished)
        *class_id = note->published_class;
    lgp_unlock(&notes.lock);
    return unpublished;
}

void lge_note_forget(uint64_t id) {
    if (none())
        return;
    lgp_lock(&notes.lock);
    struct note *note = lge_map_get(&notes.by_id, id);
    if (note != NULL) {
        lge_map_remove(&notes.by_id, id, note);
        lgp_free(note, sizeof *note);
        counted();
    }
    lgp_unlock(&notes.lock);
}

void lge_notes_reset(void) {
    for (size_t i = 0; i < notes.by_id.capacity; i++)
        lgp_free(notes.by_id.slots[i].value, sizeof(struct note));
    lge_map_clear(&notes.by_id);
    counted();
}

struct lgp_part lge_notes_part(void) {
    return (struct lgp_part){&notes.lock, (void *)&notes, sizeof notes};
}
