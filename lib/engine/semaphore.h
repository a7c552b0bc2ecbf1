/* Semaphores: is it a lock, or does it signal?
 *
 * A semaphore is a lock with `slots` holders as long as every post came from a
 * thread that held one of its slots.  Then waits make order edges, and post to
 * wait orders nothing.  The first post by anybody else makes it a signal, for
 * ever: posts order what follows their waits, nobody holds it, and evidence that
 * names it supports no more than a note.  One that starts at 0, or whose start
 * is not known (named, or made by another process), signals from the beginning.
 *
 * A lock of one slot is taken exclusively.  One of several is taken shared: two
 * holders do not keep each other out, so it is no gate, and it blocks only where
 * so many distinct threads hold a slot (search.c, stuck.c).
 *
 * | what            | protected by                                            |
 * | records         | the semaphore lock, inner to the table lock; held while |
 * |                 | a sync of theirs is used                                |
 * | facts in a tag  | see enum lge_semaphore_facts                            |
 *
 * Any call may come from a signal handler that did not interrupt the runtime. */
#ifndef LOCKGRAPH_ENGINE_SEMAPHORE_H
#define LOCKGRAPH_ENGINE_SEMAPHORE_H

#include "engine/identity.h"

/* What the uncontended path must know.  Kept in the check word of the tag
 * (identity.h), above the bits that tell a stale tag; each set once and never
 * cleared during the life of an id.  Relaxed: who sees an old value takes the
 * slow path or decides as if it had come a moment earlier. */
enum lge_semaphore_facts {
    LGE_SEMAPHORE_SEVERAL = 1 << 8,    /* slots */
    LGE_SEMAPHORE_SIGNAL = 1 << 9,     /* no lock */
    LGE_SEMAPHORE_PROVEN = 1 << 10,    /* holders posted it LGE_SEMAPHORE_PROOF times */
    LGE_SEMAPHORE_ORDERS = 1 << 11,    /* something flowed from a post */
    LGE_SEMAPHORE_DESTROYED = 1 << 12, /* the tag is all that is left of it */
    LGE_SEMAPHORE_FACTS = 31 << 8,
    LGE_SEMAPHORE_STALE = 0xff /* not a fact: the tag is one of before the secret changed */
};
/* A semaphore of more slots closes no cycle: so much evidence is not kept. */
enum { LGE_SEMAPHORE_MOST_SLOTS = 32 };
/* So many posts by holders, and none by others, make chance improbable. */
enum { LGE_SEMAPHORE_PROOF = 16 };

/* How certain it is that only holders will post. */
enum lge_semaphore_trust {
    LGE_PERHAPS_LOCK,
    LGE_PROVEN_LOCK,  /* by their posts */
    LGE_DECLARED_LOCK /* level.h: somebody says so */
};

/* The id in a tag of the semaphore at `address`, valid or stale, and its facts;
 * else 0. */
static inline uint64_t lge_semaphore_tag(const struct lge_tag *tag, const void *address, unsigned *facts) {
    uint64_t id = atomic_load_explicit(&tag->id, memory_order_relaxed);
    uint64_t check = atomic_load_explicit(&tag->check, memory_order_relaxed);
    uint64_t rest = check ^ lge_tag_check(id, address);
    *facts = (unsigned)rest;
    return rest <= (LGE_SEMAPHORE_FACTS | LGE_SEMAPHORE_STALE) ? id : 0;
}
static inline void lge_semaphore_mark(struct lge_tag *tag, const void *address, uint64_t id, unsigned facts) {
    uint64_t check = lge_tag_check(id, address) ^ (facts & LGE_SEMAPHORE_FACTS);
    atomic_store_explicit(&tag->check, check, memory_order_release);
}

/* A semaphore begins its life: slots 0 is a signal; `shared`: other processes
 * may post it, too.  Its facts. */
unsigned lge_semaphore_created(uint64_t id, const void *address, uint32_t slots, bool shared);
void lge_semaphore_destroyed(uint64_t id);

/* Facts as they are now.  An id never created is a signal. */
unsigned lge_semaphore_facts_of(uint64_t id);
/* 0: no semaphore that was created here, or a signal. */
uint32_t lge_semaphore_slots(uint64_t id);
/* True for created ones only. */
bool lge_semaphore_signals(uint64_t id);
/* Slots, when nobody but their holders was seen to post it and nobody outside
 * this process can; else 0. */
uint32_t lge_semaphore_exhaustible(uint64_t id, enum lge_semaphore_trust *trust);
bool lge_semaphore_known(uint64_t id);

/* Completes a request of a lock: mode and flags by its slots. */
void lge_semaphore_request(struct lge_request *request, unsigned facts);
/* A wait returned with a slot.  A lock: now held.  A signal: ordered. */
void lge_semaphore_acquired(struct lge_thread *thread, const struct lge_request *request);
/* About to post.  Gives the newest hold back, or makes it a signal and flows
 * into it.  Its facts. */
unsigned lge_semaphore_posting(struct lge_thread *thread, uint64_t id, const void *address);
/* A handler posted a lock while the runtime was at work on its thread: nothing
 * could be noted, and from now on no semaphore is certain to be a lock.
 * Async-signal-safe. */
void lge_semaphore_unseen_post(void);
/* Takes the holds of semaphores that turned out to signal, or are gone, off the
 * stack. */
void lge_semaphore_drop_stale(struct lge_thread *thread);

/* Where it was destroyed, as long as that is remembered; false: it is not. */
bool lge_semaphore_grave(uint64_t id, uint32_t *context, uint32_t *serial);
void lge_semaphore_bury(uint64_t id, uint32_t context, uint32_t serial);

void lge_semaphores_start(const struct lge_config *config);
void lge_semaphores_reset(void);
#endif
