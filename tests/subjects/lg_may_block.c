/* Locks whose group says that they are meant to be held over blocking calls, and one
 * of a group that does not.
 *
 * options: -O blocked_limit=50ms
 *
 * case: allowed
 *     silent
 *     near: blocked-under-lock
 * case: other-group
 *     expect: blocked-under-lock none warning
 *     call: SLEEPS WITH INDEX
 *     earlier: TAKES INDEX
 *     lock: index
 * case: both
 *     expect: blocked-under-lock none warning
 *     call: SLEEPS WITH BOTH
 *     earlier: TAKES INDEX FIRST
 *     lock: index
 * case: refused
 *     expect: level-violation none error
 *     call: REFUSED
 *     earlier: TAKES JOURNAL
 * case: unnamed
 *     silent
 *     near: blocked-under-lock
 */
#include <string.h>
#include <unistd.h>

#include <lockgraph/lockgraph.h>

static lg_group_t files = {"files", LG_DEFAULT_TIMEOUT, LG_REFUSE | LG_MAY_BLOCK}, memory = {"memory", 0, 0};
static lg_mutex_t journal = LG_MUTEX_INITIALIZER("journal", 20), list = LG_MUTEX_INITIALIZER("index", 10);
static lg_rwlock_t unnamed = LG_RWLOCK_INITIALIZER(NULL, LG_NO_LEVEL);

static void rest(void) { usleep(200000); }

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "allowed";
    lg_mutex_set_group(&journal, &files);
    lg_rwlock_set_group(&unnamed, &files);
    lg_mutex_set_group(&list, &memory);
    if (strcmp(name, "allowed") == 0) {
        lg_mutex_lock(&journal);
        rest();
        lg_mutex_unlock(&journal);
    }
    if (strcmp(name, "refused") == 0) { /* the policy beside it is kept */
        lg_mutex_set_group(&list, &files);
        lg_mutex_lock(&journal);            /* TAKES JOURNAL */
        int refused = lg_mutex_lock(&list); /* REFUSED */
        lg_mutex_unlock(&journal);
        return refused != EDEADLK;
    }
    if (strcmp(name, "other-group") == 0) {
        lg_mutex_lock(&list); /* TAKES INDEX */
        rest();               /* SLEEPS WITH INDEX */
        lg_mutex_unlock(&list);
    }
    if (strcmp(name, "both") == 0) {
        lg_mutex_lock(&list); /* TAKES INDEX FIRST */
        lg_mutex_lock(&journal);
        rest(); /* SLEEPS WITH BOTH */
        lg_mutex_unlock(&journal);
        lg_mutex_unlock(&list);
    }
    if (strcmp(name, "unnamed") == 0) {
        lg_rwlock_wrlock(&unnamed);
        rest();
        lg_rwlock_unlock(&unnamed);
    }
    return 0;
}
