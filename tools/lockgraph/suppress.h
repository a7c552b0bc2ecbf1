/* Suppressions: what the user knows and does not want to be told again.  A
 * plain text file, one suppression a line, each with its reason; the format is
 * described in docs/suppressions.md.  Files are read before anything is run,
 * so that a mistake in one loses nothing. */
#ifndef LOCKGRAPH_COMMAND_SUPPRESS_H
#define LOCKGRAPH_COMMAND_SUPPRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "pool.h"
#include "text.h"

#define DEFAULT_SUPPRESSIONS "lockgraph.supp"

enum suppression_subject {
    SUPPRESS_LOCK,     /* name of a lock of the finding */
    SUPPRESS_CLASS,    /* name or id of the class of one */
    SUPPRESS_FUNCTION, /* of any frame of its stacks */
    SUPPRESS_FILE,
    SUPPRESS_MODULE,
    SUPPRESS_ID,       /* of the finding itself */
    SUPPRESS_ANY_FRAME /* function, file or module, as a ThreadSanitizer pattern */
};

struct suppression_part {
    enum suppression_subject subject;
    const char *pattern; /* '*' stands for any text */
};

struct suppression {
    const char *file; /* clean, as all texts here */
    unsigned line;
    const char *text;       /* as written, without the reason */
    const char *reason;     /* NULL: none, which only ThreadSanitizer's lines may have */
    const char *kind;       /* pattern; NULL: the kinds of a ThreadSanitizer line */
    const char *blessed[2]; /* classes: order among just these; NULL: no line of an order file */
    size_t part_count;
    struct suppression_part *parts; /* all must match */
};

/* Owned by the pool it was filled from. */
struct suppressions {
    size_t count, file_count;
    struct suppression *list; /* in the order of files and lines */
    const char **files;
};

/* Adds what `text` (any bytes) says.  False when something in it is wrong: then
 * `errors` has a line "FILE:LINE:COLUMN: what, and what is right" for each of
 * the first mistakes, and nothing was added. */
bool suppressions_parse(struct pool *pool, struct suppressions *suppressions, const char *file,
                        const char *text, size_t length, struct text *errors);

/* The files given, or ./lockgraph.supp where none is given and it exists.
 * False after complaining to the standard error. */
bool suppressions_load(struct pool *pool, struct suppressions *suppressions, const char *const *files,
                       size_t count);

/* What an order file blesses is suppressed, too. */
struct order;
void bless_in_suppressions(struct pool *pool, const struct order *order, struct suppressions *suppressions);

/* The whole `text`, '*' in `pattern` standing for any text.  NULL matches nothing. */
bool pattern_matches(const char *pattern, const char *text);
/* The whole path or the end of it from behind a '/'. */
bool pattern_matches_path(const char *pattern, const char *path);

struct model;
struct model_finding;
bool suppression_matches(const struct suppression *suppression, const struct model_finding *finding);
/* Marks the findings that are suppressed and counts for each suppression what
 * it matched. */
void suppress_findings(struct model *model, const struct suppressions *suppressions);

#endif
