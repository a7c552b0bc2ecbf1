/* The signal handlers that a thread is in, innermost last.
 *
 * A handler may be left by siglongjmp, which nobody tells: its mark is gone as
 * soon as the stack is seen above it. */
#ifndef LOCKGRAPH_ENGINE_HANDLERS_H
#define LOCKGRAPH_ENGINE_HANDLERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Deeper ones are counted, not told apart. */
enum { LGE_HANDLER_DEPTH = 6 };

struct lge_handler_mark {
    uintptr_t frame;     /* the handler's frames are below */
    uintptr_t low, high; /* the alternate stack it runs on; 0, 0: none */
    uint32_t slot;
    uint16_t signal;
    bool inside;   /* it interrupted the runtime itself, or has no room for it */
    bool suspends; /* it interrupted a wait: lge_wait_suspend */
    bool unseen;   /* what it locks is passed through: the runtime was at work, or it has no room */
};
struct lge_handlers {
    uint32_t depth;
    struct lge_handler_mark marks[LGE_HANDLER_DEPTH];
};

/* The innermost one of `depth`; NULL: there is none. */
static inline const struct lge_handler_mark *lge_handler_at(const struct lge_handlers *handlers,
                                                            uint32_t depth) {
    if (depth == 0)
        return NULL;
    return &handlers->marks[depth < LGE_HANDLER_DEPTH ? depth - 1 : LGE_HANDLER_DEPTH - 1];
}

/* Whether code with its stack at `sp` runs outside that handler. */
static inline bool lge_handler_left(const struct lge_handler_mark *mark, uintptr_t sp) {
    return sp >= mark->frame || (mark->high != 0 && sp < mark->low);
}

#endif
