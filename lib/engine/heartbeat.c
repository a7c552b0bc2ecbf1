#include "engine/heartbeat.h"

#include "engine/context.h"
#include "engine/evidence.h"
#include "engine/finding.h"
#include "engine/graph.h"
#include "engine/holders.h"
#include "engine/misuse.h"
#include "engine/mix.h"
#include "engine/thread.h"
#include "platform/memory.h"

static const uint64_t millisecond = 1000000;

_Atomic uint32_t lge_heartbeats_promised;

static uint64_t get(const _Atomic uint64_t *figure) {
    return atomic_load_explicit(figure, memory_order_relaxed);
}
static void set(_Atomic uint64_t *figure, uint64_t value) {
    atomic_store_explicit(figure, value, memory_order_relaxed);
}

/* ---- the thread that promised ---- */

static void copy_name(char to[16], const char *from) {
    size_t i = 0;
    for (; i + 1 < 16 && from[i] != '\0'; i++)
        to[i] = from[i];
    to[i] = '\0';
}

/* Unwound once for each place. */
static uint32_t context_of(struct lge_thread *thread, uintptr_t site, uintptr_t sp) {
    struct lge_heartbeat *heartbeat = &thread->heartbeat;
    for (size_t i = 0; i < LGE_HEARTBEAT_PLACES; i++)
        if (heartbeat->places[i].site == site)
            return heartbeat->places[i].context;
    uint32_t context = lge_context_capture(thread, site, sp);
    size_t i = heartbeat->next++ % LGE_HEARTBEAT_PLACES;
    heartbeat->places[i].site = site;
    heartbeat->places[i].context = context;
    return context;
}

static struct lgr_heartbeat *cell_of(const struct lge_thread *thread) {
    /* Acquire: what the cell said when it became this one. */
    return atomic_load_explicit(&thread->heartbeat.cell, memory_order_acquire);
}

/* The cell that others look into from now on: one in the file, if it takes one. */
static struct lgr_heartbeat *take_cell(struct lge_thread *thread, uint32_t context) {
    struct lge_heartbeat *heartbeat = &thread->heartbeat;
    struct lgr_heartbeat *cell = NULL;
    if (lge_kind_wanted(LGR_KIND_HEARTBEAT_MISSED))
        cell = lge_evidence_heartbeat(thread, context);
    if (cell == NULL)
        cell = &heartbeat->own;
    set(&cell->limit_ns, heartbeat->limit_ns);
    return cell;
}

static void give(struct lge_thread *thread, uintptr_t site, uintptr_t sp) {
    uint32_t context = context_of(thread, site, sp);
    struct lgr_heartbeat *cell = take_cell(thread, context);
    thread->heartbeat.site = site;
    set(&cell->last_ns, lgp_coarse_ns());
    atomic_store_explicit(&cell->context, context, memory_order_relaxed);
    atomic_store_explicit(&cell->missed, LGR_NOT_MISSED, memory_order_relaxed);
    atomic_store_explicit(&cell->serial, lge_thread_serial(thread), memory_order_relaxed);
    atomic_store_explicit(&thread->heartbeat.cell, cell, memory_order_release);
}

/* By the thread itself. */
static bool promised(const struct lge_thread *thread) { return thread->heartbeat.limit_ns != 0; }

bool lge_heartbeat_promise(struct lge_thread *thread, const char *name, uint64_t limit_ns, uintptr_t site,
                           uintptr_t sp) {
    if (promised(thread))
        return false;
    copy_name(thread->heartbeat.name, name);
    thread->heartbeat.limit_ns = limit_ns;
    give(thread, site, sp);
    atomic_fetch_add_explicit(&lge_heartbeats_promised, 1, memory_order_relaxed);
    return true;
}

static void forget_places(struct lge_heartbeat *heartbeat) {
    heartbeat->next = 0;
    heartbeat->site = 0;
    for (size_t i = 0; i < LGE_HEARTBEAT_PLACES; i++)
        heartbeat->places[i].site = 0;
}

bool lge_heartbeat_end(struct lge_thread *thread) {
    if (!promised(thread))
        return false;
    struct lgr_heartbeat *cell = cell_of(thread);
    thread->heartbeat.limit_ns = 0;
    set(&cell->last_ns, 0);
    atomic_store_explicit(&cell->serial, 0, memory_order_relaxed);
    forget_places(&thread->heartbeat);
    atomic_fetch_sub_explicit(&lge_heartbeats_promised, 1, memory_order_relaxed);
    return true;
}

static bool is_missing(const struct lge_thread *thread, uint64_t now) {
    const struct lgr_heartbeat *cell = cell_of(thread);
    uint64_t last = cell == NULL ? 0 : get(&cell->last_ns);
    return last != 0 && now > last && now - last > get(&cell->limit_ns);
}

/* Of those who notice, one tells; what `lockgraph run` saw is not recorded yet. */
static bool tell_first(const struct lge_thread *thread) {
    return atomic_exchange_explicit(&cell_of(thread)->missed, LGR_MISSED_RECORDED, memory_order_relaxed) !=
           LGR_MISSED_RECORDED;
}
static bool is_told(const struct lge_thread *thread) {
    return atomic_load_explicit(&cell_of(thread)->missed, memory_order_relaxed) == LGR_MISSED_RECORDED;
}

static uint64_t detail_of(uint64_t limit_ns, enum lgr_heartbeat_detail detail) {
    return limit_ns / millisecond | (uint64_t)detail << LGR_HEARTBEAT_SHIFT;
}

/* Nobody saw it while it lasted. */
static void tell_late(struct lge_thread *thread, uintptr_t site, uintptr_t sp) {
    uint64_t limit_ns = thread->heartbeat.limit_ns;
    lge_evidence_name(lge_thread_serial(thread), thread->heartbeat.name);
    lge_report_misuse(thread, &(struct lge_misuse){.kind = LGR_KIND_HEARTBEAT_MISSED,
                                                   .site = site,
                                                   .sp = sp,
                                                   .detail = detail_of(limit_ns, LGR_HEARTBEAT_LATE)});
}

void lge_heartbeat_give(struct lge_thread *thread, uintptr_t site, uintptr_t sp) {
    if (!promised(thread))
        return;
    if (is_missing(thread, lgp_coarse_ns()) && tell_first(thread))
        tell_late(thread, site, sp);
    give(thread, site, sp);
}

/* ---- those who look ---- */

/* So many fill a block that begins at a cache line, as a hold does (platform/memory.c). */
enum { LEAST_HOLDS = 4 };

/* What is known of a thread whose heartbeat is missing. */
struct missing {
    const struct lge_thread *thread; /* not to be read any more */
    uint32_t serial, context;
    bool waits;
    uint64_t limit_ns;
    char name[16];
    size_t room, count;
    struct lge_held *held;
};

/* Its stack while it waits; else where it was when it last gave one. */
static void look_at_place(const struct lge_thread *thread, struct missing *missing) {
    uint32_t sequence = lge_wait_sequence(thread);
    uint32_t context = atomic_load_explicit(&thread->wait.context, memory_order_relaxed);
    missing->waits = lge_waiting(sequence) && context != 0 && lge_wait_unchanged(thread, sequence);
    missing->context =
        missing->waits ? context : atomic_load_explicit(&cell_of(thread)->context, memory_order_relaxed);
}

/* Its owner may go on meanwhile: see holders.h. */
static void look_at_holds(const struct lge_thread *thread, struct missing *missing) {
    const struct lge_held *top = __atomic_load_n(&thread->top, __ATOMIC_RELAXED);
    for (const struct lge_held *held = thread->base + 1; held <= top && held <= thread->last; held++)
        if (__atomic_load_n(&held->address, __ATOMIC_RELAXED) != NULL && held->id != 0 &&
            missing->count < missing->room)
            missing->held[missing->count++] = *held;
}

static void look_at(struct lge_thread *thread, struct missing *missing) {
    missing->thread = thread;
    missing->serial = lge_thread_serial(thread);
    missing->limit_ns = get(&cell_of(thread)->limit_ns);
    copy_name(missing->name, thread->heartbeat.name);
    look_at_place(thread, missing);
    look_at_holds(thread, missing);
}

/* Room for what it holds is made without the list's lock: then it is looked for again. */
static bool find_missing(struct missing *missing, uint64_t now) {
    size_t wanted = 0;
    bool found = false;
    lge_threads_lock();
    for (struct lge_thread *t = lge_threads_first(); t != NULL && !found; t = t->next_in_list) {
        if (!is_missing(t, now) || is_told(t))
            continue;
        wanted = lge_depth(t) < LEAST_HOLDS ? LEAST_HOLDS : lge_depth(t);
        found = wanted <= missing->room && tell_first(t);
        if (found)
            look_at(t, missing);
        else
            break;
    }
    lge_threads_unlock();
    if (found || wanted <= missing->room)
        return found;
    lgp_free(missing->held, missing->room * sizeof *missing->held);
    missing->held = lgp_alloc(wanted * sizeof *missing->held);
    missing->room = missing->held == NULL ? 0 : wanted;
    return missing->held != NULL && find_missing(missing, now);
}

/* A hold that another thread waits for; else the newest, if it holds anything. */
static const struct lge_held *in_the_way(const struct missing *missing, struct lge_holder *waiter) {
    for (size_t i = missing->count; i-- > 0;) {
        *waiter = lge_waiter_find(missing->thread, missing->held[i].id);
        if (waiter->serial != 0)
            return &missing->held[i];
    }
    return missing->count == 0 ? NULL : &missing->held[missing->count - 1];
}

static uint32_t taken_at(const struct lge_held *held) {
    return held->context != 0 ? held->context : lge_context_intern(&held->site, 1, true);
}

/* Under the graph's and the table's lock. */
static void report(const struct missing *missing, const struct lge_held *lock,
                   const struct lge_holder *waiter, const struct lgr_held *held) {
    uint64_t id = lock == NULL ? 0 : lock->id;
    uint32_t class = lge_lock_class(id);
    uint32_t before = waiter->serial != 0 ? waiter->context : lock != NULL ? taken_at(lock) : 0;
    struct lge_finding_edge edges[2] = {
        {.from = id,
         .from_class = class,
         .thread = missing->serial,
         .held_context = before,
         .request_context = missing->context,
         .held_count = (uint32_t)missing->count,
         .held = held},
        {.from = id, .from_class = class, .thread = waiter->serial, .held_context = before},
    };
    struct lge_finding finding = {
        .kind = LGR_KIND_HEARTBEAT_MISSED,
        .reason_kind = LGR_REASON_DETAIL,
        .reason_id = detail_of(missing->limit_ns, missing->waits ? LGR_HEARTBEAT_WAITS : LGR_HEARTBEAT_LAST),
        .edge_count = waiter->serial != 0 ? 2 : 1,
        .edges = edges,
    };
    uint64_t places = lge_mix(missing->context, before), what = lge_mix(class, finding.reason_id);
    lge_report_misuse_finding(&finding, lge_mix(lge_mix(places, what), LGR_KIND_HEARTBEAT_MISSED));
}

static void tell(const struct missing *missing) {
    struct lge_holder waiter = {0};
    const struct lge_held *lock = in_the_way(missing, &waiter);
    size_t room = (missing->count + 1) * sizeof(struct lgr_held);
    struct lgr_held *held = lgp_alloc(room);
    if (held == NULL)
        return;
    for (size_t i = 0; i < missing->count; i++)
        held[i] = (struct lgr_held){missing->held[i].id, taken_at(&missing->held[i]), missing->held[i].mode};
    lge_evidence_name(missing->serial, missing->name);
    lge_graph_lock();
    lge_table_lock();
    for (size_t i = 0; i < missing->count; i++)
        lge_lock_obtain_held(&missing->held[i]);
    lge_table_unlock();
    report(missing, lock, &waiter, held);
    lge_graph_unlock();
    lgp_free(held, room);
}

void lge_heartbeats_look(void) {
    if (!lge_heartbeats_expected() || !lge_kind_wanted(LGR_KIND_HEARTBEAT_MISSED))
        return;
    uint64_t now = lgp_coarse_ns();
    struct missing missing = {0};
    while (find_missing(&missing, now)) {
        tell(&missing);
        missing.count = 0;
    }
    lgp_free(missing.held, missing.room * sizeof *missing.held);
}

/* ---- fork ---- */

/* The cell was in the parent's file, which is gone from here. */
void lge_heartbeats_after_fork(struct lge_thread *self) {
    struct lge_heartbeat *heartbeat = &self->heartbeat;
    atomic_store_explicit(&lge_heartbeats_promised, promised(self), memory_order_relaxed);
    forget_places(heartbeat); /* the next one comes to the child's file */
    if (!promised(self))
        return;
    set(&heartbeat->own.limit_ns, heartbeat->limit_ns);
    set(&heartbeat->own.last_ns, lgp_coarse_ns());
    atomic_store_explicit(&heartbeat->own.context, 0, memory_order_relaxed);
    atomic_store_explicit(&heartbeat->own.missed, LGR_NOT_MISSED, memory_order_relaxed);
    atomic_store_explicit(&heartbeat->cell, &heartbeat->own, memory_order_release);
}

void lge_heartbeat_none(struct lge_heartbeat *heartbeat) {
    heartbeat->limit_ns = 0;
    forget_places(heartbeat);
    atomic_store_explicit(&heartbeat->cell, NULL, memory_order_relaxed);
}
