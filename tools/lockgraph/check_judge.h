/* A declared order and what was seen, side by side. */
#ifndef LOCKGRAPH_COMMAND_CHECK_JUDGE_H
#define LOCKGRAPH_COMMAND_CHECK_JUDGE_H

#include "seen.h"

enum check_verdict { CHECK_KEEPS, CHECK_NEW, CHECK_BREAKS, CHECK_BLESSED };

/* What it is made from is the caller's, and lives as long. */
struct checked {
    struct model *model;
    const struct seen *seen;
    const struct order *order;
    enum check_verdict *verdicts; /* by pair */
    bool *exercised;              /* by class of the order */
    size_t broken;                /* pairs */
};

/* Arrays are of the model's pool. */
struct checked check_judge(struct model *model, const struct seen *seen, const struct order *order);
size_t checked_count(const struct checked *checked, enum check_verdict verdict);
/* What the order declares for a class that was seen; NULL: nothing. */
const struct order_class *checked_class(const struct checked *checked, size_t class);
/* What a class that was seen is called. */
const char *checked_name(const struct checked *checked, size_t class);
/* Which line of the file is in the way of a pair that breaks the order. */
const char *checked_reason(const struct checked *checked, const struct seen_pair *pair);
/* The blessing's, of a pair that is blessed. */
const char *checked_blessing(const struct checked *checked, const struct seen_pair *pair);
/* Of the places where the pair was taken, the one that breaks the order, or the first. */
const struct stack *checked_held_at(const struct checked *checked, const struct seen_pair *pair);
const struct stack *checked_requested_at(const struct checked *checked, const struct seen_pair *pair);

#endif
