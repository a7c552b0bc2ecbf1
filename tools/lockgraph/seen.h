/* Which classes of locks were taken under which, as the evidence has it: what a declared
 * order is learned from and compared with. */
#ifndef LOCKGRAPH_COMMAND_SEEN_H
#define LOCKGRAPH_COMMAND_SEEN_H

#include "model.h"
#include "order_file.h"

/* Who took its locks, as far as it was seen: as many as a person reads. */
enum { SEEN_THREADS = 5 };

struct seen_class {
    const char *rule;                  /* what declares it, "variable v module m"; NULL: nothing can */
    const char *use_rule;              /* what would declare a guessed one, "use f"; NULL: nothing */
    const char *function_rule;         /* the same without the line, which may stand for others, too */
    const char *name;                  /* proposed by what it is, or declared */
    const char *kind;                  /* "mutex", … */
    const struct model_class *what;    /* the first that was met */
    const char *module;                /* path; NULL: not known */
    size_t declared;                   /* class of the order file; SIZE_MAX: none */
    bool guessed;                      /* known by nothing but where it was first taken */
    bool merged;                       /* several of the model's classes: one call, other callers */
    uint64_t offset;                   /* of a variable without a name; 0: it has one */
    size_t outer, inner;               /* classes taken under it, and that it was taken under */
    const char *threads[SEEN_THREADS]; /* distinct; "worker-*" for all with a number there */
    size_t thread_count;
    struct stack taken_at; /* one of the places */
};

/* `to` was requested while `from` was held. */
struct seen_pair {
    size_t from, to;
    size_t sightings;             /* distinct places */
    size_t ascending, descending; /* of them, by address: of pairs within a class */
    struct stack held_at, requested_at;
    struct stack descending_held_at, descending_requested_at;
};

struct seen {
    size_t class_count, pair_count;
    struct seen_class *classes; /* by name */
    struct seen_pair *pairs;    /* by the names of both */
};

/* Variables without a name that lie side by side like an array. */
struct seen_run {
    const char *module;
    uint64_t first, last; /* offsets */
};

/* Rules that are not told apart by their calls: these are told by their callers.  Runs
 * of variables that are told together. */
struct seen_splits {
    size_t count, run_count;
    const char **rules;
    size_t whole_count; /* of those, what is not told apart after all */
    const char **whole;
    struct seen_run *runs;
};

/* Whether the rule is one of these. */
bool seen_has_rule(const char *const *rules, size_t count, const char *rule);
/* `order` NULL: nothing is declared; `splits` NULL: none.  Lives as long as the model. */
struct seen seen_in(struct model *model, const struct order *order, const struct seen_splits *splits);

#endif
