/* What callbacks of the program are to hear: noted while engine locks are held, told by
 * the same thread, in that order, once it holds none. */
#ifndef LOCKGRAPH_INTERPOSE_TOLD_LATER_H
#define LOCKGRAPH_INTERPOSE_TOLD_LATER_H

#include <stddef.h>

/* The beginning of what is noted; what follows is for `tell`. */
struct lgi_noted {
    struct lgi_noted *next;
    size_t size; /* of the whole */
    void (*tell)(const struct lgi_noted *noted);
};

/* Adds a note of that size, all but its beginning zero; NULL: there is no memory.
 * Inside the runtime, with whatever locks. */
void *lgi_note(size_t size, void (*tell)(const struct lgi_noted *noted));
/* Inside the runtime, without engine locks; lgi_local.noted is not NULL.  In a signal
 * handler and during fork it waits for the next slow call of the thread. */
void lgi_tell_noted(void);

#endif
