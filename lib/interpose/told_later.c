#include "interpose/told_later.h"

#include <errno.h>
#include <pthread.h>

#include "interpose/self.h"
#include "platform/memory.h"

void *lgi_note(size_t size, void (*tell)(const struct lgi_noted *noted)) {
    struct lgi_noted *noted = lgp_alloc(size), **end = &lgi_local.noted;
    if (noted == NULL)
        return NULL;
    noted->size = size;
    noted->tell = tell;
    while (*end != NULL)
        end = &(*end)->next;
    *end = noted;
    return noted;
}

/* Not what interrupted code of the program, and not between its fork handlers, which
 * may hold what a callback takes. */
static bool may_tell(void) {
    const struct lge_thread *thread = lgi_local.block;
    return !lgi_local.forking && (thread == NULL || thread->handlers.depth == 0);
}

/* A callback may write; a lock call that is no cancellation point stays none. */
void lgi_tell_noted(void) {
    int saved = errno, cancellation;
    if (!may_tell())
        return;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellation);
    for (struct lgi_noted *noted; (noted = lgi_local.noted) != NULL;) {
        lgi_local.noted = noted->next;
        lgi_block();
        noted->tell(noted);
        lgi_unblock();
        lgp_free(noted, noted->size);
    }
    pthread_setcancelstate(cancellation, NULL);
    errno = saved;
}
