/* lg_annotate: include/lockgraph/annotate.h. */
#include <errno.h>

#include "engine/context.h"
#include "engine/declared_order.h"
#include "engine/identity.h"
#include "engine/level.h"
#include "engine/lock_class.h"
#include "engine/lock_note.h"
#include "engine/wait_for.h"
#include "interpose/mutex_kind.h"
#include "interpose/mutex_misuse.h"
#include "interpose/rwlock.h"
#include "interpose/sem.h"
#include "interpose/spin.h"
#include "lockgraph/level.h"
#include "lockgraph/note.h"
#include "platform/print.h"
#include "wrapper/custom.h"

enum { HIGHEST_LEVEL = INT16_MAX, CLASS_FRAMES = 4 };

_Static_assert((int)LG_NOTE_MUTEX == LGR_LOCK_MUTEX && (int)LG_NOTE_RWLOCK == LGR_LOCK_RWLOCK &&
                   (int)LG_NOTE_SPIN == LGR_LOCK_SPIN && (int)LG_NOTE_SEMAPHORE == LGR_LOCK_SEMAPHORE &&
                   (int)LG_NOTE_CUSTOM == LGR_LOCK_CUSTOM,
               "kinds of locks as the evidence has them");

struct call {
    const struct lg_note *note;
    struct lge_thread *thread;
    uintptr_t site, sp;
    uint8_t kind;        /* enum lgr_lock_kind */
    const void *address; /* as the runtime knows the lock */
};

/* ---- the lock, whatever kind it is ---- */

/* A lock of the program's own may look like a spinlock, which is an int. */
static void find_lock(struct call *call) {
    const void *custom = lgw_custom_address(call->note->lock);
    call->kind = call->note->kind;
    call->address = (const void *)call->note->lock;
    if (call->kind == LGR_LOCK_SPIN && lge_identity_table_knows(custom))
        call->kind = LGR_LOCK_CUSTOM;
    if (call->kind == LGR_LOCK_CUSTOM)
        call->address = custom;
}

static pthread_mutex_t *mutex_of(const struct call *call) {
    return (pthread_mutex_t *)(uintptr_t)call->address;
}
static pthread_rwlock_t *rwlock_of(const struct call *call) {
    return (pthread_rwlock_t *)(uintptr_t)call->address;
}
static sem_t *semaphore_of(const struct call *call) { return (sem_t *)(uintptr_t)call->address; }

/* Its id, or 0. */
static uint64_t known(const struct call *call) {
    switch (call->kind) {
    case LGR_LOCK_MUTEX:
        return lgi_mutex_known(mutex_of(call));
    case LGR_LOCK_RWLOCK:
        return lgi_rwlock_known(rwlock_of(call));
    default:
        return lge_identity_table_known(call->address);
    }
}

static uint64_t forget(const struct call *call) {
    switch (call->kind) {
    case LGR_LOCK_MUTEX:
        return lgi_mutex_forget(mutex_of(call));
    case LGR_LOCK_RWLOCK:
        return lgi_rwlock_forget(rwlock_of(call));
    default:
        return lge_identity_table_forget(call->address);
    }
}

static uint64_t declared(const struct call *call, uint32_t class_id) {
    switch (call->kind) {
    case LGR_LOCK_MUTEX:
        return lgi_mutex_declared(call->thread, mutex_of(call), class_id);
    case LGR_LOCK_RWLOCK:
        return lgi_rwlock_declared(call->thread, rwlock_of(call), class_id);
    default:
        return lge_identity_table_declared(call->thread, call->address, class_id);
    }
}

static bool held_by_another(const struct call *call) {
    if (call->kind != LGR_LOCK_MUTEX)
        return false;
    struct lgi_mutex_state state = lgi_mutex_state(mutex_of(call));
    return state.locked != 0 && !lge_holds(call->thread, call->address);
}

/* What the caller holds goes on under the new id. */
static void rename_holds(const struct call *call, uint64_t id) {
    for (struct lge_held *held = call->thread->top; held > call->thread->base; held--)
        if (held->address == call->address)
            held->id = id;
}

/* From now on it is a lock of that class, or, LGE_CLASS_NONE, what its next use
 * makes of it; 0 or an errno value.  *id (may be NULL): the new one. */
static int become(const struct call *call, uint32_t class_id, uint64_t *id) {
    if (call->kind == LGR_LOCK_SEMAPHORE)
        return class_id != LGE_CLASS_NONE && lgi_sem_rename(call->thread, semaphore_of(call), class_id)
                   ? 0
                   : EINVAL;
    if (held_by_another(call))
        return EINVAL;
    bool shared = lge_identity_table_shared(known(call));
    uint64_t old = forget(call), fresh = 0;
    if (class_id != LGE_CLASS_NONE)
        rename_holds(call, fresh = declared(call, class_id));
    if (shared && fresh != 0)
        lge_identity_table_share(fresh);
    if (old != 0)
        lge_lock_destroyed(old);
    if (id != NULL)
        *id = fresh;
    return 0;
}

/* ---- names and levels ---- */

static const struct lge_class *class_now(const struct call *call) {
    uint64_t id = call->kind == LGR_LOCK_SEMAPHORE
                      ? lgi_sem_identity(call->thread, semaphore_of(call), call->site, call->sp)
                      : known(call);
    return lge_class_get(lge_lock_class(id));
}

static bool has_name(const struct lge_class *class) { return class != NULL && class->name != NULL; }

/* As the lock has a level by now, it keeps it. */
static int name(const struct call *call) {
    const struct lge_class *class = class_now(call);
    if (call->note->name == NULL)
        return EINVAL;
    if (class == NULL || class->level == LGE_NO_LEVEL)
        return become(call, lge_class_named(call->note->name), NULL);
    uint64_t id, key = class->by_address ? (uintptr_t)call->address : lge_noted_key(known(call));
    int error = become(call, lge_class_levelled(call->note->name, class->level, class->keyed, false), &id);
    if (error == 0 && class->keyed)
        lge_note_key(id, key);
    return error;
}

/* "&table->lock" is table->lock. */
static const char *expression(const struct lg_note *note) {
    const char *text = note->name != NULL ? note->name : "lock";
    while (*text == '&' || *text == ' ' || *text == '(')
        text++;
    return text;
}

/* What it is called tells less than who initialised it: a function of the program's
 * own may do it for all. */
static int initialised(const struct call *call) {
    const char *text = call->note->name;
    if (text == NULL || call->kind == LGR_LOCK_CUSTOM)
        return EINVAL;
    uint32_t context = lge_context_capture(call->thread, call->site, call->sp);
    return become(call,
                  lge_class_initialised_as(expression(call->note), lge_context_head(context, CLASS_FRAMES)),
                  NULL);
}

static int level(const struct call *call) {
    const struct lg_note *note = call->note;
    const struct lge_class *class = class_now(call);
    const char *text = has_name(class) ? class->name : expression(note);
    bool keyed = (note->flags & LG_NOTE_KEYED) != 0;
    if (note->level < LG_NO_LEVEL || note->level > HIGHEST_LEVEL) {
        lgp_warn("%s: level %d is none: levels are 1 to %d", text, note->level, HIGHEST_LEVEL);
        return EINVAL;
    }
    if (keyed && call->kind == LGR_LOCK_SEMAPHORE)
        return EINVAL;
    if (note->level == LG_NO_LEVEL)
        return become(call, lge_class_named(text), NULL);
    uint64_t id = 0;
    int error = become(call, lge_class_levelled(text, (int16_t)note->level, keyed, false), &id);
    if (error != 0 || !keyed)
        return error;
    return lge_note_key(id, note->key) ? 0 : ENOMEM;
}

/* A static lock's, too, which this may be the first to speak of; 0: there is none. */
static uint64_t identity(const struct call *call) {
    switch (call->kind) {
    case LGR_LOCK_MUTEX:
        return lgi_mutex_identity(call->thread, mutex_of(call), call->site, call->sp);
    case LGR_LOCK_RWLOCK:
        return lgi_rwlock_identity(call->thread, rwlock_of(call), call->site, call->sp);
    default:
        return known(call);
    }
}

static int key(const struct call *call) {
    uint64_t id = call->kind == LGR_LOCK_SEMAPHORE ? 0 : identity(call);
    if (id == 0)
        return EINVAL;
    return lge_note_key(id, call->note->key) ? 0 : ENOMEM;
}

static int order(const struct lg_note *note) {
    if (note->name == NULL || note->other == NULL)
        return EINVAL;
    if (lge_declare_order(note->name, note->other))
        return 0;
    lgp_warn("%s before %s contradicts the order declared so far, and is ignored", note->name, note->other);
    return EINVAL;
}

/* ---- not published, and published ---- */

static uint32_t class_of_place(const struct call *call) {
    uint32_t context = lge_context_capture(call->thread, call->site, call->sp);
    return lge_class_guessed(lge_context_head(context, CLASS_FRAMES));
}

/* Until then its class is a guess, which supports no more than a note; what is known
 * of the instance goes when it is published. */
static int unpublished(const struct call *call) {
    uint32_t class_id = lge_lock_class(known(call)), ignored;
    if (call->kind == LGR_LOCK_SEMAPHORE || lge_noted_unpublished(known(call), &ignored))
        return EINVAL;
    uint64_t id = 0;
    int error = become(call, class_of_place(call), &id);
    if (error != 0)
        return error;
    return lge_note_unpublished(id, class_id) ? 0 : ENOMEM;
}

static int published(const struct call *call) {
    uint32_t class_id;
    if (!lge_noted_unpublished(known(call), &class_id))
        return EINVAL;
    if (class_id == LGE_CLASS_NONE && lge_holds(call->thread, call->address))
        class_id = class_of_place(call);
    return become(call, class_id, NULL);
}

/* ---- from one thread to another ---- */

static int handed_over(const struct call *call) {
    atomic_store_explicit(&lge_handed_over, true, memory_order_relaxed);
    return lge_released(call->thread, call->address) ? 0 : EINVAL;
}

static void request_of(const struct call *call, struct lge_request *request) {
    if (call->kind == LGR_LOCK_MUTEX) {
        lgi_mutex_request(call->thread, mutex_of(call), call->site, call->sp, request);
        return;
    }
    *request = (struct lge_request){
        .address = call->address,
        .id = known(call),
        .site = call->site,
        .sp = call->sp,
        .context = lge_context_at_site(call->thread, call->site, call->sp),
        .mode = (call->note->flags & LG_NOTE_SHARED) != 0 ? LGR_SHARED : LGR_EXCLUSIVE,
        .kind = call->kind,
    };
}

static int taken_over(const struct call *call) {
    struct lge_request request;
    if (call->kind == LGR_LOCK_SEMAPHORE)
        return EINVAL;
    request_of(call, &request);
    if (request.id == 0)
        return EINVAL;
    lge_acquired(call->thread, &request);
    return 0;
}

/* ---- all of it ---- */

static int custom(const struct call *call) {
    struct lgw_custom lock = {call->thread, call->note->lock, call->site, call->sp,
                              (call->note->flags & LG_NOTE_SHARED) != 0};
    switch (call->note->what) {
    case LG_NOTE_CREATED:
        lgw_custom_created(&lock, call->note->name);
        return 0;
    case LG_NOTE_DESTROYED:
        lgw_custom_destroyed(&lock);
        return 0;
    case LG_NOTE_ACQUIRING:
        lgw_custom_acquiring(&lock);
        return 0;
    case LG_NOTE_BLOCKING:
        lgw_custom_blocking(&lock);
        return 0;
    case LG_NOTE_ACQUIRED:
        lgw_custom_acquired(&lock);
        return 0;
    case LG_NOTE_FAILED:
        lgw_custom_failed(&lock);
        return 0;
    case LG_NOTE_RELEASED:
        lgw_custom_released(&lock);
        return 0;
    default:
        return EINVAL; /* of a newer header */
    }
}

static int look_at(const struct call *call) {
    switch (call->note->what) {
    case LG_NOTE_NAME:
        return name(call);
    case LG_NOTE_LEVEL:
        return level(call);
    case LG_NOTE_INITIALISED:
        return initialised(call);
    case LG_NOTE_KEY:
        return key(call);
    case LG_NOTE_ORDER:
        return order(call->note);
    case LG_NOTE_UNPUBLISHED:
        return unpublished(call);
    case LG_NOTE_PUBLISHED:
        return published(call);
    case LG_NOTE_HANDED_OVER:
        return handed_over(call);
    case LG_NOTE_TAKEN_OVER:
        return taken_over(call);
    default:
        return custom(call);
    }
}

LGI_EXPORT int lg_annotate(const struct lg_note *note) {
    struct call call = {.note = note, .site = LGI_SITE(), .sp = LGI_SP()};
    if (note->size < sizeof *note || (note->lock == NULL && note->what != LG_NOTE_ORDER))
        return EINVAL;
    call.thread = lgi_enter();
    if (call.thread == NULL)
        return 0;
    find_lock(&call);
    int error = look_at(&call);
    lgi_leave(call.thread);
    return error;
}
