#include "engine/past.h"

#include <string.h>

#include "engine/author.h"
#include "platform/memory.h"

static size_t size_of(uint32_t count) {
    return sizeof(struct lge_past) + count * sizeof(struct lge_past_entry);
}

static struct lge_past *make(uint32_t count) {
    struct lge_past *past = lgp_alloc(size_of(count));
    if (past != NULL) {
        atomic_store_explicit(&past->references, 1, memory_order_relaxed);
        past->count = count;
    }
    return past;
}

struct lge_past *lge_past_keep(struct lge_past *past) {
    if (past != NULL)
        atomic_fetch_add_explicit(&past->references, 1, memory_order_relaxed);
    return past;
}

void lge_past_drop(struct lge_past *past) {
    /* Release: our reads are before the free; acquire: so are everybody's. */
    if (past != NULL && atomic_fetch_sub_explicit(&past->references, 1, memory_order_acq_rel) == 1)
        lgp_free(past, size_of(past->count));
}

const struct lge_past_entry *lge_past_find(const struct lge_past *past, uint32_t serial) {
    uint32_t low = 0, high = past == NULL ? 0 : past->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (past->entries[middle].serial < serial)
            low = middle + 1;
        else
            high = middle;
    }
    return past != NULL && low < past->count && past->entries[low].serial == serial ? &past->entries[low]
                                                                                    : NULL;
}

/* True when `past` already covers all of `more`. */
static bool covers(const struct lge_past *past, const struct lge_past *more) {
    for (uint32_t i = 0; i < more->count; i++) {
        const struct lge_past_entry *mine = lge_past_find(past, more->entries[i].serial);
        if (mine == NULL || mine->time < more->entries[i].time)
            return false;
    }
    return true;
}

/* The first `count` entries of one that nobody else has seen. */
static struct lge_past *cut(struct lge_past *past, uint32_t count) {
    if (count == past->count)
        return past;
    struct lge_past *exact = count == 0 ? NULL : make(count);
    if (exact != NULL)
        memcpy(exact->entries, past->entries, count * sizeof past->entries[0]);
    lge_past_drop(past);
    return exact;
}

static struct lge_past_entry tagged(struct lge_past_entry entry, enum lgr_reason reason, uint32_t id) {
    if (reason != LGR_REASON_NONE) {
        entry.reason = (uint16_t)reason;
        entry.reason_id = id;
    }
    return entry;
}

struct lge_past *lge_past_join(struct lge_past *past, struct lge_past *more, enum lgr_reason reason,
                               uint32_t reason_id) {
    if (more == NULL || past == more || (past != NULL && covers(past, more)))
        return lge_past_keep(past);
    uint32_t ours = past == NULL ? 0 : past->count, i = 0, j = 0, n = 0;
    struct lge_past *both = make(ours + more->count);
    if (both == NULL)
        return lge_past_keep(past);
    while (i < ours || j < more->count) {
        bool take_ours = j == more->count || (i < ours && past->entries[i].serial < more->entries[j].serial);
        bool same = !take_ours && i < ours && past->entries[i].serial == more->entries[j].serial;
        if (take_ours || (same && past->entries[i].time >= more->entries[j].time))
            both->entries[n] = past->entries[i];
        else
            both->entries[n] = tagged(more->entries[j], reason, reason_id);
        n++;
        if (take_ours || same)
            i++;
        if (!take_ours)
            j++;
    }
    return cut(both, n);
}

struct lge_past *lge_past_with(struct lge_past *past, uint32_t serial, uint32_t time, enum lgr_reason reason,
                               uint32_t reason_id) {
    struct lge_past *one = make(1);
    if (one == NULL)
        return lge_past_keep(past);
    one->entries[0] = (struct lge_past_entry){
        .serial = serial, .time = time, .reason = (uint16_t)reason, .reason_id = reason_id};
    struct lge_past *both = lge_past_join(past, one, LGR_REASON_NONE, 0);
    lge_past_drop(one);
    return both;
}

/* Each thread is asked for once: others may begin and cease to be authors
 * meanwhile, and a second answer need not be the first. */
struct lge_past *lge_past_prune(struct lge_past *past) {
    struct lge_past *pruned = past == NULL ? NULL : make(past->count);
    if (pruned == NULL)
        return past;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < past->count; i++)
        if (lge_author_kept(past->entries[i].serial))
            pruned->entries[kept++] = past->entries[i];
    if (kept == past->count) {
        lge_past_drop(pruned);
        return past;
    }
    lge_past_drop(past);
    return cut(pruned, kept);
}
