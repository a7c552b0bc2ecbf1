/* An object is made under its own lock and then entered into a table; everybody else
 * takes the table first.  While nobody else can reach the object that is harmless, as
 * the program says.

   case: silently
   expect: order-cycle feasible error
   edge: MADE under its lock -> ENTERED
   edge: FOUND in the table -> USED
   case: announced
   silent
   near: order-cycle
   case: too-late
   expect: order-cycle feasible error
   edge: MADE under its lock -> ENTERED
   edge: FOUND in the table -> USED
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <lockgraph/annotate.h>

struct object {
    pthread_mutex_t lock;
    int value;
};
static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static struct object *_Atomic entered;
static int announced, too_late;

static void *make(void *nothing) {
    struct object *object = calloc(1, sizeof *object);
    pthread_mutex_init(&object->lock, NULL);
    LG_NAME(&object->lock, "object");
    if (announced)
        LG_UNPUBLISHED(&object->lock);
    if (too_late)
        LG_PUBLISHED(&object->lock);
    pthread_mutex_lock(&object->lock); /* MADE under its lock */
    pthread_mutex_lock(&table);        /* ENTERED */
    if (announced && !too_late)
        LG_PUBLISHED(&object->lock);
    atomic_store(&entered, object);
    pthread_mutex_unlock(&table);
    object->value = 1;
    pthread_mutex_unlock(&object->lock);
    return nothing;
}

static void *use(void *nothing) {
    while (atomic_load(&entered) == NULL)
        continue;
    pthread_mutex_lock(&table);                       /* FOUND in the table */
    pthread_mutex_lock(&atomic_load(&entered)->lock); /* USED */
    pthread_mutex_unlock(&atomic_load(&entered)->lock);
    pthread_mutex_unlock(&table);
    return nothing;
}

int main(int count, char **arguments) {
    pthread_t threads[2];
    announced = count > 1 && strcmp(arguments[1], "silently") != 0;
    too_late = count > 1 && strcmp(arguments[1], "too-late") == 0;
    pthread_create(&threads[0], NULL, make, NULL);
    pthread_create(&threads[1], NULL, use, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}
