/* Findings: one per distinct problem, regraded upwards, counted when seen
 * again; lowered to a note when a semaphore that they rest on turns out to signal.
 * Under the graph lock, except where said. */
#ifndef LOCKGRAPH_ENGINE_FINDING_H
#define LOCKGRAPH_ENGINE_FINDING_H

#include "engine/search.h"

void lge_findings_start(const struct lge_config *config);
/* Reports a cycle of the lock graph, or of the class graph. */
void lge_report_cycle(const struct lge_cycle *cycle);
/* A thread that reads again what it reads, where a writer may come between: a
 * cycle of one lock. */
struct lge_reread {
    uint64_t lock;
    const struct lge_dependency *reader; /* the second request; it holds the lock */
    enum lgr_verdict verdict;
    enum lgr_reason reason_kind;
    uint64_t reason_id;
};
void lge_report_reread(const struct lge_reread *reread);
/* `queue`: serial of a writer that waits and that readers queue behind; 0: none.  False: it was
 * told as less, since a semaphore of it was found to signal. */
bool lge_report_deadlock(const struct lge_finding_edge *edges, size_t count, bool timed, uint32_t queue);
/* Every thread, or as many as are listed. */
void lge_report_stall(const struct lge_finding_edge *edges, size_t count);
/* Of a misuse of that kind that is none of the less grave ones.  Any time. */
enum lgr_severity lge_severity_of(enum lgr_kind kind);
/* Whether check.<kind> is not off.  Any time. */
bool lge_kind_wanted(enum lgr_kind kind);
/* Counts the problem with that key when it is known with at least the severity
 * of `finding`; reports it otherwise.  The key covers the kind. */
void lge_report_misuse_finding(struct lge_finding *finding, uint64_t key);
/* The semaphore is no lock: what rests on it is a note from now on, in the evidence file
 * only.  Takes the graph lock. */
void lge_findings_lower(uint64_t semaphore);
uint64_t lge_findings_count(void);
uint64_t lge_findings_errors(void);
/* After fork: the child's problems start anew in its own file. */
void lge_findings_reset(void);

#endif
