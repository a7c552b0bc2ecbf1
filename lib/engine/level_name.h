/* Names of levels, which log lines and reports use beside the number.
 *
 * A list that only grows, so that it is read without a lock, and after a fork as it
 * was: the newest entry of a level counts. */
#ifndef LOCKGRAPH_ENGINE_LEVEL_NAME_H
#define LOCKGRAPH_ENGINE_LEVEL_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lge_level_name {
    struct lge_level_name *older;
    uint32_t recorded; /* evidence.c, under its lock */
    int16_t level;
    size_t length;
    char text[]; /* with a terminator */
};

/* Names it, from now on and in the evidence; the text is copied.  False: there is no
 * memory, and the level is called what it was.  Any thread. */
bool lge_level_name_set(int16_t level, const char *name);
/* NULL: it has none. */
struct lge_level_name *lge_level_name_of(int16_t level);
void lge_level_names_reset(void);

#endif
