#include "engine/signal.h"

#include <string.h>
#include <sys/syscall.h>

#include "engine/context.h"
#include "engine/identity.h"
#include "engine/known.h"
#include "engine/lifecycle.h"
#include "engine/misuse.h"
#include "engine/mix.h"
#include "engine/thread.h"
#include "platform/futex_lock.h"
#include "platform/memory.h"
#include "platform/system.h"
#include "platform/unwind.h"

enum { OPENS = 4096, TAKEN = 64 };

/* A lock's acquisition with signals open: the newest of its place in the table. */
struct open {
    uint64_t id;
    uint64_t signals[2]; /* open while it was taken, by mode */
    uint32_t generation; /* of the handlers when that was seen */
    uint32_t context, thread;
};

/* A lock's acquisition in a handler. */
struct taken {
    struct lge_request request;
    uint32_t slot, context, thread;
    int signal;
    bool reported;
};

_Atomic uint64_t lge_signals_handled;

static struct lge_signals_config config;
static _Atomic uint32_t slots[LGE_SIGNALS + 1];      /* by signal; relaxed */
static _Atomic uint32_t changed_at[LGE_SIGNALS + 1]; /* generation; relaxed */
static _Atomic uint32_t generation;                  /* of the dispositions; relaxed */
static _Atomic uint64_t watched[TAKEN];              /* ids of locks in `taken`; 0: free */
static _Atomic uint32_t watched_count;               /* release: what is below it was written */

/* Lock order: after all other engine locks but those of memory; nothing is
 * called under it. */
static struct {
    struct lgp_lock lock;
    struct open *opens; /* OPENS of them, by hash of the id */
    struct taken taken[TAKEN];
    uint32_t taken_count;
} signals;

void lge_signals_start(const struct lge_signals_config *wanted) { config = *wanted; }

/* ---- dispositions ---- */

bool lge_signal_synchronous(int signal) {
    enum { ILL = 4, TRAP = 5, BUS = 7, FPE = 8, SEGV = 11, SYS = 31 };
    return signal == ILL || signal == TRAP || signal == BUS || signal == FPE || signal == SEGV ||
           signal == SYS;
}

static uint64_t bit(int signal) { return (uint64_t)1 << (signal - 1); }

/* Once for each pair: a program that installs and restores the same handler all
 * the time does not make all tags stale each time. */
static bool seen_before(int signal, uint32_t slot) {
    enum { WORDS = 9 };
    static _Atomic uint64_t seen[LGE_SIGNALS + 1][WORDS]; /* by signal, a bit for each slot */
    _Atomic uint64_t *word = &seen[signal][slot / 64 % WORDS];
    uint64_t old = atomic_fetch_or_explicit(word, (uint64_t)1 << (slot & 63), memory_order_relaxed);
    return (old >> (slot & 63) & 1) != 0;
}

void lge_signal_installed(int signal, uint32_t slot) {
    if (signal < 1 || signal > LGE_SIGNALS || lge_signal_synchronous(signal))
        return;
    if (atomic_exchange_explicit(&slots[signal], slot, memory_order_relaxed) == slot)
        return;
    uint32_t now = atomic_fetch_add_explicit(&generation, 1, memory_order_relaxed) + 1;
    atomic_store_explicit(&changed_at[signal], now, memory_order_relaxed);
    if (slot == LGE_NO_SLOT)
        atomic_fetch_and_explicit(&lge_signals_handled, ~bit(signal), memory_order_relaxed);
    else
        atomic_fetch_or_explicit(&lge_signals_handled, bit(signal), memory_order_relaxed);
    if (slot != LGE_NO_SLOT && !seen_before(signal, slot))
        lge_tags_stale();
}

/* What the kernel lets through to the calling thread, of those with a handler. */
static uint64_t open_now(void) {
    uint64_t mask = ~(uint64_t)0;
    lgp_syscall(SYS_rt_sigprocmask, 0, 0, (long)&mask, sizeof mask, 0, 0);
    return atomic_load_explicit(&lge_signals_handled, memory_order_relaxed) & ~mask;
}

/* ---- watched locks ---- */

bool lge_signal_watches(uint64_t id) {
    uint32_t count = atomic_load_explicit(&watched_count, memory_order_acquire);
    for (uint32_t i = 0; i < count; i++)
        if (atomic_load_explicit(&watched[i], memory_order_relaxed) == id)
            return true;
    return false;
}

static void watch(uint64_t id) {
    uint32_t count = atomic_load_explicit(&watched_count, memory_order_relaxed);
    if (lge_signal_watches(id) || count == TAKEN)
        return;
    atomic_store_explicit(&watched[count], id, memory_order_relaxed);
    /* Release: pairs with the acquire load in lge_signal_watches. */
    atomic_store_explicit(&watched_count, count + 1, memory_order_release);
}

/* Nothing more to find out about the lock. */
static void unwatch_if_told(uint64_t id) {
    for (uint32_t i = 0; i < signals.taken_count; i++)
        if (signals.taken[i].request.id == id && !signals.taken[i].reported)
            return;
    for (uint32_t i = 0; i < TAKEN; i++)
        if (atomic_load_explicit(&watched[i], memory_order_relaxed) == id)
            atomic_store_explicit(&watched[i], 0, memory_order_relaxed);
}

/* ---- both together ---- */

static struct open *open_of(uint64_t id) {
    if (signals.opens == NULL)
        signals.opens = lgp_alloc(OPENS * sizeof *signals.opens);
    return signals.opens == NULL ? NULL : &signals.opens[lge_mix(id, 0) % OPENS];
}

/* A handler that changed since makes what was seen before worth nothing. */
static void forget_changed(struct open *open) {
    for (int signal = 1; signal <= LGE_SIGNALS; signal++)
        if (atomic_load_explicit(&changed_at[signal], memory_order_relaxed) > open->generation) {
            open->signals[0] &= ~bit(signal);
            open->signals[1] &= ~bit(signal);
        }
}

/* Two readers do not block each other. */
static bool collide(const struct taken *taken, uint64_t exclusive, uint64_t shared) {
    uint64_t others = taken->request.mode == LGR_SHARED ? exclusive : exclusive | shared;
    return (others & bit(taken->signal)) != 0;
}

static bool still_installed(const struct taken *taken) {
    return atomic_load_explicit(&slots[taken->signal], memory_order_relaxed) == taken->slot &&
           config.installed != NULL && config.installed(taken->signal, taken->slot);
}

static void report(struct lge_thread *thread, const struct lge_request *request, int signal,
                   bool call_in_handler, uint32_t earlier_context, uint32_t earlier_thread) {
    struct lge_misuse misuse = {
        .kind = LGR_KIND_SIGNAL_UNSAFE,
        .lock = request->id,
        .site = request->site,
        .sp = request->sp,
        .context = request->context,
        .earlier_context = earlier_context,
        .earlier_thread = earlier_thread,
        .detail = (uint64_t)signal | (call_in_handler ? LGR_SIGNAL_CALL_IN_HANDLER : 0),
        .address = request->address,
        .lock_kind = request->kind,
        .attributes = request->attributes,
    };
    lge_report_misuse(thread, &misuse);
}

/* ---- outside a handler, or in one of another signal ---- */

/* Under the lock; the handler's acquisition that goes with this one, in *found. */
static bool note_open(struct lge_thread *thread, const struct lge_request *request, uint64_t now,
                      uint32_t context, struct taken *found) {
    struct open *open = open_of(request->id);
    if (open == NULL)
        return false;
    if (open->id != request->id)
        *open = (struct open){.id = request->id};
    forget_changed(open);
    open->generation = atomic_load_explicit(&generation, memory_order_relaxed);
    open->signals[request->mode & 1] |= now;
    open->context = context;
    open->thread = lge_thread_serial(thread);
    for (uint32_t i = 0; i < signals.taken_count; i++) {
        struct taken *taken = &signals.taken[i];
        bool shared = request->mode == LGR_SHARED;
        if (taken->reported || taken->request.id != request->id ||
            !collide(taken, shared ? 0 : now, shared ? now : 0))
            continue;
        taken->reported = true;
        unwatch_if_told(request->id);
        *found = *taken;
        return true;
    }
    return false;
}

/* A semaphore may be posted by anybody, and locks of files are not looked at in
 * handlers. */
static bool cannot_hang(const struct lge_request *request) {
    return request->kind == LGR_LOCK_SEMAPHORE || request->kind == LGR_LOCK_FILE;
}

void lge_signal_acquired(struct lge_thread *thread, const struct lge_request *request) {
    uint64_t key =
        lge_mix(request->id ^ 0x7369676e616cu,
                (uint64_t)atomic_load_explicit(&generation, memory_order_relaxed) << 1 | request->mode);
    if (cannot_hang(request) || (!lge_signal_watches(request->id) && lge_recent(thread, key)))
        return;
    lge_recent_insert(thread, key);
    uint64_t now = open_now();
    if (now == 0)
        return;
    uint32_t context = request->context;
    if (context == 0)
        context = lge_context_capture(thread, request->site, request->sp);
    struct taken found;
    lgp_lock(&signals.lock);
    bool unsafe = note_open(thread, request, now, context, &found);
    lgp_unlock(&signals.lock);
    if (unsafe && still_installed(&found))
        report(thread, request, found.signal, false, found.context, found.thread);
}

/* ---- in a handler ---- */

static bool in_text(uintptr_t pc) { return pc >= config.text_from && pc < config.text_to; }

uint64_t lge_signal_frames(const struct lgp_frame *frames, uint64_t count) {
    for (uint64_t i = 0; config.text_to != 0 && i < count; i++)
        if (in_text(frames[i].pc))
            return i + 1;
    return count;
}

/* That the stack leads to the handler's call is the proof that it runs. */
static bool leads_to_handler(uint32_t context_id) {
    const struct lge_context *context = lge_context_get(context_id);
    return context != NULL && context->count > 1 && in_text(context->frames[context->count - 1]);
}

static bool holds(const struct lge_thread *thread, uint64_t id) {
    for (const struct lge_held *held = thread->base + 1; held <= thread->top; held++)
        if (held->id == id)
            return true;
    return false;
}

static struct taken *find_taken(uint64_t id, const struct lge_handler_mark *mark, uint8_t mode) {
    for (uint32_t i = 0; i < signals.taken_count; i++) {
        struct taken *taken = &signals.taken[i];
        if (taken->request.id == id && taken->signal == mark->signal && taken->slot == mark->slot &&
            taken->request.mode == mode)
            return taken;
    }
    return NULL;
}

/* Under the lock; where the same lock was taken with the signal open, in *found. */
static bool note_taken(const struct lge_thread *thread, const struct lge_request *request,
                       const struct lge_handler_mark *mark, uint32_t context, struct open *found) {
    if (signals.taken_count == TAKEN || find_taken(request->id, mark, request->mode) != NULL)
        return false;
    struct taken *taken = &signals.taken[signals.taken_count++];
    *taken = (struct taken){*request, mark->slot, context, lge_thread_serial(thread), mark->signal, false};
    struct open *open = open_of(request->id);
    if (open == NULL || open->id != request->id)
        return false;
    forget_changed(open);
    taken->reported = collide(taken, open->signals[0], open->signals[1]);
    *found = *open;
    return taken->reported;
}

static void taken_in_handler(struct lge_thread *thread, const struct lge_request *request,
                             const struct lge_handler_mark *mark) {
    uint32_t context = request->context;
    if (context == 0)
        context = lge_context_capture(thread, request->site, request->sp);
    if (!leads_to_handler(context))
        return;
    struct open found;
    lgp_lock(&signals.lock);
    bool unsafe = note_taken(thread, request, mark, context, &found);
    bool fresh = !unsafe && !lge_signal_watches(request->id);
    if (fresh)
        watch(request->id);
    lgp_unlock(&signals.lock);
    if (fresh && lge_signal_watches(request->id))
        lge_tags_stale();
    if (unsafe)
        report(thread, request, mark->signal, true, found.context, found.thread);
}

void lge_signal_requested(struct lge_thread *thread, const struct lge_request *request) {
    uint32_t depth = thread->handlers.depth;
    if (depth == 0 || depth > LGE_HANDLER_DEPTH || cannot_hang(request))
        return;
    struct lge_handler_mark mark = thread->handlers.marks[depth - 1];
    uint64_t key = lge_mix(request->id ^ 0x68616e646c6572u,
                           (uint64_t)mark.slot << 32 | (uint64_t)mark.signal << 8 | request->mode);
    if (lge_signal_synchronous(mark.signal) || lge_recent(thread, key))
        return;
    /* It waits for itself: that is said as what it is. */
    if (holds(thread, request->id) && !(request->flags & LGE_RECURSIVE))
        return;
    lge_recent_insert(thread, key);
    taken_in_handler(thread, request, &mark);
}

/* ---- life ---- */

struct lgp_part lge_signals_part(void) {
    return (struct lgp_part){&signals.lock, (void *)&signals, sizeof signals};
}

void lge_signals_reset(void) {
    lgp_free(signals.opens, OPENS * sizeof *signals.opens);
    memset((void *)&signals, 0, sizeof signals);
    for (uint32_t i = 0; i < TAKEN; i++)
        atomic_store_explicit(&watched[i], 0, memory_order_relaxed);
    atomic_store_explicit(&watched_count, 0, memory_order_relaxed);
    for (int signal = 1; signal <= LGE_SIGNALS; signal++)
        lge_signal_installed(signal, LGE_NO_SLOT);
}
