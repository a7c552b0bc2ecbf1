/* Shared by the test_engine_* suites: an engine that is started and forgotten
 * around every test, what it found, and events in one line each. */
#ifndef LOCKGRAPH_TESTS_ENGINE_SUPPORT_H
#define LOCKGRAPH_TESTS_ENGINE_SUPPORT_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "engine/thread.h"

/* What engine_up starts with; a test that wants another changes it and calls
 * engine_again. */
extern struct lge_config engine_config;
void engine_again(void);

/* Findings and regradings so far, and a copy of the last. */
extern struct engine_seen {
    size_t count;
    struct lge_finding last;
    struct lge_finding_edge edges[8];
} engine_seen;

/* Fixtures.  Down forgets everything, and fails the test when memory of the
 * engine is left behind. */
void engine_up(void);
void engine_down(void);
/* This test forks: what other threads had is forgotten, not freed. */
void engine_forgets(void);
/* A case with these fixtures, and the end of every main. */
TCase *engine_case(Suite *suite, const char *name);
int engine_run(Suite *suite);

/* A thread with a kernel id that no thread has. */
struct lge_thread *engine_thread(struct lge_thread *parent);
/* A lock of the class with that name. */
uint64_t engine_lock(struct lge_thread *thread, const char *class_name);
/* Exclusive, of a mutex whose address is its id, at a site of its own, with a
 * context of one frame. */
struct lge_request engine_request(uint64_t id);
/* lge_check and lge_acquired; lge_released. */
void engine_take(struct lge_thread *thread, uint64_t id);
void engine_give(struct lge_thread *thread, uint64_t id);
/* Takes both, gives both back. */
void engine_nest(struct lge_thread *thread, uint64_t outer, uint64_t inner);

/* Ends a forked child: nothing of its parent is flushed or freed again. */
_Noreturn void engine_leave(int status);

/* A small generator, the same on every run. */
uint32_t engine_random(uint32_t below);

#endif
