/* Rows of a table, whose class and level only annotate_keys.order knows: the program gives their
 * keys.  Up by key is silent, whatever their addresses; down is told at the call, and so are
 * two without keys.

   order: annotate_keys.order
   case: up
   silent
   near: level-violation
   case: up-by-writers
   silent
   near: level-violation
   case: trylock
   silent
   near: level-violation
   case: renamed
   silent
   near: level-violation
   case: renamed-down
   expect: level-violation none error
   call: NEST the other
   earlier: HOLD one
   lock: line
   case: renamed-by-address
   silent
   near: level-violation
   case: down
   expect: level-violation none error
   call: NEST the other
   earlier: HOLD one
   lock: row
   case: down-by-writers
   expect: level-violation none error
   call: WRITE the other
   earlier: READ one
   lock: index
   case: equal
   expect: level-violation none error
   call: NEST the other
   earlier: HOLD one
   lock: row
   case: none
   expect: level-violation none error
   call: NEST the other
   earlier: HOLD one
   lock: row
 */
#include <pthread.h>
#include <string.h>

#include <lockgraph/annotate.h>

enum { ROWS = 3 };

static pthread_mutex_t rows[ROWS] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
                                     PTHREAD_MUTEX_INITIALIZER};
static pthread_rwlock_t indexes[2];
static pthread_mutex_t cells[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};

/* The first has the greatest. */
static void give_keys(void) {
    for (int i = 0; i < ROWS; i++)
        LG_KEY(&rows[i], ROWS - i);
    for (int i = 0; i < 2; i++) {
        pthread_rwlock_init(&indexes[i], NULL);
        LG_KEY(&indexes[i], 2 - i);
    }
}

static void rename_all(pthread_mutex_t *locks, int count) {
    for (int i = 0; i < count; i++)
        LG_NAME(&locks[i], "line");
}

static void take_two(pthread_mutex_t *outer, pthread_mutex_t *inner) {
    pthread_mutex_lock(outer); /* HOLD one */
    pthread_mutex_lock(inner); /* NEST the other */
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
}

static void nest(int outer, int inner) { take_two(&rows[outer], &rows[inner]); }

static void write_under(int outer, int inner) {
    pthread_rwlock_rdlock(&indexes[outer]); /* READ one */
    pthread_rwlock_wrlock(&indexes[inner]); /* WRITE the other */
    pthread_rwlock_unlock(&indexes[inner]);
    pthread_rwlock_unlock(&indexes[outer]);
}

static void try_down(void) {
    pthread_mutex_lock(&rows[0]);
    if (pthread_mutex_trylock(&rows[1]) == 0)
        pthread_mutex_unlock(&rows[1]);
    pthread_mutex_unlock(&rows[0]);
}

int main(int count, char **arguments) {
    const char *what = count > 1 ? arguments[1] : "";
    if (strcmp(what, "none") != 0)
        give_keys();
    if (strcmp(what, "equal") == 0)
        LG_KEY(&rows[1], ROWS);
    if (strncmp(what, "renamed", strlen("renamed")) == 0)
        take_two(&cells[0], &cells[1]), rename_all(rows, ROWS), rename_all(cells, 2);
    if (strcmp(what, "trylock") == 0)
        try_down();
    else if (strcmp(what, "up") == 0)
        nest(ROWS - 1, 0), nest(1, 0), nest(ROWS - 1, 1);
    else if (strcmp(what, "renamed") == 0)
        nest(1, 0);
    else if (strcmp(what, "renamed-by-address") == 0)
        take_two(&cells[0], &cells[1]);
    else if (strcmp(what, "up-by-writers") == 0)
        write_under(1, 0);
    else if (strcmp(what, "down-by-writers") == 0)
        write_under(0, 1);
    else
        nest(0, 1);
    return 0;
}
