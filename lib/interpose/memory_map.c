/* munmap(2): memory that goes while a lock in it is held.  What free() gives back
 * is not looked at: a held lock in it is found when the same memory is locked or
 * initialised again. */
#include <pthread.h>
#include <sys/mman.h>

#include "engine/holders.h"
#include "engine/misuse.h"
#include "interpose/mutex_kind.h"
#include "interpose/real.h"
#include "interpose/self.h"

/* The memory is still there: the mutex itself tells whether it is held. */
static bool held_now(const struct lge_holder *holder) {
    if (holder->kind != LGR_LOCK_MUTEX)
        return holder->kind != LGR_LOCK_SEMAPHORE && holder->kind != LGR_LOCK_FILE;
    return lgi_mutex_state(holder->address).owner == holder->tid;
}

static void look(struct lge_thread *thread, void *start, size_t size, uintptr_t site, uintptr_t sp) {
    struct lge_holder holder = lge_holder_within(start, size, held_now);
    if (holder.serial == 0)
        return;
    struct lge_misuse misuse = {.kind = LGR_KIND_FREE_HELD,
                                .lock = holder.lock,
                                .site = site,
                                .sp = sp,
                                .earlier_context = holder.context,
                                .earlier_thread = holder.serial,
                                .address = holder.address,
                                .lock_kind = holder.kind,
                                .attributes = holder.attributes};
    lge_report_misuse(thread, &misuse);
}

LGI_EXPORT int munmap(void *start, size_t size) {
    struct lge_thread *thread = lge_misuse_wanted(LGR_KIND_FREE_HELD) ? lgi_enter() : NULL;
    if (thread != NULL) {
        look(thread, start, size, LGI_SITE(), LGI_SP());
        lgi_leave(thread);
    }
    return lgi_real.munmap(start, size);
}
