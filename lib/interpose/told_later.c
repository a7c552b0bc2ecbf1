#include "interpose/told_later.h"

#include <errno.h>

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

void lgi_tell_noted(void) {
    int saved = errno;
    for (struct lgi_noted *noted; (noted = lgi_local.noted) != NULL;) {
        lgi_local.noted = noted->next;
        noted->tell(noted);
        lgp_free(noted, noted->size);
    }
    errno = saved;
}
