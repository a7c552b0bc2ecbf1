#include "engine/file_lock.h"
#include "engine/lifecycle.h"

#include "engine/context.h"
#include "engine/map.h"
#include "engine/mix.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"

/* Names make classes, which are kept for ever; a server may lock a new file for
 * every session. */
enum { MOST_NAMED = 4096, FIRST_SWEEP = 4096, CLASS_FRAMES = 4 };

struct record {
    struct lge_file_key key;
    uint64_t id, used; /* when it was asked for last, counted in questions */
    bool shared;
};

static struct {
    struct lgp_lock lock;
    struct lge_map by_key, by_id;
    uint64_t asked; /* questions so far */
    size_t next_sweep, named;
} files;

/* Relaxed: they spare look-ups.  Never taken back. */
static _Atomic uint32_t some_shared, all_shared;

void lge_file_locks_doubt(void) { atomic_store_explicit(&all_shared, 1, memory_order_relaxed); }

/* ---- records: under the lock ---- */

static uint64_t hash(const struct lge_file_key *key) {
    uint64_t file = lge_mix(key->device, key->inode) ^ key->birth;
    return lge_mix(lge_mix(file, key->first), key->last ^ (uint64_t)key->ranges << 63);
}

static bool equal(const struct lge_file_key *a, const struct lge_file_key *b) {
    return a->device == b->device && a->inode == b->inode && a->birth == b->birth && a->first == b->first &&
           a->last == b->last && a->ranges == b->ranges;
}

static struct record *find(const struct lge_file_key *key) {
    uint64_t code = hash(key);
    for (size_t i = lge_map_first(&files.by_key, code); i != SIZE_MAX; i = lge_map_next(&files.by_key, i)) {
        struct record *record = lge_map_at(&files.by_key, i);
        if (equal(&record->key, key))
            return record;
    }
    return NULL;
}

static struct record *ask(const struct lge_file_key *key) {
    struct record *record = find(key);
    files.asked++;
    if (record != NULL)
        record->used = files.asked;
    return record;
}

static void drop(struct record *record) {
    lge_map_remove(&files.by_key, hash(&record->key), record);
    lge_map_remove(&files.by_id, record->id, record);
    lgp_free(record, sizeof *record);
}

/* The first that nobody asked for in a long time.  NULL: none. */
static struct record *find_old(size_t *from) {
    for (; *from < files.by_id.capacity; ++*from) {
        struct record *record = files.by_id.slots[*from].value;
        if (record != NULL && record->used + FIRST_SWEEP / 2 < files.asked)
            return record;
    }
    return NULL;
}

static struct record *insert(const struct lge_file_key *key, uint64_t id) {
    struct record *made = lgp_alloc(sizeof *made);
    if (made == NULL)
        return NULL;
    *made = (struct record){.key = *key, .id = id, .used = files.asked};
    if (!lge_map_add(&files.by_key, hash(key), made)) {
        lgp_free(made, sizeof *made);
        return NULL;
    }
    if (lge_map_add(&files.by_id, id, made))
        return made;
    lge_map_remove(&files.by_key, hash(key), made);
    lgp_free(made, sizeof *made);
    return NULL;
}

/* The address is one that no object of the program has. */
static bool answer(const struct record *record, struct lge_file_lock *out) {
    if (record != NULL)
        *out = (struct lge_file_lock){(const void *)(uintptr_t)(record->id | (uint64_t)1 << 63), record->id};
    return record != NULL;
}

/* ---- which lock ---- */

bool lge_file_lock_find(const struct lge_file_key *key, struct lge_file_lock *found) {
    lgp_lock(&files.lock);
    bool known = answer(ask(key), found);
    lgp_unlock(&files.lock);
    return known;
}

/* Its id; 0: none is due to go. */
static uint64_t drop_old(size_t *from, bool *under_way) {
    lgp_lock(&files.lock);
    if (files.next_sweep == 0)
        files.next_sweep = FIRST_SWEEP;
    *under_way = *under_way || files.by_id.count >= files.next_sweep;
    struct record *old = *under_way ? find_old(from) : NULL;
    uint64_t id = old != NULL ? old->id : 0;
    if (old != NULL)
        drop(old);
    else if (*under_way)
        files.next_sweep = files.by_id.count * 2 > FIRST_SWEEP ? files.by_id.count * 2 : FIRST_SWEEP;
    lgp_unlock(&files.lock);
    return id;
}

/* Without the lock: the graph forgets what the table has forgotten. */
static void sweep(void) {
    size_t from = 0;
    bool under_way = false;
    for (uint64_t id; (id = drop_old(&from, &under_way)) != 0;)
        lge_lock_destroyed(id);
}

static bool may_be_named(void) {
    lgp_lock(&files.lock);
    bool may = files.named < MOST_NAMED;
    files.named += may;
    lgp_unlock(&files.lock);
    return may;
}

bool lge_file_lock_new(struct lge_thread *thread, const struct lge_file_key *key, const char *name,
                       uintptr_t site, uintptr_t sp, struct lge_file_lock *made) {
    sweep();
    uint32_t class =
        may_be_named()
            ? lge_class_named(name)
            : lge_class_guessed(lge_context_head(lge_context_capture(thread, site, sp), CLASS_FRAMES));
    uint64_t fresh = lge_lock_id_new(thread, class);
    lgp_lock(&files.lock);
    struct record *record = ask(key);
    if (record == NULL)
        record = insert(key, fresh);
    bool done = answer(record, made);
    lgp_unlock(&files.lock);
    return done;
}

bool lge_file_lock_alive(uint64_t id) {
    lgp_lock(&files.lock);
    bool alive = lge_map_get(&files.by_id, id) != NULL;
    lgp_unlock(&files.lock);
    return alive;
}

/* ---- shared ---- */

void lge_file_lock_share(uint64_t id) {
    lgp_lock(&files.lock);
    struct record *record = lge_map_get(&files.by_id, id);
    if (record != NULL) {
        record->shared = true;
        atomic_store_explicit(&some_shared, 1, memory_order_relaxed);
    }
    lgp_unlock(&files.lock);
}

/* One that was dropped has no node in the graph any more. */
bool lge_file_lock_shared(uint64_t id) {
    if ((atomic_load_explicit(&some_shared, memory_order_relaxed) |
         atomic_load_explicit(&all_shared, memory_order_relaxed)) == 0)
        return false;
    lgp_lock(&files.lock);
    const struct record *record = lge_map_get(&files.by_id, id);
    bool shared =
        record != NULL && (record->shared || atomic_load_explicit(&all_shared, memory_order_relaxed));
    lgp_unlock(&files.lock);
    return shared;
}

/* ---- life ---- */

void lge_file_locks_reset(void) {
    for (size_t i = 0; i < files.by_id.capacity; i++)
        if (files.by_id.slots[i].value != NULL)
            lgp_free(files.by_id.slots[i].value, sizeof(struct record));
    lge_map_clear(&files.by_key);
    lge_map_clear(&files.by_id);
    files.asked = files.next_sweep = files.named = 0;
    atomic_store_explicit(&some_shared, 0, memory_order_relaxed);
    atomic_store_explicit(&all_shared, 0, memory_order_relaxed);
}

struct lgp_part lge_file_locks_part(void) {
    return (struct lgp_part){&files.lock, (void *)&files, sizeof files};
}
