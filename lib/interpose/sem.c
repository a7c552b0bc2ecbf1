/* sem_*: POSIX.1-2017 sem_wait(3p), sem_post(3p) and neighbours, with glibc's
 * sem_clockwait.  sem_unlink needs no hook: a name that is gone is no event.
 *
 * sem_post is async-signal-safe (signal-safety(7)).  From a handler that
 * interrupted the program it takes locks of ours that nobody on this thread
 * holds; from one that interrupted the runtime it takes none. */
#include "interpose/sem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>

#include "engine/context.h"
#include "engine/holders.h"
#include "engine/hot_path.h"
#include "engine/misuse.h"
#include "engine/overlong.h"
#include "engine/semaphore.h"
#include "interpose/real.h"
#include "interpose/sem_fast.h"
#include "interpose/sem_wait.h"
#include "interpose/wait_slices.h"
#include "platform/memory.h"

/* glibc uses the first sixteen bytes; sem_init leaves the others as they are. */
enum { TAG_OFFSET = 16 };
_Static_assert(sizeof(sem_t) >= TAG_OFFSET + sizeof(struct lge_tag), "no room for a tag");
_Static_assert(_Alignof(sem_t) % _Alignof(struct lge_tag) == 0, "tag not aligned");

static bool use_tags;

static inline struct lge_tag *tag_of(sem_t *semaphore) {
    return (struct lge_tag *)(void *)((char *)semaphore + TAG_OFFSET);
}

/* ---- the hot path ---- */

static inline uint8_t mode_of(unsigned facts) {
    return facts & LGE_SEMAPHORE_SEVERAL ? LGR_SHARED : LGR_EXCLUSIVE;
}

__attribute__((always_inline)) static inline bool take_known(struct lge_thread *thread, sem_t *semaphore,
                                                             uint64_t id, uint64_t key, uintptr_t site,
                                                             uintptr_t sp, uint32_t context, uint8_t mode,
                                                             bool nested) {
    if (LGI_UNLIKELY(!lgi_fast_sem_take(semaphore)))
        return false;
    lge_hold(thread, key, id, semaphore, site, sp, context, mode, LGR_LOCK_SEMAPHORE, 0, nested);
    return true;
}

/* A chain in its far line, or a call site inside a lock wrapper. */
__attribute__((noinline)) static int wait_other(struct lge_thread *thread, sem_t *semaphore, uint64_t id,
                                                uint8_t mode, uintptr_t site, uintptr_t sp) {
    struct lge_second_look look = lge_look_again(thread, id, mode, site, sp);
    if (look.known && take_known(thread, semaphore, id, look.key, site, sp, look.context, mode, look.nested))
        return 0;
    return lgi_sem_wait(semaphore, site, sp, NULL);
}

/* The id of a semaphore that may be taken without a look, else 0: tagged, a
 * lock, and room for one more hold. */
static inline uint64_t fast_id(const struct lge_thread *thread, sem_t *semaphore, unsigned *facts) {
    if (LGI_UNLIKELY(thread == NULL || thread->top == thread->last || !lge_hot.fast_semaphore))
        return 0;
    uint64_t id = lge_semaphore_tag(tag_of(semaphore), semaphore, facts);
    return *facts & (LGE_SEMAPHORE_SIGNAL | LGE_SEMAPHORE_DESTROYED | LGE_SEMAPHORE_STALE) ? 0 : id;
}

/* A cancellation point even when there is a slot: POSIX "shall occur".  It comes
 * first, as in glibc, and nothing needs to be kept across it. */
LGI_EXPORT int sem_wait(sem_t *semaphore) {
    pthread_testcancel();
    struct lge_thread *thread = lgi_self();
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    unsigned facts = 0;
    uint64_t id = fast_id(thread, semaphore, &facts);
    if (LGI_UNLIKELY(id == 0))
        return lgi_sem_wait(semaphore, site, sp, NULL);
    const struct lge_held *top = thread->top;
    bool nested = top != thread->base;
    uint8_t mode = mode_of(facts);
    uint64_t below = nested ? top->key : LGE_NO_HOLDS;
    uint64_t key = lge_chain_key(below, id, mode, lge_place(site, 0));
    if (LGI_UNLIKELY(!lge_site_plain(site) || (nested && !lge_known(thread, below, key))))
        return wait_other(thread, semaphore, id, mode, site, sp);
    if (LGI_LIKELY(take_known(thread, semaphore, id, key, site, sp, 0, mode, nested)))
        return 0;
    return lgi_sem_wait(semaphore, site, sp, NULL);
}

/* By its newest holder, as holders do, and nobody waits. */
LGI_EXPORT int sem_post(sem_t *semaphore) {
    struct lge_thread *thread = lgi_self();
    unsigned facts = 0;
    uint64_t now;
    if (LGI_UNLIKELY(thread == NULL || thread->top->address != semaphore || !lge_hot.fast_semaphore ||
                     lge_semaphore_tag(tag_of(semaphore), semaphore, &facts) != thread->top->id ||
                     (facts & ~(unsigned)LGE_SEMAPHORE_SEVERAL) != LGE_SEMAPHORE_PROVEN ||
                     !lgi_fast_sem_quiet(semaphore, &now)))
        return lgi_sem_post(semaphore, LGI_SITE(), LGI_SP());
    thread->top--;
    return LGI_LIKELY(lgi_fast_sem_give(semaphore, now)) ? 0 : lgi_real.sem_post(semaphore);
}

/* ---- which semaphore ---- */

struct identified {
    uint64_t id;
    unsigned facts;
    struct lge_tag *tag; /* NULL: in the side table */
};

static struct identified identify(struct lge_thread *thread, sem_t *semaphore, uintptr_t site, uintptr_t sp) {
    struct identified found = {.tag = tag_of(semaphore)};
    if (use_tags)
        found.id = lge_semaphore_tag(found.tag, semaphore, &found.facts);
    if (found.id != 0 && (found.facts & LGE_SEMAPHORE_STALE) != 0)
        lge_semaphore_mark(found.tag, semaphore, found.id, found.facts);
    found.facts &= LGE_SEMAPHORE_FACTS;
    if (found.id != 0)
        return found;
    found.tag = NULL;
    found.id = lge_identity_table_first_use(thread, semaphore, site, sp);
    found.facts = lge_semaphore_facts_of(found.id);
    return found;
}

static struct lge_request request_of(struct lge_thread *thread, sem_t *semaphore,
                                     const struct identified *found, uintptr_t site, uintptr_t sp) {
    struct lge_request request = {
        .address = semaphore,
        .id = found->id,
        .site = site,
        .sp = sp,
        .attributes = found->tag == NULL ? LGR_LOCK_PSHARED : 0,
    };
    if ((found->facts & LGE_SEMAPHORE_SIGNAL) == 0)
        request.context = lge_context_at_site(thread, site, sp);
    lge_semaphore_request(&request, found->facts);
    return request;
}

static struct lge_misuse misuse_of(enum lgr_kind kind, uint64_t id, const sem_t *semaphore, uintptr_t site,
                                   uintptr_t sp) {
    return (struct lge_misuse){.kind = kind,
                               .lock = id,
                               .site = site,
                               .sp = sp,
                               .address = semaphore,
                               .lock_kind = LGR_LOCK_SEMAPHORE};
}

/* True, and told, when nothing has made a semaphore of it again since it was
 * destroyed. */
static bool destroyed(struct lge_thread *thread, const struct identified *found, const sem_t *semaphore,
                      uintptr_t site, uintptr_t sp) {
    if ((found->facts & LGE_SEMAPHORE_DESTROYED) == 0)
        return false;
    struct lge_misuse misuse = misuse_of(LGR_KIND_SEM_MISUSE, found->id, semaphore, site, sp);
    lge_semaphore_grave(found->id, &misuse.earlier_context, &misuse.earlier_thread);
    lge_report_misuse(thread, &misuse);
    return true;
}

/* ---- wait ---- */

int lgi_sem_pass_through(sem_t *semaphore, const struct lgi_limit *limit) {
    if (limit == NULL)
        return lgi_real.sem_wait(semaphore);
    return limit->by_clock ? lgi_real.sem_clockwait(semaphore, limit->clock, limit->at)
                           : lgi_real.sem_timedwait(semaphore, limit->at);
}

/* Nobody holds it, and anybody may post it: while it is waited for, only a stall
 * is looked for, and only where there is no limit. */
static int take_signal(struct lge_thread *thread, sem_t *semaphore, const struct lge_request *request,
                       const struct lgi_limit *limit) {
    int saved = errno;
    bool taken = limit == NULL && lgi_real.sem_trywait(semaphore) == 0;
    errno = saved;
    if (limit == NULL && !taken)
        return lgi_sem_block_for_signal(thread, semaphore, request);
    lgi_leave(thread);
    return taken ? 0 : lgi_sem_pass_through(semaphore, limit);
}

static int wait_for_signal(struct lge_thread *thread, sem_t *semaphore, const struct lge_request *request,
                           const struct lge_tag *tag, const struct lgi_limit *limit) {
    lge_semaphore_drop_stale(thread);
    int result = take_signal(thread, semaphore, request, limit);
    unsigned facts = LGE_SEMAPHORE_ORDERS;
    if (result == 0 && tag != NULL)
        lge_semaphore_tag(tag, semaphore, &facts);
    if (result == 0 && (facts & LGE_SEMAPHORE_ORDERS) != 0 && lgi_enter() != NULL) {
        lge_semaphore_acquired(thread, request);
        lgi_leave(thread);
    }
    return result;
}

static int wait_for_slot(struct lge_thread *thread, sem_t *semaphore, const struct lge_request *request,
                         const struct lgi_limit *limit) {
    int saved = errno;
    lge_check(thread, request);
    if (lgi_real.sem_trywait(semaphore) != 0) {
        errno = saved;
        int result = lgi_sem_block(thread, semaphore, request, limit);
        if (result != 0 || lgi_enter() == NULL)
            return result;
    }
    lge_semaphore_acquired(thread, request);
    lgi_leave(thread);
    return 0;
}

/* What is refused is glibc's to refuse; sem_clockwait does not look for a
 * cancellation while there is a slot, the others do. */
__attribute__((noinline)) int lgi_sem_wait(sem_t *semaphore, uintptr_t site, uintptr_t sp,
                                           const struct lgi_limit *limit) {
    if (limit != NULL && !lgi_limit_valid(limit))
        return lgi_sem_pass_through(semaphore, limit);
    if (limit != NULL && !limit->by_clock)
        pthread_testcancel();
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return lgi_sem_pass_through(semaphore, limit);
    struct identified found = identify(thread, semaphore, site, sp);
    if (destroyed(thread, &found, semaphore, site, sp)) {
        lgi_leave(thread);
        return lgi_sem_pass_through(semaphore, limit);
    }
    struct lge_request request = request_of(thread, semaphore, &found, site, sp);
    request.flags |= lgi_limit_flags(limit);
    if (found.facts & LGE_SEMAPHORE_SIGNAL)
        return wait_for_signal(thread, semaphore, &request, found.tag, limit);
    return wait_for_slot(thread, semaphore, &request, limit);
}

LGI_EXPORT int sem_timedwait(sem_t *semaphore, const struct timespec *at) {
    struct lgi_limit limit = {.clock = CLOCK_REALTIME, .at = at, .by_clock = false};
    return lgi_sem_wait(semaphore, LGI_SITE(), LGI_SP(), &limit);
}

LGI_EXPORT int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *at) {
    struct lgi_limit limit = {.clock = clock, .at = at, .by_clock = true};
    return lgi_sem_wait(semaphore, LGI_SITE(), LGI_SP(), &limit);
}

int lgi_sem_trywait(sem_t *semaphore, uintptr_t site, uintptr_t sp) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return lgi_real.sem_trywait(semaphore);
    struct identified found = identify(thread, semaphore, site, sp);
    bool gone = destroyed(thread, &found, semaphore, site, sp);
    int result = lgi_real.sem_trywait(semaphore);
    if (result == 0 && !gone) {
        struct lge_request request = request_of(thread, semaphore, &found, site, sp);
        lge_semaphore_acquired(thread, &request);
    }
    lgi_leave(thread);
    return result;
}

LGI_EXPORT int sem_trywait(sem_t *semaphore) { return lgi_sem_trywait(semaphore, LGI_SITE(), LGI_SP()); }

/* ---- post ---- */

/* A handler posts while the runtime is at work on this thread. */
static int post_unseen(sem_t *semaphore) {
    unsigned facts = 0;
    bool known = use_tags && lge_semaphore_tag(tag_of(semaphore), semaphore, &facts) != 0;
    if (lgi_up && (known ? (facts & LGE_SEMAPHORE_SIGNAL) == 0 : !use_tags))
        lge_semaphore_unseen_post();
    return lgi_real.sem_post(semaphore);
}

/* A signal, and nothing of this thread can order anything. */
static bool nothing_flows(const struct lge_thread *thread, sem_t *semaphore) {
    unsigned facts = 0;
    return thread != NULL && use_tags && !lge_thread_has_past(thread) &&
           lge_semaphore_tag(tag_of(semaphore), semaphore, &facts) != 0 &&
           (facts & (LGE_SEMAPHORE_SIGNAL | LGE_SEMAPHORE_DESTROYED)) == LGE_SEMAPHORE_SIGNAL;
}

static void refused(const sem_t *semaphore, uint64_t id, uintptr_t site, uintptr_t sp) {
    int error = errno;
    struct lge_thread *thread = error == EOVERFLOW ? lgi_enter() : NULL;
    if (thread == NULL)
        return;
    struct lge_misuse misuse = misuse_of(LGR_KIND_API_ERROR, id, semaphore, site, sp);
    misuse.detail = (uint64_t)error;
    lge_report_misuse(thread, &misuse);
    lgi_leave(thread);
    errno = error;
}

/* Everything is noted before the post: who gets it may destroy the semaphore. */
__attribute__((noinline)) int lgi_sem_post(sem_t *semaphore, uintptr_t site, uintptr_t sp) {
    if (nothing_flows(lgi_self(), semaphore))
        return lgi_real.sem_post(semaphore);
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return post_unseen(semaphore);
    struct identified found = identify(thread, semaphore, site, sp);
    if (!destroyed(thread, &found, semaphore, site, sp)) {
        lge_releasing(thread, semaphore, site, sp);
        unsigned facts = lge_semaphore_posting(thread, found.id, semaphore);
        if (found.tag != NULL && facts != found.facts)
            lge_semaphore_mark(found.tag, semaphore, found.id, facts);
    }
    lgi_leave(thread);
    int result = lgi_real.sem_post(semaphore);
    if (result != 0)
        refused(semaphore, found.id, site, sp);
    return result;
}

/* ---- life ---- */

/* It may be held, for all that semaphores promise. */
static void forget(struct lge_thread *thread, uint64_t id) {
    if (id == 0)
        return;
    lge_semaphore_destroyed(id);
    lge_lock_destroyed(id);
    lge_semaphore_drop_stale(thread);
}

static void clear_tag(struct lge_thread *thread, sem_t *semaphore) {
    unsigned facts;
    if (!use_tags)
        return;
    forget(thread, lge_semaphore_tag(tag_of(semaphore), semaphore, &facts));
    atomic_store_explicit(&tag_of(semaphore)->id, 0, memory_order_relaxed);
    atomic_store_explicit(&tag_of(semaphore)->check, 0, memory_order_relaxed);
}

bool lgi_sem_rename(struct lge_thread *thread, sem_t *semaphore, uint32_t class_id) {
    unsigned facts;
    int slots = 0;
    if (!use_tags || lge_semaphore_tag(tag_of(semaphore), semaphore, &facts) == 0 ||
        (facts & LGE_SEMAPHORE_DESTROYED) != 0 || sem_getvalue(semaphore, &slots) != 0)
        return false;
    clear_tag(thread, semaphore);
    uint64_t id = lge_identity_tag_declared(thread, tag_of(semaphore), semaphore, class_id);
    lge_semaphore_mark(tag_of(semaphore), semaphore, id,
                       lge_semaphore_created(id, semaphore, (unsigned)slots, false));
    return true;
}

/* By the call at (site, sp), or, not LGE_CLASS_NONE, as one of that class. */
static void initialised(sem_t *semaphore, bool shared, unsigned value, uint32_t class_id, uintptr_t site,
                        uintptr_t sp) {
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return;
    clear_tag(thread, semaphore);
    forget(thread, lge_identity_table_forget(semaphore));
    if (use_tags && !shared) {
        uint64_t id = class_id != LGE_CLASS_NONE
                          ? lge_identity_tag_declared(thread, tag_of(semaphore), semaphore, class_id)
                          : lge_identity_tag_initialised(thread, tag_of(semaphore), semaphore, site, sp);
        lge_semaphore_mark(tag_of(semaphore), semaphore, id,
                           lge_semaphore_created(id, semaphore, value, shared));
    } else {
        uint64_t id = class_id != LGE_CLASS_NONE
                          ? lge_identity_table_declared(thread, semaphore, class_id)
                          : lge_identity_table_initialised(thread, semaphore, site, sp);
        lge_semaphore_created(id, semaphore, value, shared);
    }
    lgi_leave(thread);
}

int lgi_sem_init(sem_t *semaphore, unsigned value, uint32_t class_id, uintptr_t site, uintptr_t sp) {
    int result = lgi_real.sem_init(semaphore, 0, value);
    if (result == 0)
        initialised(semaphore, false, value, class_id, site, sp);
    return result;
}

uint64_t lgi_sem_identity(struct lge_thread *thread, sem_t *semaphore, uintptr_t site, uintptr_t sp) {
    return identify(thread, semaphore, site, sp).id;
}

LGI_EXPORT int sem_init(sem_t *semaphore, int shared, unsigned value) {
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    int result = lgi_real.sem_init(semaphore, shared, value);
    if (result == 0)
        initialised(semaphore, shared != 0, value, LGE_CLASS_NONE, site, sp);
    return result;
}

static bool waited_for(sem_t *semaphore) {
    return lge_hot.fast_semaphore &&
           __atomic_load_n(lgi_sem_word(semaphore), __ATOMIC_RELAXED) >= LGI_SEM_WAITER;
}

static void bury(struct lge_thread *thread, sem_t *semaphore, const struct identified *found, uintptr_t site,
                 uintptr_t sp) {
    lge_semaphore_bury(found->id, lge_context_capture(thread, site, sp), lge_thread_serial(thread));
    forget(thread, found->id);
    lge_semaphore_mark(found->tag, semaphore, found->id, LGE_SEMAPHORE_DESTROYED);
}

/* Who waits for one that signals is not known. */
static void look_at_waiters(struct lge_thread *thread, sem_t *semaphore, uint64_t id, uintptr_t site,
                            uintptr_t sp) {
    if (!waited_for(semaphore))
        return;
    struct lge_holder waiter = lge_waiter_find(thread, id);
    struct lge_misuse misuse = misuse_of(LGR_KIND_SEM_MISUSE, id, semaphore, site, sp);
    misuse.earlier_context = waiter.context;
    misuse.earlier_thread = waiter.serial;
    misuse.detail = LGR_USE_WAITED;
    lge_report_misuse(thread, &misuse);
}

/* glibc destroys whatever it is given. */
LGI_EXPORT int sem_destroy(sem_t *semaphore) {
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL)
        return lgi_real.sem_destroy(semaphore);
    struct identified found = identify(thread, semaphore, site, sp);
    if (!destroyed(thread, &found, semaphore, site, sp)) {
        look_at_waiters(thread, semaphore, found.id, site, sp);
        if (found.tag != NULL)
            bury(thread, semaphore, &found, site, sp);
        else
            forget(thread, lge_identity_table_forget(semaphore));
    }
    lgi_leave(thread);
    return lgi_real.sem_destroy(semaphore);
}

/* ---- named ---- */

/* Only who made it exclusively knows its value. */
LGI_EXPORT sem_t *sem_open(const char *name, int flags, ...) {
    uintptr_t site = LGI_SITE(), sp = LGI_SP();
    if ((flags & O_CREAT) == 0)
        return lgi_real.sem_open(name, flags);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = va_arg(arguments, mode_t);
    unsigned value = va_arg(arguments, unsigned);
    va_end(arguments);
    sem_t *semaphore = lgi_real.sem_open(name, flags, mode, value);
    if (semaphore != SEM_FAILED && (flags & O_EXCL) != 0)
        initialised(semaphore, true, value, LGE_CLASS_NONE, site, sp);
    return semaphore;
}

/* Each open of one name yields the same address until the last is closed. */
LGI_EXPORT int sem_close(sem_t *semaphore) {
    int result = lgi_real.sem_close(semaphore);
    char byte;
    struct lge_thread *thread =
        result == 0 && !lgp_read_safely(&byte, semaphore, sizeof byte) ? lgi_enter() : NULL;
    if (thread != NULL) {
        forget(thread, lge_identity_table_forget(semaphore));
        lgi_leave(thread);
    }
    return result;
}

bool lgi_sem_alive(const void *address, uint64_t id, uint8_t attributes) {
    if (!use_tags || (attributes & LGR_LOCK_PSHARED) != 0)
        return lge_identity_table_has(address, id);
    struct lge_tag copy;
    unsigned facts;
    if (!lgp_read_safely(&copy, (const char *)address + TAG_OFFSET, sizeof copy))
        return false;
    return lge_semaphore_tag(&copy, address, &facts) == id && (facts & LGE_SEMAPHORE_DESTROYED) == 0;
}

bool lgi_sem_exhausted(const void *address) {
    uint64_t word;
    return lge_hot.fast_semaphore && lgp_read_safely(&word, address, sizeof word) && (uint32_t)word == 0;
}

/* ---- start ---- */

/* Whatever libc does with a semaphore, our bytes stay as they are. */
static bool room_is_ours(void) {
    sem_t semaphore;
    const struct timespec long_ago = {.tv_sec = 1};
    const unsigned char pattern = 0x5a;
    memset(&semaphore, pattern, sizeof semaphore);
    bool works = lgi_real.sem_init(&semaphore, 0, 0) == 0 && lgi_real.sem_post(&semaphore) == 0 &&
                 lgi_real.sem_wait(&semaphore) == 0 && lgi_real.sem_trywait(&semaphore) != 0 &&
                 lgi_real.sem_timedwait(&semaphore, &long_ago) != 0 && lgi_real.sem_destroy(&semaphore) == 0;
    for (size_t i = TAG_OFFSET; i < TAG_OFFSET + sizeof(struct lge_tag); i++)
        works = works && ((const unsigned char *)&semaphore)[i] == pattern;
    return works;
}

void lgi_sem_start(bool tags) {
    use_tags = tags && room_is_ours();
    lgi_sem_fast_start();
    lge_hot.fast_semaphore = lge_hot.fast_semaphore && use_tags;
}
