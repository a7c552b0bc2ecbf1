/* Lock identity: which lock is this, given an address?
 *
 * Static initialisers and std::mutex call neither init nor destroy, and memory
 * is reused, so an address is no identity.  Where the lock's own memory has 16
 * bytes to spare that every initialiser zeroes, a tag is kept there: the lock's
 * id and a word that only that id at that address makes valid.  A zero, stale or
 * copied tag is a new lock.  Elsewhere a table from addresses to ids serves.
 *
 * | tag words | written under the identity lock (id first, check release); read
 * |           | by anybody (relaxed): a torn pair is invalid, and the slow path
 * |           | looks again under the lock.  What the id stands for is seen
 * |           | after an acquire fence: lge_check, lge_class_get. */
#ifndef LOCKGRAPH_ENGINE_IDENTITY_H
#define LOCKGRAPH_ENGINE_IDENTITY_H

#include <stdatomic.h>
#include <stdint.h>

#include "engine/engine.h"

struct lge_tag {
    _Atomic uint64_t id;
    _Atomic uint64_t check;
};

/* The class stands in a lock's id: lge_lock_class for hot paths. */
enum { LGE_ID_NUMBER_BITS = 40 };
static inline uint32_t lge_class_in(uint64_t id) { return (uint32_t)(id >> LGE_ID_NUMBER_BITS); }

/* Constants of the process that every acquisition reads, in one cache line.
 * Written once at the start, before any tag; but see lge_tags_stale. */
struct lge_hot {
    _Alignas(64) uint64_t tag_secret;
    int fast_kind;       /* the front end's: mutex_fast.h */
    bool fast_spin;      /* the front end's: spin_fast.h */
    bool fast_rwlock;    /* the front end's: rwlock_fast.h */
    bool fast_semaphore; /* the front end's: sem_fast.h */
};
extern struct lge_hot lge_hot __attribute__((visibility("hidden")));

/* The lowest 16 bits are the address's in no part: what is kept there (turns
 * below, facts of semaphores) must not make a neighbour's tag a valid one. */
static inline uint64_t lge_tag_check(uint64_t id, const void *address) {
    return id ^ (uint64_t)(uintptr_t)address << 16 ^ __atomic_load_n(&lge_hot.tag_secret, __ATOMIC_RELAXED);
}
/* The id in a valid tag of the lock at `address`, else 0. */
static inline uint64_t lge_tag_id(const struct lge_tag *tag, const void *address) {
    uint64_t id = atomic_load_explicit(&tag->id, memory_order_relaxed);
    uint64_t check = atomic_load_explicit(&tag->check, memory_order_relaxed);
    return check == lge_tag_check(id, address) ? id : 0;
}

/* The low bits of the secret count how often all tags were made stale: a stale
 * tag still tells its lock, but not to the fast paths. */
enum { LGE_TAG_TURNS = 0xff };
/* The id in a valid or stale tag, else 0: for all but the fast paths. */
static inline uint64_t lge_tag_known(const struct lge_tag *tag, const void *address) {
    uint64_t id = atomic_load_explicit(&tag->id, memory_order_relaxed);
    uint64_t check = atomic_load_explicit(&tag->check, memory_order_relaxed);
    return ((check ^ lge_tag_check(id, address)) & ~(uint64_t)LGE_TAG_TURNS) == 0 ? id : 0;
}
/* Under the identity lock. */
static inline void lge_tag_write(struct lge_tag *tag, const void *address, uint64_t id) {
    atomic_store_explicit(&tag->id, id, memory_order_relaxed);
    atomic_store_explicit(&tag->check, lge_tag_check(id, address), memory_order_release);
}
/* Every lock is asked for by its slow path once more; signal.h says what for.
 * Any thread, async-signal-safe.  Nothing any more after some 250 times. */
void lge_tags_stale(void);

void lge_identity_start(void);
/* A first use without initialisation call: the class is the static variable,
 * else guessed from the call (site, sp). */
uint64_t lge_identity_tag_first_use(struct lge_thread *thread, struct lge_tag *tag, const void *address,
                                    uintptr_t site, uintptr_t sp);
/* An initialisation call at (site, sp): always a new lock. */
uint64_t lge_identity_tag_initialised(struct lge_thread *thread, struct lge_tag *tag, const void *address,
                                      uintptr_t site, uintptr_t sp);
/* The same through the table. */
uint64_t lge_identity_table_first_use(struct lge_thread *thread, const void *address, uintptr_t site,
                                      uintptr_t sp);
uint64_t lge_identity_table_initialised(struct lge_thread *thread, const void *address, uintptr_t site,
                                        uintptr_t sp);
/* A lock of a class that was declared: its id, a new one at its first use. */
uint64_t lge_identity_tag_declared(struct lge_thread *thread, struct lge_tag *tag, const void *address,
                                   uint32_t class_id);
uint64_t lge_identity_table_declared(struct lge_thread *thread, const void *address, uint32_t class_id);
/* The id of the lock at that address, or 0. */
uint64_t lge_identity_table_known(const void *address);
/* Takes the address out of the table; its id, or 0. */
uint64_t lge_identity_table_forget(const void *address);
/* ... all those between the addresses: their memory is no longer what it was. */
void lge_identity_table_unmapped(const void *start, size_t size);
/* Whether there is a lock at that address. */
bool lge_identity_table_knows(const void *address);
/* Other processes may see the lock, too: for those that do not say so themselves. */
void lge_identity_table_share(uint64_t id);
bool lge_identity_table_shared(uint64_t id);
/* Whether the lock at that address still is that one; under the table lock, too. */
bool lge_identity_table_has(const void *address, uint64_t id);

/* Lock ids given out. */
uint64_t lge_identity_count(void);
void lge_identity_after_fork(uint32_t pid);
void lge_identity_reset(void);

#endif
