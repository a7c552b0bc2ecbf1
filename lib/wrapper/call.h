/* One call of the lg_ API: which lock, what it was declared as, from where.  What
 * is here is the same for every kind of lock: its class, its time limit, the look
 * at its level before it may block.
 *
 * | default timeout, policy | any thread, relaxed: a call sees the one or the other |
 * | struct lg_declared      | the program's, constant while others use the lock     | */
#ifndef LOCKGRAPH_WRAPPER_CALL_H
#define LOCKGRAPH_WRAPPER_CALL_H

#include "interpose/mutex.h" /* struct lgi_limit */
#include "lockgraph/level.h"

struct lgw_call {
    const struct lg_declared *declared;
    const void *address; /* of the pthread object */
    uint8_t kind;        /* enum lgr_lock_kind */
    uint8_t mode;        /* enum lgr_mode */
    uintptr_t site, sp;
};
#define LGW_CALL(lock, object, lock_kind, lock_mode)                                                         \
    {                                                                                                        \
        &(lock)->declared, (const void *)(uintptr_t) & (lock)->object, (lock_kind), (lock_mode), LGI_SITE(), \
            LGI_SP()                                                                                         \
    }

/* From the constructor: enum lg_policy of the option. */
void lgw_start(enum lg_policy policy);
/* EINVAL where the level is out of range. */
int lgw_declare(struct lg_declared *declared, const char *name, int level, bool keyed, uint64_t key);
/* LGE_CLASS_NONE: as an unnamed lock. */
uint32_t lgw_class(const struct lg_declared *declared);

/* Of a call without a limit of its own; NULL: none. */
const struct lgi_limit *lgw_net(const struct lg_declared *declared, struct lgi_limit *limit);
/* Of the caller's own: `ms` from now, and until a point in time. */
struct lgi_limit lgw_after(int32_t ms);
struct lgi_limit lgw_until(const struct timespec *at);

/* What becomes of a call that is against what was declared, and told: the program may
 * end here. */
bool lgw_refuses(struct lge_thread *thread, const struct lg_declared *declared);
/* Before it may block; `id` of the lock.  0, or EDEADLK: the call is refused. */
int lgw_permit(struct lge_thread *thread, const struct lgw_call *call, uint64_t id);
/* Its id, and that at its first use, under its class. */
typedef uint64_t lgw_identify(struct lge_thread *thread, const struct lgw_call *call);
/* Before each call: 0, or why it is refused.  An `attempt` cannot block, and is
 * allowed. */
static inline int lgw_before(const struct lgw_call *call, lgw_identify *identify, bool attempt) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return 0;
    uint64_t id = identify(thread, call);
    int error = attempt ? 0 : lgw_permit(thread, call, id);
    lgi_leave(thread);
    return error;
}
/* Whether its lock is meant to be held over calls that block. */
static inline bool lgw_may_block(const struct lg_declared *declared) {
    return declared->group != NULL && (declared->group->policy & LG_MAY_BLOCK) != 0;
}
/* The lock was taken, if `result` is 0; returns it. */
int lgw_taken(const struct lgw_call *call, int result);
/* Whether the calling thread holds it, as far as is known. */
bool lgw_holds(const void *address);

#endif
