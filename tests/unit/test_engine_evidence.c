#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/evidence.h"
#include "engine/identity.h"
#include "engine/lifecycle.h"
#include "engine/lock_class.h"
#include "engine/misuse.h"
#include "engine/recorded_modules.h"
#include "engine_support.h"
#include "platform/memory.h"
#include "platform/modules.h"
#include "record/writer.h"
#include "record_support.h"

static struct lge_thread *one, *two;
static uint64_t a, b;

static void set_up(void) {
    temporary_make();
    engine_config.recording = true;
    engine_up();
    writer_start(0);
    one = engine_thread(NULL);
    two = lge_thread_new(one, (uintptr_t)set_up, engine_request(1).context);
    lge_thread_begin(two, 2, 0, 0);
    a = engine_lock(one, "first");
    b = engine_lock(one, "second");
}

static void tear_down(void) {
    engine_down();
    temporary_remove();
}

static void invert(void) {
    engine_nest(one, a, b);
    engine_nest(two, b, a);
    ck_assert_uint_eq(engine_seen.count, 1);
}

static const struct lgr_finding_info *only_finding(const struct lgr_file *file) {
    size_t count;
    const struct lgr_finding_info *findings = lgr_findings(file, &count);
    ck_assert_uint_eq(count, 1);
    return findings;
}

static void check_edge(const struct lgr_file *file, const struct lgr_finding_edge_info *edge) {
    const struct lgr_finding_edge *at = edge->edge;
    ck_assert_uint_eq(edge->held_count, 1);
    ck_assert_uint_eq(edge->held[0].lock, at->from);
    ck_assert_uint_eq(lgr_lock_by_id(file, at->from)->class_id, at->from_class);
    ck_assert_uint_eq(lgr_lock_by_id(file, at->from)->address, at->from);
    ck_assert_uint_eq(lgr_lock_by_id(file, at->from)->kind, LGR_LOCK_MUTEX);
    ck_assert_ptr_nonnull(lgr_class_by_id(file, at->to_class));
    ck_assert_uint_eq(lgr_context_by_id(file, at->held_context)->frame_count, 1);
    ck_assert_uint_eq(lgr_context_by_id(file, at->request_context)->frames[0].offset, 0x1000 + at->to_class);
    ck_assert_uint_eq(lgr_thread_by_serial(file, at->thread)->tid, at->tid);
}

START_TEST(a_finding_is_read_back) {
    invert();
    struct lgr_file *file = open_written();
    const struct lgr_finding_info *finding = only_finding(file);
    ck_assert_uint_eq(finding->finding->kind, LGR_KIND_ORDER_CYCLE);
    ck_assert_uint_eq(finding->finding->verdict, LGR_VERDICT_FEASIBLE);
    ck_assert_uint_eq(finding->finding->severity, LGR_ERROR);
    ck_assert_uint_eq(finding->count, 1);
    ck_assert_uint_eq(finding->edge_count, 2);
    for (size_t i = 0; i < 2; i++)
        check_edge(file, &finding->edges[i]);
    ck_assert_uint_eq(finding->edges[0].edge->to, finding->edges[1].edge->from);
    ck_assert_str_eq(lgr_class_by_id(file, lge_lock_class(a))->name, "first");
    ck_assert_str_eq(lgr_class_by_id(file, lge_lock_class(b))->name, "second");
    ck_assert_uint_eq(lgr_header(file)->findings, 1);
    ck_assert_uint_eq(lgr_header(file)->deadlocks, 0);
    ck_assert_uint_eq(lgr_damaged(file), 0);
    ck_assert_uint_eq(lgr_unknown(file), 0);
    lgr_close(file);
}
END_TEST

/* No edge of an order, and no wait: the lock that the story needs besides is named all the same. */
START_TEST(both_locks_of_a_misuse_are_named) {
    struct lge_request request = engine_request(b);
    lge_table_lock();
    ck_assert_ptr_nonnull(lge_lock_obtain(&request));
    lge_table_unlock();
    lge_report_misuse(one, &(struct lge_misuse){.kind = LGR_KIND_COND_TWO_MUTEXES,
                                                .lock = a,
                                                .other = b,
                                                .address = (const void *)(uintptr_t)a,
                                                .lock_kind = LGR_LOCK_MUTEX});
    struct lgr_file *file = open_written();
    ck_assert_uint_eq(only_finding(file)->edges[0].edge->to, b);
    ck_assert_ptr_nonnull(lgr_lock_by_id(file, a));
    ck_assert_ptr_nonnull(lgr_lock_by_id(file, b));
    lgr_close(file);
}
END_TEST

START_TEST(a_problem_seen_again_is_counted_in_place) {
    invert();
    engine_nest(engine_thread(NULL), b, a);
    engine_nest(engine_thread(NULL), b, a);
    ck_assert_uint_eq(engine_seen.count, 1);
    struct lgr_file *file = open_written();
    ck_assert_uint_gt(only_finding(file)->count, 1);
    ck_assert_uint_eq(lgr_header(file)->findings, 1);
    lgr_close(file);
}
END_TEST

START_TEST(a_regraded_problem_is_written_again) {
    engine_nest(one, a, b);
    engine_nest(one, b, a);
    ck_assert_int_eq(engine_seen.last.verdict, LGR_VERDICT_SINGLE_THREAD);
    engine_nest(two, b, a);
    ck_assert_uint_eq(engine_seen.count, 2);
    struct lgr_file *file = open_written();
    const struct lgr_finding_info *finding = only_finding(file);
    ck_assert_uint_eq(finding->finding->verdict, LGR_VERDICT_FEASIBLE);
    ck_assert_uint_eq(finding->count, 2);
    ck_assert_uint_eq(lgr_header(file)->findings, 2);
    lgr_close(file);
}
END_TEST

/* A follower sees it before any thread ends. */
START_TEST(orders_are_counted_at_once) {
    uint64_t before = atomic_load(&lgr_writer_header()->edges);
    engine_nest(one, a, b);
    ck_assert_uint_eq(atomic_load(&lgr_writer_header()->edges), before + 1);
    engine_nest(one, a, b);
    ck_assert_uint_eq(atomic_load(&lgr_writer_header()->edges), before + 1);
    struct lgr_file *file = open_written();
    ck_assert_uint_eq(lgr_edge_count(file), before + 1);
    lgr_close(file);
}
END_TEST

START_TEST(a_gate_is_named) {
    uint64_t gate = engine_lock(one, "gate");
    struct lge_thread *const both[] = {one, two};
    for (int i = 0; i < 2; i++) {
        engine_take(both[i], gate);
        engine_nest(both[i], i ? b : a, i ? a : b);
        engine_give(both[i], gate);
    }
    struct lgr_file *file = open_written();
    const struct lgr_finding_info *finding = only_finding(file);
    ck_assert_uint_eq(finding->finding->verdict, LGR_VERDICT_GATED);
    ck_assert_uint_eq(finding->finding->reason_kind, LGR_REASON_GATE);
    ck_assert_uint_eq(finding->finding->reason_id, gate);
    ck_assert_str_eq(lgr_class_by_id(file, lgr_lock_by_id(file, gate)->class_id)->name, "gate");
    ck_assert_uint_eq(finding->edges[0].held_count, 2);
    lgr_close(file);
}
END_TEST

START_TEST(an_edge_of_classes_is_written_once) {
    struct lge_request request = engine_request(b);
    for (int i = 0; i < 3; i++)
        engine_nest(i % 2 ? one : two, a, b);
    engine_nest(one, engine_lock(one, "first"), engine_lock(one, "second"));
    request.mode = LGR_SHARED;
    request.flags = LGE_TIMED;
    engine_take(one, a);
    lge_check(one, &request);
    struct lgr_file *file = open_written();
    ck_assert_uint_eq(lgr_edge_count(file), 2);
    const struct lgr_edge *edge = lgr_edge_at(file, 0);
    ck_assert_uint_eq(edge->from_class, lge_lock_class(a));
    ck_assert_uint_eq(edge->to_class, lge_lock_class(b));
    ck_assert_uint_eq(edge->from_lock, a);
    ck_assert_uint_eq(edge->to_lock, b);
    ck_assert_uint_eq(edge->thread, lge_thread_serial(two));
    ck_assert_uint_eq(edge->mode_to, LGR_EXCLUSIVE);
    ck_assert_uint_eq(edge->timed, 0);
    ck_assert_uint_eq(lgr_edge_at(file, 1)->mode_to, LGR_SHARED);
    ck_assert_uint_eq(lgr_edge_at(file, 1)->timed, 1);
    lgr_close(file);
}
END_TEST

static int static_variable;

START_TEST(addresses_are_named_by_module) {
    uintptr_t frames[] = {(uintptr_t)set_up + 1, (uintptr_t)printf, 0x10};
    uint64_t id = lge_lock_id_new(one, lge_class_static((uintptr_t)&static_variable));
    struct lge_request request = engine_request(id);
    request.context = lge_context_intern(frames, 3, false);
    engine_take(two, a);
    lge_check(two, &request);
    struct lgr_file *file = open_written();
    size_t count;
    const struct lgr_module_info *modules = lgr_modules(file, &count);
    ck_assert_uint_eq(count, 2);
    char program[4096] = "";
    ck_assert(readlink("/proc/self/exe", program, sizeof program - 1) > 0);
    ck_assert_str_eq(modules[0].path, program);
    ck_assert_ptr_nonnull(strstr(modules[1].path, "/"));
    const struct lgr_class_info *class = lgr_class_by_id(file, lge_lock_class(id));
    ck_assert_uint_eq(class->kind, LGR_CLASS_STATIC);
    const struct lgr_module_info *main_program = lgr_module_by_id(file, class->variable.module);
    ck_assert_uint_eq(class->variable.offset + main_program->bias, (uintptr_t)&static_variable);
    const struct lgr_context_info *context = lgr_context_by_id(file, request.context);
    ck_assert_uint_eq(context->frame_count, 3);
    ck_assert(!context->partial);
    for (int i = 0; i < 2; i++)
        ck_assert_uint_eq(lgr_module_by_id(file, context->frames[i].module)->bias + context->frames[i].offset,
                          frames[i]);
    ck_assert_uint_eq(context->frames[2].module, 0);
    ck_assert_uint_eq(context->frames[2].offset, 0x10);
    const struct lgr_thread_info *thread = lgr_thread_by_serial(file, lge_thread_serial(two));
    ck_assert_uint_eq(thread->start_routine.offset + main_program->bias, (uintptr_t)set_up);
    ck_assert_uint_eq(thread->parent, lge_thread_serial(one));
    ck_assert_uint_ne(thread->creation_context, 0);
    ck_assert_uint_eq(thread->tid, 2);
    lgr_close(file);
}
END_TEST

START_TEST(a_name_is_written_when_it_changed) {
    ck_assert_int_eq(prctl(PR_SET_NAME, "earlier"), 0);
    lge_evidence_thread(one);
    lge_evidence_thread(one);
    struct lgr_file *file = open_written();
    ck_assert_str_eq(lgr_thread_by_serial(file, lge_thread_serial(one))->name, "earlier");
    lgr_close(file);
    ck_assert_int_eq(prctl(PR_SET_NAME, "later"), 0);
    lge_evidence_thread(one);
    file = open_written();
    ck_assert_str_eq(lgr_thread_by_serial(file, lge_thread_serial(one))->name, "later");
    lgr_close(file);
}
END_TEST

/* ---- waiting ---- */

static int owner_one, owner_two;

static void wait_for(struct lge_thread *thread, uint64_t id, const int *owner) {
    struct lge_request request = engine_request(id);
    lge_wait_begin(thread, &request, owner);
    lge_wait_again(thread);
}

START_TEST(a_deadlock_and_its_states) {
    engine_take(one, a);
    engine_take(two, b);
    owner_one = (int)lge_thread_tid(one);
    owner_two = (int)lge_thread_tid(two);
    wait_for(one, b, &owner_two);
    wait_for(two, a, &owner_one);
    struct lgr_file *file = open_written();
    ck_assert_uint_eq(only_finding(file)->finding->kind, LGR_KIND_DEADLOCK);
    ck_assert_uint_eq(only_finding(file)->finding->verdict, LGR_VERDICT_ACTUAL);
    ck_assert_uint_eq(lgr_header(file)->deadlocks, 1);
    size_t count;
    const struct lgr_thread_state *states = lgr_thread_states(file, &count);
    ck_assert_uint_eq(count, 2);
    for (size_t i = 0; i < 2; i++) {
        bool first = states[i].serial == lge_thread_serial(one);
        ck_assert_uint_eq(states[i].wait_kind, LGR_WAIT_LOCK);
        ck_assert_uint_eq(states[i].target, first ? b : a);
        ck_assert_uint_eq(states[i].owner, lge_thread_serial(first ? two : one));
        ck_assert_uint_eq(states[i].held_count, 1);
        ck_assert_uint_eq(states[i].held[0].lock, first ? a : b);
        ck_assert_ptr_nonnull(lgr_lock_by_id(file, states[i].target));
        ck_assert_ptr_nonnull(lgr_context_by_id(file, states[i].wait_context));
        ck_assert_uint_ne(states[i].since_realtime_ns, 0);
    }
    ck_assert_uint_ne(states[0].serial, states[1].serial);
    lgr_close(file);
}
END_TEST

static size_t states_now(void) {
    struct lgr_file *file = open_written();
    size_t count;
    lgr_thread_states(file, &count);
    lgr_close(file);
    return count;
}

START_TEST(a_state_that_ended_is_used_again) {
    int stranger = 4711;
    wait_for(one, b, &stranger);
    wait_for(two, b, &stranger);
    struct lgr_thread_state *slot = one->state;
    ck_assert_uint_eq(states_now(), 2);
    lge_wait_end(one);
    ck_assert_uint_eq(states_now(), 1);
    ck_assert_ptr_null(one->state);
    struct lge_thread *third = engine_thread(NULL);
    wait_for(third, b, &stranger);
    ck_assert_ptr_eq(third->state, slot);
    lge_wait_again(third);
    ck_assert_ptr_eq(third->state, slot);
    ck_assert_uint_eq(states_now(), 2);
    for (int i = 0; i < 100; i++) { /* many slots come free */
        struct lge_thread *more = engine_thread(NULL);
        wait_for(more, b, &stranger);
        ck_assert_ptr_nonnull(more->state);
    }
    for (struct lge_thread *t = lge_threads_first(); t != NULL; t = t->next_in_list)
        if (t->state != NULL)
            lge_wait_end(t);
    ck_assert_uint_eq(states_now(), 0);
}
END_TEST

/* ---- two that close a ring at the same moment ---- */

enum { ROUNDS = 300 };
static struct lge_thread *closers[2];
static uint64_t ring[2];
static int ring_owners[2];
static pthread_barrier_t together;

static void *close_rings(void *number) {
    int me = (int)(intptr_t)number;
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&together); /* the main thread has laid the ring */
        struct lge_request request = engine_request(ring[1 - me]);
        if (!lge_wait_begin(closers[me], &request, &ring_owners[1 - me]))
            while (!lge_wait_again(closers[me]))
                ;
        pthread_barrier_wait(&together);
        lge_wait_end(closers[me]);
        lge_released(closers[me], (void *)(uintptr_t)ring[me]);
        pthread_barrier_wait(&together);
    }
    return NULL;
}

static void lay_ring(int round) {
    for (int i = 0; i < 2; i++) {
        char name[] = {'r', (char)('0' + i), (char)(1 + round / 100), (char)(1 + round % 100), 0};
        ring[i] = engine_lock(one, name);
        struct lge_request request = engine_request(ring[i]);
        lge_acquired(closers[i], &request);
        ring_owners[i] = (int)lge_thread_tid(closers[i]);
    }
}

START_TEST(each_deadlock_is_counted_once) {
    pthread_t running[2];
    pthread_barrier_init(&together, NULL, 3);
    for (intptr_t i = 0; i < 2; i++) {
        closers[i] = engine_thread(NULL);
        ck_assert_int_eq(pthread_create(&running[i], NULL, close_rings, (void *)i), 0);
    }
    for (int round = 0; round < ROUNDS; round++) {
        lay_ring(round);
        for (int i = 0; i < 3; i++)
            pthread_barrier_wait(&together);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(running[i], NULL);
    struct lgr_file *file = open_written();
    size_t count;
    const struct lgr_finding_info *findings = lgr_findings(file, &count);
    ck_assert_uint_eq(count, ROUNDS);
    for (size_t i = 0; i < count; i++)
        ck_assert_uint_eq(findings[i].count, 1);
    lgr_close(file);
}
END_TEST

START_TEST(a_state_lists_the_outermost_holds) {
    int stranger = 4711;
    uint64_t first = engine_lock(one, "deep"), last = first;
    for (int i = 0; i < 20; i++, last = engine_lock(one, "deep"))
        engine_take(one, last);
    wait_for(one, b, &stranger);
    struct lgr_file *file = open_written();
    size_t count;
    const struct lgr_thread_state *state = lgr_thread_states(file, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(state->held_count, 20);
    ck_assert_uint_eq(state->held[0].lock, first);
    ck_assert_uint_eq(state->held[LGR_STATE_HELD - 1].lock, first + LGR_STATE_HELD - 1);
    lgr_close(file);
}
END_TEST

START_TEST(a_waiting_join_is_a_state) {
    engine_take(one, a);
    lge_wait_join(one, two, 0x77, 0, 0, true);
    lge_wait_again(one);
    struct lgr_file *file = open_written();
    size_t count;
    const struct lgr_thread_state *state = lgr_thread_states(file, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(state->wait_kind, LGR_WAIT_JOIN);
    ck_assert_uint_eq(state->target, lge_thread_serial(two));
    lgr_close(file);
}
END_TEST

START_TEST(figures_of_contended_locks) {
    int stranger = 4711;
    uint64_t quiet = engine_lock(one, "quiet");
    for (int i = 0; i < 3; i++) {
        wait_for(one, b, &stranger);
        lge_wait_end(one);
    }
    struct lge_request request = engine_request(quiet); /* no long wait: never listed */
    lge_wait_begin(one, &request, &stranger);
    lge_wait_end(one);
    lge_evidence_lock_figures();
    struct lgr_file *file = open_written();
    const struct lgr_lock_stats *stats = lgr_stats_of_lock(file, b);
    ck_assert_uint_eq(stats->contended, 3);
    ck_assert_uint_gt(stats->wait_total_ns, 0);
    ck_assert_uint_gt(stats->wait_max_ns, 0);
    ck_assert_uint_le(stats->wait_max_ns, stats->wait_total_ns);
    ck_assert_ptr_null(lgr_lock_by_id(file, quiet));
    lgr_close(file);
}
END_TEST

/* A held stack that fits no record is left out, the finding is not. */
START_TEST(an_enormous_held_stack_is_left_out) {
    uint32_t class = lge_class_named("many");
    struct lge_request request = engine_request(lge_lock_id_new(one, class));
    for (int i = 0; i < 20000; i++) {
        request.id = lge_lock_id_new(one, class);
        request.address = (void *)(uintptr_t)request.id;
        lge_acquired(one, &request);
    }
    owner_one = (int)lge_thread_tid(one);
    ck_assert(lge_wait_begin(one, &request, &owner_one));
    struct lgr_file *file = open_written();
    const struct lgr_finding_info *finding = only_finding(file);
    ck_assert_uint_eq(finding->finding->kind, LGR_KIND_SELF_DEADLOCK);
    ck_assert_uint_eq(finding->edge_count, 1);
    ck_assert_uint_eq(finding->edges[0].held_count, 0);
    ck_assert_uint_eq(finding->edges[0].edge->to, request.id);
    lgr_close(file);
}
END_TEST

START_TEST(nothing_is_written_without_a_file) {
    lgr_writer_fork_child(); /* the writer is off */
    invert();
    lge_evidence_lock_figures();
    int stranger = 4711;
    wait_for(one, b, &stranger);
    lge_wait_end(one);
    ck_assert_uint_eq(engine_seen.count, 1);
}
END_TEST

/* ---- fork ---- */

static void check_own_file(uint64_t c) {
    struct lgr_file *file = open_written();
    const struct lgr_finding_info *finding = only_finding(file);
    for (size_t i = 0; i < 2; i++)
        check_edge(file, &finding->edges[i]);
    ck_assert_uint_eq(lgr_header(file)->findings, 1);
    ck_assert_ptr_nonnull(lgr_lock_by_id(file, c));
    ck_assert_ptr_null(lgr_lock_by_id(file, b)); /* the parent's */
    lgr_close(file);
}

/* In the child: the same inversion is a finding of its own file. */
static void go_on_in_the_child(void) {
    lgr_writer_fork_child();
    lge_fork_child(one, 4711);
    writer_start(0);
    ck_assert_ptr_eq(lge_thread_by_tid(4711), one);
    ck_assert(lge_holds(one, (void *)(uintptr_t)a));
    engine_give(one, a);
    struct lge_thread *other = engine_thread(one);
    uint64_t c = engine_lock(one, "first"), d = engine_lock(one, "second");
    ck_assert_uint_ne(c >> 24, a >> 24);
    engine_nest(one, c, d);
    engine_nest(other, d, c);
    check_own_file(c);
    engine_leave(0);
}

static void check_child(pid_t pid) {
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(temporary_files(NULL, 0), 2);
}

START_TEST(a_child_starts_a_file_of_its_own) {
    int stranger = 4711;
    invert();
    engine_take(one, a);
    wait_for(one, b, &stranger);
    pid_t pid = fork();
    if (pid == 0)
        go_on_in_the_child();
    check_child(pid);
    lge_wait_end(one);
    engine_nest(engine_thread(NULL), b, a); /* the parent goes on as before */
    struct lgr_file *file = open_written();
    ck_assert_uint_ge(only_finding(file)->count, 2);
    ck_assert_uint_eq(lgr_header(file)->findings, 1);
    lgr_close(file);
}
END_TEST

/* Another thread was inside: the child begins with what it holds alone. */
START_TEST(a_child_of_a_busy_process_starts_anew) {
    invert();
    engine_take(one, a);
    lge_table_lock(); /* as if by another thread */
    pid_t pid = fork();
    if (pid == 0)
        go_on_in_the_child();
    lge_table_unlock();
    check_child(pid);
    engine_give(one, a);
}
END_TEST

/* Another thread was within dlclose: in the child the loader never forgets what is gone. */
static void name_what_is_gone(const struct lgp_module *gone) {
    ck_assert_int_eq(munmap((void *)gone->start, gone->end - gone->start), 0);
    lgr_writer_fork_child();
    lge_fork_child(one, 4711);
    writer_start(0);
    ck_assert_uint_eq(lge_recorded_location(gone->start, atomic_load(&lge_modules_epoch)).module, 0);
    _exit(0);
}

START_TEST(a_child_of_a_process_that_unloads) {
    int status;
    struct link_map *map;
    struct lgp_module module;
    void *library = dlopen("libBrokenLocale.so.1", RTLD_NOW);
    ck_assert_int_eq(dlinfo(library, RTLD_DI_LINKMAP, &map), 0);
    ck_assert(lgp_module_find((uintptr_t)map->l_ld, &module));
    lge_recorded_modules_may_go(true);
    pid_t pid = fork();
    if (pid == 0)
        name_what_is_gone(&module);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("engine_evidence");
    TCase *tests = tcase_create("evidence");
    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_finding_is_read_back);
    tcase_add_test(tests, both_locks_of_a_misuse_are_named);
    tcase_add_test(tests, a_problem_seen_again_is_counted_in_place);
    tcase_add_test(tests, a_regraded_problem_is_written_again);
    tcase_add_test(tests, orders_are_counted_at_once);
    tcase_add_test(tests, a_gate_is_named);
    tcase_add_test(tests, an_edge_of_classes_is_written_once);
    tcase_add_test(tests, addresses_are_named_by_module);
    tcase_add_test(tests, a_name_is_written_when_it_changed);
    tcase_add_test(tests, a_deadlock_and_its_states);
    tcase_add_test(tests, a_state_that_ended_is_used_again);
    tcase_add_test(tests, each_deadlock_is_counted_once);
    tcase_add_test(tests, a_state_lists_the_outermost_holds);
    tcase_add_test(tests, a_waiting_join_is_a_state);
    tcase_add_test(tests, figures_of_contended_locks);
    tcase_add_test(tests, an_enormous_held_stack_is_left_out);
    tcase_add_test(tests, nothing_is_written_without_a_file);
    tcase_add_test(tests, a_child_starts_a_file_of_its_own);
    tcase_add_test(tests, a_child_of_a_busy_process_starts_anew);
    tcase_add_test(tests, a_child_of_a_process_that_unloads);
    suite_add_tcase(suite, tests);
    return engine_run(suite);
}
