/* Dependencies: the evidence.  "Thread T, holding these locks taken there,
 * requested a lock in this mode from here, at this point of its past."
 *
 * What is requested stands in the edge, so the dependencies of one thread on
 * many fresh locks under the same holds are one shared object.  Never changed
 * once made; freed with the last edge that carries it. */
#ifndef LOCKGRAPH_ENGINE_DEPENDENCY_H
#define LOCKGRAPH_ENGINE_DEPENDENCY_H

#include <stdatomic.h>

#include "engine/thread.h"
#include "record/format.h"

struct lge_dependency {
    _Atomic uint32_t references;
    uint32_t thread; /* serial */
    uint32_t time;   /* its vector clock component */
    uint32_t epoch;
    struct lge_past *past;
    uint64_t chain;     /* key of the held stack */
    uint64_t signature; /* held locks and modes, and how it was requested */
    uint64_t shape;     /* the same with classes instead of locks */
    uint64_t lockset;   /* Bloom word of the held ids: disjoint words, disjoint sets */
    uint64_t requested; /* the lock it was first made for */
    uint64_t handed;    /* the holds, by bit, of semaphores that were LGE_TAKEN_UNDER */
    uint32_t context;   /* of the request */
    uint8_t mode;       /* of the request */
    uint8_t flags;      /* enum lge_request_flags of the request */
    uint16_t reserved;
    uint32_t held_count;
    uint32_t room;          /* entries allocated */
    struct lgr_held held[]; /* outermost first, each lock once */
};

/* The dependency of the thread's held stack for a request; every hold must
 * have its context.  One reference is the caller's.  NULL: memory is out. */
struct lge_dependency *lge_dependency_make(struct lge_thread *thread, const struct lge_request *request,
                                           uint32_t context);
struct lge_dependency *lge_dependency_keep(struct lge_dependency *dependency);
void lge_dependency_drop(struct lge_dependency *dependency);

/* The hold of `id` (a lock, or a class when by_class), or NULL. */
const struct lgr_held *lge_dependency_hold(const struct lge_dependency *dependency, uint64_t id,
                                           bool by_class);
/* One of its holds: of a semaphore that was LGE_TAKEN_UNDER. */
bool lge_dependency_handed(const struct lge_dependency *dependency, const struct lgr_held *held);
/* A lock that both hold, not both shared; 0: none. */
uint64_t lge_dependency_gate(const struct lge_dependency *a, const struct lge_dependency *b);
/* Why one is always before the other; NULL: they may overlap. */
const struct lge_past_entry *lge_dependency_order(const struct lge_dependency *a,
                                                  const struct lge_dependency *b);

/* In a forked child: of the threads up to `last` only `survivor` is there, and
 * what they all did until its time `time` was before anything done here. */
void lge_dependency_forked(uint32_t last, uint32_t survivor, uint32_t time);
void lge_dependency_unforked(void);

uint64_t lge_dependency_count(void);

#endif
