/* What is known of a condition variable: who waits for it with which mutex, who
 * signals it, and what both hold meanwhile.
 *
 * Hand-over: what a signalling thread did before is before what the thread it
 * wakes does after.  Kept for as long as somebody waits; a signal that nobody
 * waits for orders nothing.  With several waiters each may have been woken by
 * any signal since the first of them came: all of them count.
 *
 * Misuse: a waiter counts as blocked as long as fewer signals came than there
 * are waiters, so what is said of blocked waiters is never said too early.
 * What waiters and signallers hold besides is remembered until the condition is
 * destroyed or initialised, another one is seen at its address, or too many have
 * such a memory.
 *
 * A signal looks at one word (lgi_condition_watched) when nobody waits. */
#ifndef LOCKGRAPH_INTERPOSE_COND_ORDER_H
#define LOCKGRAPH_INTERPOSE_COND_ORDER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "engine/thread.h"

/* The conditions of one bucket: how many waiters and things remembered there
 * are, and the last signal.
 *
 * watch: written under the lock, relaxed; read by signallers (relaxed): who
 * signals under the mutex of a waiter sees what that waiter wrote.
 * The last signal: by signallers, relaxed, for reports only; `condition` is 0
 * while the others change. */
enum { LGI_CONDITION_BUCKETS = 1024 };
struct lgi_condition_bucket {
    _Atomic uint32_t watch;
    _Atomic uint32_t thread; /* serial */
    _Atomic uintptr_t condition, site;
};
extern struct lgi_condition_bucket lgi_condition_buckets[LGI_CONDITION_BUCKETS];

static inline struct lgi_condition_bucket *lgi_condition_bucket(const void *condition) {
    return &lgi_condition_buckets[(uintptr_t)condition * 0x9e3779b97f4a7c15u >> 54];
}
static inline bool lgi_condition_watched(const void *condition) {
    return atomic_load_explicit(&lgi_condition_bucket(condition)->watch, memory_order_relaxed) != 0;
}

/* A wait for a condition, or a signal to it. */
struct lgi_condition_use {
    const void *mutex; /* of a waiter; NULL: it has none that counts */
    uint64_t mutex_id;
    uint32_t context; /* of the call */
    uint32_t serial;  /* of the thread */
};

/* Two threads' uses that do not go together. */
struct lgi_condition_conflict {
    bool found;
    struct lgi_condition_use other;
    struct lge_held held; /* the lock that both take, where there is one */
};

/* The caller is about to wait; `conflict`: another thread is blocked with
 * another mutex.  How many of the waiters were signalled, readable until the
 * wait ends; NULL: not known. */
const _Atomic uint32_t *lgi_condition_wait_begin(const void *condition, const struct lgi_condition_use *use,
                                                 struct lgi_condition_conflict *conflict);
/* `woken`: by a signal, not by time or cancellation. */
void lgi_condition_wait_end(struct lge_thread *thread, const void *condition, bool woken);
/* A waiter holds something besides its mutex; `conflict`: a signaller takes it,
 * too. */
void lgi_condition_waits_holding(const struct lge_thread *thread, const void *condition,
                                 const struct lgi_condition_use *use,
                                 struct lgi_condition_conflict *conflict);
/* A signal of that thread from `site`, for lgi_condition_last_signal. */
void lgi_condition_note_signal(const struct lge_thread *thread, const void *condition, uintptr_t site);
bool lgi_condition_last_signal(const void *condition, uint32_t *thread, uintptr_t *site);
/* Before a signal (`all`: a broadcast); `conflict`: what it takes on its way is
 * held by waiters.  *newest: the number of the newest wait that was counted, or
 * one of these. */
enum { LGI_ALL_COUNTED = 0, LGI_NO_WAITS = 1 };
void lgi_condition_signal(struct lge_thread *thread, const void *condition, bool all, uintptr_t site,
                          uintptr_t sp, struct lgi_condition_conflict *conflict, uint64_t *newest);
/* After it, unless all were counted: counts it anew when there is a newer wait. */
void lgi_condition_signal_after(const void *condition, bool all, uint64_t newest);
/* Before the condition is destroyed; `conflict`: somebody is blocked. */
void lgi_condition_destroy(const void *condition, struct lgi_condition_conflict *conflict);
/* Before it is initialised: what was known of that address is over. */
void lgi_condition_init(const void *condition);
/* In a forked child: nobody waits. */
void lgi_condition_forget(void);

#endif
