/* munmap(2): memory that goes while a lock in it is held.  What free() gives back
 * is not looked at: a held lock in it is found when the same memory is locked or
 * initialised again.  And what is mapped at the same address later are other locks,
 * as far as the lock itself does not say which it is. */
#include <pthread.h>
#include <sys/mman.h>

#include "engine/destroyed.h"
#include "engine/holders.h"
#include "engine/identity.h"
#include "engine/misuse.h"
#include "interpose/barrier_order.h"
#include "interpose/mutex_kind.h"
#include "interpose/real.h"
#include "interpose/self.h"

enum { PAGE = 4096 }; /* at least */

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

/* Of whole pages; 0 where the kernel will refuse for certain, and nothing goes. */
static size_t whole_pages(const void *start, size_t size) {
    const uintptr_t end_of_space = (uintptr_t)1 << 56; /* at most, where addresses have 64 bits */
    size_t whole = (size + PAGE - 1) & ~(size_t)(PAGE - 1);
    bool refused = (uintptr_t)start % PAGE != 0 || (uintptr_t)start > end_of_space ||
                   whole > end_of_space - (uintptr_t)start;
    return refused ? 0 : whole;
}

static void forget(const void *start, size_t whole) {
    lge_identity_table_unmapped(start, whole);
    lge_destroyed_unmapped(start, whole);
    lgi_barriers_unmapped(start, whole);
}

/* Forgotten first: as soon as the real function has returned, other memory may be
 * there. */
LGI_EXPORT int munmap(void *start, size_t size) {
    struct lge_thread *thread = lgi_enter();
    if (thread != NULL) {
        size_t whole = whole_pages(start, size);
        if (whole != 0 && lge_misuse_wanted(LGR_KIND_FREE_HELD))
            look(thread, start, whole, LGI_SITE(), LGI_SP());
        if (whole != 0)
            forget(start, whole);
        lgi_leave(thread);
    }
    return lgi_real.munmap(start, size);
}
