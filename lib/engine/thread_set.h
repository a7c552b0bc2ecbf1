/* Waiting threads, each in the wait in which it was found.  A local of one look;
 * its memory is given back with lge_set_free. */
#ifndef LOCKGRAPH_ENGINE_THREAD_SET_H
#define LOCKGRAPH_ENGINE_THREAD_SET_H

#include "engine/thread.h"

struct lge_member {
    struct lge_thread *thread;
    uint32_t sequence; /* of its wait, as it was when it joined the set */
};
struct lge_thread_set {
    struct lge_member *members;
    size_t count, room;
};

bool lge_set_contains(const struct lge_thread_set *set, const struct lge_thread *thread);
/* False when it does not wait, or is NULL. */
bool lge_set_add(struct lge_thread_set *set, struct lge_thread *thread);
/* Adds every thread that has not ended; false when one does not wait. */
bool lge_set_add_everybody(struct lge_thread_set *set);
/* All still are in the same wait. */
bool lge_set_unchanged(const struct lge_thread_set *set);
void lge_set_free(struct lge_thread_set *set);

#endif
