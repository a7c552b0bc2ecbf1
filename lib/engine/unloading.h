/* dlclose: what is known of code and variables that go.  By the thread that calls
 * it, without any engine lock. */
#ifndef LOCKGRAPH_ENGINE_UNLOADING_H
#define LOCKGRAPH_ENGINE_UNLOADING_H

struct lge_thread;

/* Before: every address that is known so far gets its module. */
void lge_modules_unloading(void);
/* After: addresses that are seen from now on are others, where something went. */
void lge_modules_unloaded(struct lge_thread *thread);

#endif
