/* A function of the program and what it wants to be given, read together: a pair is
 * never changed, but another one put in its place. */
#ifndef LOCKGRAPH_INTERPOSE_CALLBACK_PAIR_H
#define LOCKGRAPH_INTERPOSE_CALLBACK_PAIR_H

#include <stddef.h>

struct lgi_pair {
    void (*function)(void); /* cast by who knows its type */
    void *user;
    const struct lgi_pair *next; /* made before */
};

/* All zero at first.  `now`: release and acquire. */
struct lgi_pair_place {
    _Atomic(const struct lgi_pair *) now, made;
};

/* `function` NULL: none from now on; so it is when memory is out.  A pair that was
 * there before is used again: what calls cost is bounded by how many pairs differ. */
void lgi_pair_set(struct lgi_pair_place *place, void (*function)(void), void *user);
/* NULL: none.  Stays readable for ever.  Async-signal-safe. */
const struct lgi_pair *lgi_pair_get(struct lgi_pair_place *place);

#endif
