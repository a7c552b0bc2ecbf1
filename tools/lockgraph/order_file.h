/* A declared order (lockgraph-order(5)): classes of locks, which locks they are, and in
 * which order they may be taken.  Read and settled before anything is run, so that a
 * mistake in a file loses nothing. */
#ifndef LOCKGRAPH_COMMAND_ORDER_FILE_H
#define LOCKGRAPH_COMMAND_ORDER_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "pool.h"
#include "record/order_table.h"
#include "text.h"

#define DEFAULT_ORDER "lockgraph.order"

/* Of more mistakes only the number is told. */
enum { ORDER_MISTAKES = 20 };

struct order_place {
    const char *file; /* clean */
    unsigned line;
    size_t column;
};

struct order_class {
    const char *name; /* clean, as all texts here but patterns */
    const char *what; /* what it protects; NULL: not said */
    int level;        /* NO_LEVEL of model.h: none */
    enum lgr_order_nesting nesting;
    struct order_place nested_at; /* line 0: not said */
    struct order_place place;
};

/* All that is not NULL must hold. */
struct order_rule {
    const char *class_name;
    size_t class_index; /* settled */
    const char *variable, *function, *module;
    bool use;           /* `function` takes it first; else it initialises it */
    const char *source; /* file of that call */
    unsigned source_line;
    struct order_place place;
};

struct order_pair {
    const char *names[2];
    size_t classes[2];  /* settled */
    const char *reason; /* of a blessing */
    struct order_place place;
};

/* `same` lines, until they are settled. */
struct order_same {
    const char *name;
    enum lgr_order_nesting nesting;
    struct order_place place;
};

/* Owned by the pool it was filled from. */
struct order {
    size_t class_count, rule_count, before_count, bless_count, same_count, file_count;
    struct order_class *classes;
    struct order_rule *rules;
    struct order_pair *befores, *blessings;
    struct order_same *sames;
    const char **files;
    bool *precedes; /* [first * class_count + second], settled: by levels and pairs, and what follows from
                       them */
};

/* One file being read: what an `include` line does is the caller's. */
struct order_source {
    struct pool *pool;
    struct order *order;
    const char *file; /* clean */
    struct text *errors;
    size_t wrong;
    /* NULL: nothing is done.  Complains itself, with order_mistake. */
    void (*include)(struct order_source *from, const char *file, const struct order_place *place);
    void *context;
};

/* Adds what `text` (any bytes) says; for each of the first mistakes `errors` gets a line
 * "FILE:LINE:COLUMN: what, and what is right". */
void order_parse(struct order_source *source, const char *text, size_t length);
void order_mistake(struct order_source *source, const struct order_place *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Once all files are read: names become classes, the order is made complete.  False
 * when it contradicts itself; `errors` says where. */
bool order_settle(struct order_source *source);

/* The file, with what it includes; NULL: ./lockgraph.order where it exists, else no
 * classes and no files.  False after complaining to the standard error. */
bool order_load(struct pool *pool, struct order *order, const char *file);

/* SIZE_MAX: none. */
size_t order_class_named(const struct order *order, const char *name);
bool order_precedes(const struct order *order, size_t first, size_t second);
/* NULL: the file does not bless them. */
const struct order_pair *order_blessing(const struct order *order, size_t one, size_t other);

#endif
