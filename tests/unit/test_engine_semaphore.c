#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "engine/dependency.h"
#include "engine/finding.h"
#include "engine/graph.h"
#include "engine/known.h"
#include "engine/level.h"
#include "engine/past.h"
#include "engine/resting.h"
#include "engine/semaphore.h"
#include "engine/wait.h"
#include "engine_support.h"

static uint64_t semaphore_of(struct lge_thread *thread, const char *class_name, uint32_t slots) {
    uint64_t id = engine_lock(thread, class_name);
    lge_semaphore_created(id, (const void *)(uintptr_t)id, slots, false);
    return id;
}

static uint64_t semaphore(struct lge_thread *thread, uint32_t slots) {
    return semaphore_of(thread, "semaphore", slots);
}

static struct lge_request request_of(uint64_t id) {
    struct lge_request request = engine_request(id);
    lge_semaphore_request(&request, lge_semaphore_facts_of(id));
    return request;
}

static void take(struct lge_thread *thread, uint64_t id) {
    struct lge_request request = request_of(id);
    if ((lge_semaphore_facts_of(id) & LGE_SEMAPHORE_SIGNAL) == 0)
        lge_check(thread, &request);
    lge_semaphore_acquired(thread, &request);
}

static unsigned give(struct lge_thread *thread, uint64_t id) {
    return lge_semaphore_posting(thread, id, (const void *)(uintptr_t)id);
}

static void prove(struct lge_thread *thread, uint64_t id) {
    for (int i = 0; i < LGE_SEMAPHORE_PROOF; i++) {
        take(thread, id);
        give(thread, id);
    }
}

START_TEST(facts_come_one_by_one) {
    struct lge_thread *holder = engine_thread(NULL), *other = engine_thread(NULL);
    uint64_t one = semaphore(holder, 1), several = semaphore(holder, 3), none = semaphore(holder, 0);
    ck_assert_uint_eq(lge_semaphore_facts_of(one), 0);
    ck_assert_uint_eq(lge_semaphore_facts_of(several), LGE_SEMAPHORE_SEVERAL);
    ck_assert_uint_eq(lge_semaphore_facts_of(none), LGE_SEMAPHORE_SIGNAL);
    take(holder, one);
    ck_assert_uint_eq(give(holder, one), 0);
    prove(holder, one);
    ck_assert_uint_eq(lge_semaphore_facts_of(one), LGE_SEMAPHORE_PROVEN);
    ck_assert(!lge_semaphore_signals(one));
    ck_assert_uint_eq(give(other, one), LGE_SEMAPHORE_PROVEN | LGE_SEMAPHORE_SIGNAL);
    ck_assert(lge_semaphore_signals(one));
    engine_nest(other, engine_lock(other, "outer"), engine_lock(other, "inner"));
    ck_assert_uint_eq(give(other, one), LGE_SEMAPHORE_PROVEN | LGE_SEMAPHORE_SIGNAL | LGE_SEMAPHORE_ORDERS);
    ck_assert_uint_eq(lge_semaphore_slots(one), 0);
    ck_assert_uint_eq(lge_semaphore_slots(several), 3);
}
END_TEST

START_TEST(a_thread_has_as_many_holds_as_slots) {
    struct lge_thread *thread = engine_thread(NULL);
    uint64_t pool = semaphore(thread, 3);
    for (size_t i = 1; i <= 3; i++) {
        take(thread, pool);
        ck_assert_uint_eq(lge_held_count(thread), i);
    }
    for (size_t i = 3; i-- > 0;) {
        give(thread, pool);
        ck_assert_uint_eq(lge_held_count(thread), i);
    }
    ck_assert(!lge_semaphore_signals(pool));
}
END_TEST

START_TEST(stale_holds_go_with_the_next_check) {
    struct lge_thread *thread = engine_thread(NULL), *other = engine_thread(NULL);
    uint64_t places = semaphore(thread, 2);
    take(thread, places);
    take(thread, places);
    give(other, places);
    ck_assert_uint_eq(lge_held_count(thread), 2);
    engine_take(thread, engine_lock(thread, "mutex"));
    ck_assert_uint_eq(lge_held_count(thread), 1);
}
END_TEST

/* More slots than there are were got: somebody posts where we do not look. */
START_TEST(posts_that_nobody_saw) {
    struct lge_thread *thread = engine_thread(NULL);
    uint64_t pool = semaphore(thread, 2);
    for (int i = 0; i < 3; i++)
        take(thread, pool);
    ck_assert(lge_semaphore_signals(pool));
    lge_semaphore_drop_stale(thread);
    ck_assert_uint_eq(lge_held_count(thread), 0);
}
END_TEST

START_TEST(one_of_another_process_is_never_exhausted) {
    struct lge_thread *thread = engine_thread(NULL);
    uint64_t id = engine_lock(thread, "shared");
    enum lge_semaphore_trust trust;
    lge_semaphore_created(id, NULL, 1, true);
    ck_assert_uint_eq(lge_semaphore_exhaustible(id, &trust), 0);
    uint64_t own = semaphore(thread, 2);
    ck_assert_uint_eq(lge_semaphore_exhaustible(own, &trust), 2);
    ck_assert_int_eq(trust, LGE_PERHAPS_LOCK);
    prove(thread, own);
    ck_assert_uint_eq(lge_semaphore_exhaustible(own, &trust), 2);
    ck_assert_int_eq(trust, LGE_PROVEN_LOCK);
    lge_semaphore_unseen_post();
    ck_assert_uint_eq(lge_semaphore_exhaustible(own, &trust), 0);
}
END_TEST

START_TEST(one_with_a_level_is_declared) {
    struct lge_thread *thread = engine_thread(NULL);
    enum lge_semaphore_trust trust;
    uint64_t id = lge_lock_id_new(thread, lge_class_levelled("pool", 10, false, true));
    uint64_t named = lge_lock_id_new(thread, lge_class_levelled("token", LGE_NO_LEVEL, false, true));
    lge_semaphore_created(id, NULL, 2, false);
    lge_semaphore_created(named, NULL, 2, false);
    ck_assert_uint_eq(lge_semaphore_exhaustible(id, &trust), 2);
    ck_assert_int_eq(trust, LGE_DECLARED_LOCK);
    ck_assert_uint_eq(lge_semaphore_exhaustible(named, &trust), 2);
    ck_assert_int_eq(trust, LGE_PERHAPS_LOCK);
    give(thread, id); /* not by a holder: a signal, whatever was said of it */
    ck_assert_uint_eq(lge_semaphore_exhaustible(id, &trust), 0);
}
END_TEST

static void nest(struct lge_thread *thread, uint64_t outer, uint64_t inner) {
    take(thread, outer);
    take(thread, inner);
    give(thread, inner);
    give(thread, outer);
}

START_TEST(what_rests_on_one_is_lowered_when_it_signals) {
    struct lge_thread *one = engine_thread(NULL), *other = engine_thread(NULL), *third = engine_thread(NULL);
    uint64_t a = semaphore(one, 1), b = semaphore(one, 1), apart = semaphore(one, 1);
    nest(one, a, b);
    nest(other, b, a);
    ck_assert_uint_eq(lge_findings_errors(), 1);
    give(third, apart);
    ck_assert_uint_eq(lge_findings_errors(), 1);
    give(third, b);
    ck_assert_uint_eq(lge_findings_errors(), 0);
    ck_assert_uint_eq(lge_findings_count(), 1);
    give(third, a);
    ck_assert_uint_eq(lge_findings_errors(), 0);
}
END_TEST

/* Pairs of the same two classes: one problem, seen with each of them. */
struct pair {
    uint64_t a, b;
};

static struct pair invert(struct lge_thread *one, struct lge_thread *other) {
    struct pair pair = {semaphore_of(one, "a", 1), semaphore_of(one, "b", 1)};
    nest(one, pair.a, pair.b);
    nest(other, pair.b, pair.a);
    ck_assert_uint_eq(lge_findings_count(), 1);
    return pair;
}

START_TEST(what_others_show_of_it_stays) {
    struct lge_thread *one = engine_thread(NULL), *other = engine_thread(NULL), *third = engine_thread(NULL);
    struct pair first = invert(one, other), second = invert(one, other);
    give(third, first.a);
    ck_assert_uint_eq(lge_findings_errors(), 1);
    give(third, first.b);
    ck_assert_uint_eq(lge_findings_errors(), 1);
    give(third, second.b);
    ck_assert_uint_eq(lge_findings_errors(), 0);
    ck_assert_uint_eq(lge_findings_count(), 1);
    invert(one, other);
    ck_assert_uint_eq(lge_findings_errors(), 1); /* seen after that: told anew */
    ck_assert_uint_eq(engine_seen.count, 2);
}
END_TEST

START_TEST(what_others_show_falls_in_any_order) {
    struct lge_thread *one = engine_thread(NULL), *other = engine_thread(NULL), *third = engine_thread(NULL);
    struct pair first = invert(one, other), second = invert(one, other);
    give(third, second.a);
    ck_assert_uint_eq(lge_findings_errors(), 1);
    give(third, first.a);
    ck_assert_uint_eq(lge_findings_errors(), 0);
}
END_TEST

START_TEST(what_others_show_by_the_same_semaphore_falls_with_it) {
    struct lge_thread *one = engine_thread(NULL), *other = engine_thread(NULL), *third = engine_thread(NULL);
    struct pair first = invert(one, other);
    uint64_t b = semaphore_of(one, "b", 1);
    nest(one, first.a, b);
    nest(other, b, first.a);
    give(third, first.a);
    ck_assert_uint_eq(lge_findings_errors(), 0);
}
END_TEST

START_TEST(what_mutexes_show_of_it_never_falls) {
    struct lge_thread *one = engine_thread(NULL), *other = engine_thread(NULL), *third = engine_thread(NULL);
    struct pair first = invert(one, other);
    uint64_t a = engine_lock(one, "a"), b = engine_lock(one, "b");
    engine_nest(one, a, b);
    engine_nest(other, b, a);
    give(third, first.a);
    ck_assert_uint_eq(lge_findings_count(), 1);
    ck_assert_uint_eq(lge_findings_errors(), 1);
}
END_TEST

START_TEST(so_many_sightings_are_kept) {
    struct lge_thread *one = engine_thread(NULL), *other = engine_thread(NULL), *third = engine_thread(NULL);
    struct pair pairs[LGE_SIGHTINGS + 1];
    for (size_t i = 0; i <= LGE_SIGHTINGS; i++)
        pairs[i] = invert(one, other);
    for (size_t i = 0; i < LGE_SIGHTINGS; i++) {
        ck_assert_uint_eq(lge_findings_errors(), 1);
        give(third, pairs[i].a);
    }
    ck_assert_uint_eq(lge_findings_errors(), 0);
}
END_TEST

static struct lge_finding_edge edge_of(uint64_t from, uint64_t to, uint8_t wait_kind) {
    return (struct lge_finding_edge){.from = from, .to = to, .wait_kind = wait_kind};
}

static struct lge_finding ring_of(const struct lge_finding_edge *edges, enum lgr_severity severity) {
    return (struct lge_finding){.kind = LGR_KIND_DEADLOCK,
                                .verdict = LGR_VERDICT_ACTUAL,
                                .severity = severity,
                                .edge_count = 2,
                                .edges = edges};
}

START_TEST(a_deadlock_is_lowered_to_a_cycle_of_orders) {
    struct lge_thread *thread = engine_thread(NULL);
    uint64_t pool = semaphore(thread, 2), mutex = engine_lock(thread, "mutex");
    struct lge_finding_edge edges[] = {edge_of(pool, mutex, LGR_WAIT_LOCK),
                                       edge_of(mutex, pool, LGR_WAIT_LOCK)};
    struct lge_finding told = ring_of(edges, LGR_ERROR);
    struct lge_sightings kept = {0};
    lge_sightings_tell(&kept, &told);
    struct lge_finding *fell = lge_sightings_fall(&kept, pool);
    ck_assert_ptr_nonnull(fell);
    lge_resting_lower(fell);
    ck_assert_int_eq(fell->kind, LGR_KIND_ORDER_CYCLE);
    ck_assert_int_eq(fell->verdict, LGR_VERDICT_ORDERED);
    ck_assert_int_eq(fell->severity, LGR_NOTE);
    lge_sightings_tell(&kept, fell);
    ck_assert_uint_eq(kept.count, 0);
    lge_resting_free(fell);
    edges[0].wait_kind = LGR_WAIT_JOIN;
    lge_sightings_tell(&kept, &told);
    fell = lge_sightings_fall(&kept, pool);
    lge_resting_lower(fell);
    ck_assert_int_eq(fell->kind, LGR_KIND_DEADLOCK);
    ck_assert_int_eq(fell->severity, LGR_NOTE);
    lge_resting_free(fell);
    told.kind = LGR_KIND_STALL; /* whose edges name threads there */
    lge_sightings_tell(&kept, &told);
    ck_assert_uint_eq(kept.count, 0);
}
END_TEST

START_TEST(the_gravest_that_stands_is_told) {
    struct lge_thread *thread = engine_thread(NULL);
    uint64_t one = semaphore(thread, 1), other = semaphore(thread, 1), mutex = engine_lock(thread, "mutex");
    struct lge_finding_edge first[] = {edge_of(one, mutex, LGR_WAIT_LOCK),
                                       edge_of(mutex, one, LGR_WAIT_LOCK)};
    struct lge_finding_edge second[] = {edge_of(other, mutex, LGR_WAIT_LOCK),
                                        edge_of(mutex, other, LGR_WAIT_LOCK)};
    struct lge_finding warning = ring_of(second, LGR_WARNING), told = ring_of(first, LGR_ERROR);
    struct lge_sightings kept = {0};
    lge_sightings_tell(&kept, &warning);
    lge_sightings_tell(&kept, &told);
    lge_sightings_add(&kept, &told); /* known */
    ck_assert_uint_eq(kept.count, 2);
    ck_assert_int_eq(kept.of[0]->severity, LGR_ERROR);
    struct lge_finding *fell = lge_sightings_fall(&kept, one);
    ck_assert_ptr_nonnull(fell);
    ck_assert_uint_eq(kept.count, 1);
    ck_assert_int_eq(kept.of[0]->severity, LGR_WARNING);
    lge_resting_free(fell);
    told = ring_of(second, LGR_ERROR); /* the same locks, but graver: instead */
    lge_sightings_tell(&kept, &told);
    ck_assert_uint_eq(kept.count, 1);
    lge_sightings_clear(&kept);
}
END_TEST

/* By the same locks as one that is kept, but graver than that. */
START_TEST(a_graver_one_is_kept_beside_it) {
    struct lge_thread *thread = engine_thread(NULL);
    uint64_t one = semaphore(thread, 1), other = semaphore(thread, 1), mutex = engine_lock(thread, "mutex");
    struct lge_finding_edge first[] = {edge_of(one, mutex, LGR_WAIT_LOCK),
                                       edge_of(mutex, one, LGR_WAIT_LOCK)};
    struct lge_finding_edge second[] = {edge_of(other, mutex, LGR_WAIT_LOCK),
                                        edge_of(mutex, other, LGR_WAIT_LOCK)};
    struct lge_finding warning = ring_of(second, LGR_WARNING), error = ring_of(second, LGR_ERROR);
    struct lge_finding told = ring_of(first, LGR_ERROR);
    struct lge_sightings kept = {0};
    lge_sightings_tell(&kept, &told);
    lge_sightings_add(&kept, &warning);
    lge_sightings_add(&kept, &error);
    lge_resting_free(lge_sightings_fall(&kept, one));
    ck_assert_uint_eq(kept.count, 2);
    ck_assert_int_eq(kept.of[0]->severity, LGR_ERROR);
    lge_sightings_clear(&kept);
}
END_TEST

/* As found by a search that asked about the semaphore a moment too early. */
static void report_ring(uint64_t one, uint64_t other) {
    struct lgr_held none = {0};
    struct lge_finding_edge edges[] = {edge_of(one, other, LGR_WAIT_LOCK),
                                       edge_of(other, one, LGR_WAIT_LOCK)};
    edges[0].held = edges[1].held = &none;
    edges[0].from_class = edges[1].to_class = lge_lock_class(one);
    edges[0].to_class = edges[1].from_class = lge_lock_class(other);
    lge_graph_lock();
    lge_report_deadlock(edges, 2, false, 0);
    lge_graph_unlock();
}

static struct {
    struct lge_thread *thread;
    _Atomic uint64_t semaphore; /* to be posted; 0: done */
    _Atomic unsigned delay;
    _Atomic bool over;
} foreign;

static void *post_now_and_then(void *unused) {
    while (!foreign.over) {
        if (foreign.semaphore == 0) {
            sched_yield();
            continue;
        }
        for (volatile unsigned i = 0; i < foreign.delay; i++)
            ;
        give(foreign.thread, foreign.semaphore);
        foreign.semaphore = 0;
    }
    return unused;
}

/* Whichever comes first, and however they meet. */
START_TEST(a_ring_is_lowered_that_comes_beside_the_post) {
    enum { TIMES = 1000, DELAYS = 200 };
    struct lge_thread *thread = engine_thread(NULL);
    pthread_t poster;
    foreign.thread = engine_thread(NULL);
    ck_assert_int_eq(pthread_create(&poster, NULL, post_now_and_then, NULL), 0);
    for (unsigned i = 0; i < TIMES; i++) {
        char names[2][16];
        snprintf(names[0], sizeof names[0], "semaphore%u", i);
        snprintf(names[1], sizeof names[1], "mutex%u", i);
        uint64_t id = semaphore_of(thread, names[0], 1), mutex = engine_lock(thread, names[1]);
        take(thread, id);
        foreign.delay = i * 7 % DELAYS;
        foreign.semaphore = id;
        report_ring(id, mutex);
        while (foreign.semaphore != 0)
            sched_yield();
        lge_semaphore_drop_stale(thread);
    }
    foreign.over = true;
    pthread_join(poster, NULL);
    ck_assert_uint_eq(lge_findings_errors(), 0);
}
END_TEST

START_TEST(a_ring_is_lowered_that_comes_after_the_post) {
    struct lge_thread *thread = engine_thread(NULL), *other = engine_thread(NULL);
    uint64_t semaphore_id = semaphore(thread, 1), mutex = engine_lock(thread, "mutex");
    take(thread, semaphore_id);
    give(other, semaphore_id);
    report_ring(semaphore_id, mutex);
    ck_assert_uint_eq(engine_seen.count, 1);
    ck_assert_int_eq(engine_seen.last.kind, LGR_KIND_ORDER_CYCLE);
    ck_assert_int_eq(engine_seen.last.severity, LGR_NOTE);
    ck_assert_int_eq(engine_seen.last.reason_kind, LGR_REASON_SEMAPHORE);
    ck_assert_uint_eq(lge_findings_errors(), 0);
}
END_TEST

START_TEST(a_ring_is_lowered_that_comes_before_the_post) {
    struct lge_thread *thread = engine_thread(NULL), *other = engine_thread(NULL);
    uint64_t semaphore_id = semaphore(thread, 1), mutex = engine_lock(thread, "mutex");
    take(thread, semaphore_id);
    report_ring(semaphore_id, mutex);
    ck_assert_int_eq(engine_seen.last.kind, LGR_KIND_DEADLOCK);
    ck_assert_uint_eq(lge_findings_errors(), 1);
    give(other, semaphore_id);
    ck_assert_uint_eq(lge_findings_errors(), 0);
}
END_TEST

START_TEST(a_ring_of_one_that_is_gone_stays) {
    struct lge_thread *thread = engine_thread(NULL);
    uint64_t semaphore_id = semaphore(thread, 1), mutex = engine_lock(thread, "mutex");
    take(thread, semaphore_id);
    give(thread, semaphore_id);
    lge_semaphore_destroyed(semaphore_id);
    report_ring(semaphore_id, mutex);
    ck_assert_uint_eq(lge_findings_errors(), 1);
}
END_TEST

START_TEST(facts_are_kept_beside_the_id) {
    struct lge_tag tag;
    unsigned facts;
    uint64_t id = 0x123456789abcu;
    for (unsigned all = 0; all <= LGE_SEMAPHORE_FACTS; all += 1u << 8) {
        atomic_store(&tag.id, id);
        lge_semaphore_mark(&tag, &tag, id, all);
        ck_assert_uint_eq(lge_semaphore_tag(&tag, &tag, &facts), id);
        ck_assert_uint_eq(facts, all);
        ck_assert_uint_eq(lge_semaphore_tag(&tag, &facts, &facts), 0); /* copied elsewhere */
    }
    atomic_store(&tag.check, atomic_load(&tag.check) ^ 3); /* stale */
    ck_assert_uint_eq(lge_semaphore_tag(&tag, &tag, &facts), id);
    ck_assert_uint_ne(facts & LGE_SEMAPHORE_STALE, 0);
    atomic_store(&tag.id, 0);
    atomic_store(&tag.check, 0);
    ck_assert_uint_eq(lge_semaphore_tag(&tag, &tag, &facts), 0);
}
END_TEST

static bool knows(struct lge_thread *thread, uint64_t outer, uint64_t inner) {
    engine_take(thread, outer);
    struct lge_request request = engine_request(inner);
    uint64_t key =
        lge_chain_key(thread->top->key, inner, LGR_EXCLUSIVE, lge_place(request.site, request.context));
    bool known = lge_known(thread, thread->top->key, key);
    engine_give(thread, outer);
    return known;
}

/* Orders that come in raise the epoch; the keys of known chains do not contain it. */
START_TEST(a_hand_over_keeps_known_chains) {
    struct lge_thread *one = engine_thread(NULL), *other = engine_thread(NULL);
    uint64_t outer = engine_lock(one, "outer"), inner = engine_lock(one, "inner");
    uint64_t there = semaphore(one, 0), back = semaphore(one, 0);
    engine_nest(one, outer, inner);
    engine_nest(other, outer, inner);
    uint64_t dependencies = lge_dependency_count();
    for (int i = 0; i < 1000; i++) {
        give(one, there);
        take(other, there);
        ck_assert(knows(other, outer, inner));
        engine_nest(other, outer, inner);
        give(other, back);
        take(one, back);
        ck_assert(knows(one, outer, inner));
        engine_nest(one, outer, inner);
    }
    ck_assert_uint_eq(lge_dependency_count(), dependencies);
    ck_assert_uint_lt(one->epoch, 10); /* nor is there anything new to tell */
    ck_assert_uint_lt(other->time, 10);
}
END_TEST

/* What came after the last post is not ordered by it, however often it posted. */
START_TEST(a_post_covers_what_was_new) {
    struct lge_thread *one = engine_thread(NULL), *other = engine_thread(NULL);
    uint64_t a = engine_lock(one, "a"), b = engine_lock(one, "b"), c = engine_lock(one, "c");
    uint64_t signal = semaphore(one, 0);
    engine_nest(one, a, b);
    for (int i = 0; i < 3; i++)
        give(one, signal);
    engine_nest(one, a, c);
    take(other, signal);
    engine_nest(other, b, a);
    ck_assert_int_eq(engine_seen.last.verdict, LGR_VERDICT_ORDERED);
    engine_nest(other, c, a);
    ck_assert_int_eq(engine_seen.last.verdict, LGR_VERDICT_FEASIBLE);
    give(one, signal);
    take(other, signal);
    ck_assert_uint_eq(engine_seen.count, 2);
}
END_TEST

START_TEST(a_handler_that_posts_what_its_thread_holds) {
    struct lge_thread *thread = engine_thread(NULL);
    uint64_t held = semaphore(thread, 1), wanted = semaphore(thread, 1);
    take(thread, held);
    struct lge_request request = request_of(wanted);
    lge_wait_begin(thread, &request, NULL);
    uint32_t sequence = atomic_load(&thread->wait.sequence);
    give(thread, held);
    ck_assert_uint_eq(lge_held_count(thread), 0);
    ck_assert_uint_eq(atomic_load(&thread->wait.sequence), sequence + 2); /* still waits, but look again */
    lge_wait_end(thread);
}
END_TEST

/* Those that live on stacks are never destroyed. */
static bool none_alive(const void *address, uint64_t id, uint8_t kind, uint8_t attributes) {
    (void)address;
    (void)id;
    (void)kind;
    (void)attributes;
    return false;
}

START_TEST(records_of_the_dead_are_swept) {
    struct lge_thread *thread = engine_thread(NULL);
    engine_config.lock_alive = none_alive;
    engine_again();
    thread = engine_thread(NULL);
    uint64_t first = semaphore(thread, 1);
    for (int i = 0; i < 5000; i++)
        semaphore(thread, 1);
    ck_assert(!lge_semaphore_known(first));
    engine_config.lock_alive = NULL;
}
END_TEST

START_TEST(graves_are_remembered_for_a_while) {
    uint32_t context = 0, serial = 0;
    lge_semaphore_bury(7, 42, 3);
    ck_assert(lge_semaphore_grave(7, &context, &serial));
    ck_assert_uint_eq(context, 42);
    ck_assert_uint_eq(serial, 3);
    for (uint64_t id = 100; id < 200; id++)
        lge_semaphore_bury(id, 1, 1);
    ck_assert(!lge_semaphore_grave(7, &context, &serial));
}
END_TEST

enum { ROUNDS = 20000 };
static uint64_t contested, ordering;

static void *use_all(void *argument) {
    struct lge_thread *thread = argument;
    for (int i = 0; i < ROUNDS; i++) {
        take(thread, contested);
        give(thread, contested);
        give(thread, ordering);
        take(thread, ordering);
        if (i % 100 == 0)
            lge_semaphore_destroyed(semaphore(thread, 1));
    }
    return NULL;
}

START_TEST(several_threads_at_once) {
    pthread_t threads[2];
    struct lge_thread *blocks[2];
    for (int i = 0; i < 2; i++)
        blocks[i] = engine_thread(NULL);
    contested = semaphore(blocks[0], 2);
    ordering = semaphore(blocks[0], 0);
    for (int i = 0; i < 2; i++) {
        engine_nest(blocks[i], engine_lock(blocks[i], "outer"), engine_lock(blocks[i], "inner"));
        pthread_create(&threads[i], NULL, use_all, blocks[i]);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    ck_assert(!lge_semaphore_signals(contested));
    ck_assert_uint_eq(lge_held_count(blocks[0]), 0);
    ck_assert_uint_ne(lge_semaphore_facts_of(ordering) & LGE_SEMAPHORE_ORDERS, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine_semaphore");
    TCase *facts = engine_case(suite, "facts");
    tcase_add_test(facts, facts_come_one_by_one);
    tcase_add_test(facts, a_thread_has_as_many_holds_as_slots);
    tcase_add_test(facts, stale_holds_go_with_the_next_check);
    tcase_add_test(facts, posts_that_nobody_saw);
    tcase_add_test(facts, one_of_another_process_is_never_exhausted);
    tcase_add_test(facts, one_with_a_level_is_declared);
    tcase_add_test(facts, what_rests_on_one_is_lowered_when_it_signals);
    tcase_add_test(facts, facts_are_kept_beside_the_id);
    TCase *resting = engine_case(suite, "resting");
    tcase_add_test(resting, what_others_show_of_it_stays);
    tcase_add_test(resting, what_others_show_falls_in_any_order);
    tcase_add_test(resting, what_others_show_by_the_same_semaphore_falls_with_it);
    tcase_add_test(resting, what_mutexes_show_of_it_never_falls);
    tcase_add_test(resting, so_many_sightings_are_kept);
    tcase_add_test(resting, a_deadlock_is_lowered_to_a_cycle_of_orders);
    tcase_add_test(resting, the_gravest_that_stands_is_told);
    tcase_add_test(resting, a_graver_one_is_kept_beside_it);
    tcase_add_test(resting, a_ring_is_lowered_that_comes_after_the_post);
    tcase_add_test(resting, a_ring_is_lowered_that_comes_beside_the_post);
    tcase_add_test(resting, a_ring_is_lowered_that_comes_before_the_post);
    tcase_add_test(resting, a_ring_of_one_that_is_gone_stays);
    TCase *order = engine_case(suite, "order");
    tcase_add_test(order, a_hand_over_keeps_known_chains);
    tcase_add_test(order, a_post_covers_what_was_new);
    TCase *life = engine_case(suite, "life");
    tcase_add_test(life, a_handler_that_posts_what_its_thread_holds);
    tcase_add_test(life, records_of_the_dead_are_swept);
    tcase_add_test(life, graves_are_remembered_for_a_while);
    tcase_add_test(life, several_threads_at_once);
    return engine_run(suite);
}
