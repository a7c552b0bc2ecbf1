/* Declared levels: a thread may only take a lock of a higher level than all it
 * holds, or one of the same level with a greater key where both are keyed.
 *
 * Looked at before a request may block, and told on the first wrong use, without
 * the right one having been seen.  A class has the level, a hold the key (the lock's
 * address where the order file says so); a lock without a level is neither checked nor
 * in anybody's way.
 *
 * | level, keyed of a class | written before its id is handed out; read by anybody |
 * | order_key, bits below   | owner of the held stack                              |
 *
 * The key of a lock of a class that no front end checks: lock_note.h.
 *
 * The look costs the same however much is held: the newest hold with a level is
 * the highest, unless it says that one below it was higher when it was taken. */
#ifndef LOCKGRAPH_ENGINE_LEVEL_H
#define LOCKGRAPH_ENGINE_LEVEL_H

#include "engine/thread.h"

enum { LGE_NO_LEVEL = INT16_MIN };

/* A class of that name at that level: another level makes it another class.  With
 * `by_front_end` requests of its locks are checked by whoever makes them, and not
 * by lge_check. */
uint32_t lge_class_levelled(const char *name, int16_t level, bool keyed, bool by_front_end);
/* Its level; LGE_NO_LEVEL: none. */
int16_t lge_class_level(uint32_t class_id);
/* Somebody says that this is a lock: its class has a level, or a place in the order
 * file. */
bool lge_lock_declared(uint64_t id);

/* Whether the request keeps the order; reported when it does not.  Before it
 * blocks; never for a trylock.  A lock the thread holds already keeps it. */
bool lge_level_check(struct lge_thread *thread, const struct lge_request *request, uint64_t key);
/* The same without a report, for a lock of that level and key. */
bool lge_level_allows(const struct lge_thread *thread, int16_t level, bool keyed, uint64_t key);
/* The newest hold of `address` was just taken: keeps its key. */
void lge_level_hold(struct lge_thread *thread, const void *address, uint64_t key);

/* Reports that the request is against the declared order because of that hold. */
void lge_level_report(struct lge_thread *thread, const struct lge_request *request,
                      const struct lge_held *forbidding, uint64_t detail);

/* lge_check: of a class that no front end checks.  Nothing while there is none. */
extern _Atomic bool lge_levels_unchecked; /* relaxed: set before the first id of such a class */
void lge_level_requested(struct lge_thread *thread, const struct lge_request *request);
void lge_levels_reset(void);

#endif
