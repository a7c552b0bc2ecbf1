/* Plain pthread locks, with levels, keys and an order given by annotations: what is
 * against them is told at the very call, the right order is silent.

   case: right
   silent
   case: trylock
   silent
   case: ascending
   silent
   case: order-right
   silent
   case: mutex
   expect: level-violation none error
   call: TAKE the lower one
   earlier: HOLD the mutex
   lock: registry
   says: registry (level 10), session.lock (level 20), the declared order is 10 registry
   case: rwlock
   expect: level-violation none error
   call: TAKE the lower one
   earlier: HOLD the rwlock
   says: routes (level 30)
   case: spin
   expect: level-violation none error
   call: TAKE the lower one
   earlier: HOLD the spinlock
   says: spin (level 40)
   case: semaphore
   expect: level-violation none error
   call: TAKE the lower one
   earlier: HOLD the slot
   says: slots (level 50)
   case: descending
   expect: level-violation none error
   call: NEST the other row
   earlier: HOLD a row
   lock: row
   case: order
   expect: level-violation none error
   call: TAKE the first
   earlier: HOLD the last
   lock: head
   says: the program declares that head comes before tail where both are held
   case: contradiction
   silent
 */
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include <lockgraph/annotate.h>

static struct { pthread_mutex_t lock; } session = {PTHREAD_MUTEX_INITIALIZER};
static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t routing = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static sem_t slots;
static pthread_mutex_t rows[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static pthread_mutex_t chain[3] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
                                   PTHREAD_MUTEX_INITIALIZER};

static void annotate(void) {
    LG_LEVEL(&registry, 10);
    LG_LEVEL(&session.lock, 20);
    LG_NAME(&routing, "routes");
    LG_LEVEL(&routing, 30);
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    LG_LEVEL(&spin, 40);
    sem_init(&slots, 0, 2);
    LG_LEVEL(&slots, 50);
    for (int i = 0; i < 2; i++) {
        LG_LEVEL_KEYED(&rows[i], 60, i + 1);
        LG_NAME(&rows[i], "row");
    }
    LG_NAME(&chain[0], "head");
    LG_NAME(&chain[1], "middle");
    LG_NAME(&chain[2], "tail");
    LG_ORDER("head", "middle");
    LG_ORDER("middle", "tail");
}

static void take_lower(void) {
    pthread_mutex_lock(&registry); /* TAKE the lower one */
    pthread_mutex_unlock(&registry);
}

static void all_in_order(void) {
    pthread_mutex_lock(&registry);
    pthread_mutex_lock(&session.lock);
    pthread_rwlock_rdlock(&routing);
    pthread_spin_lock(&spin);
    sem_wait(&slots);
    sem_post(&slots);
    pthread_spin_unlock(&spin);
    pthread_rwlock_unlock(&routing);
    pthread_mutex_unlock(&session.lock);
    pthread_mutex_unlock(&registry);
}

static void two_rows(int outer, int inner) {
    pthread_mutex_lock(&rows[outer]); /* HOLD a row */
    pthread_mutex_lock(&rows[inner]); /* NEST the other row */
    pthread_mutex_unlock(&rows[inner]);
    pthread_mutex_unlock(&rows[outer]);
}

static void try_lower(void) {
    pthread_mutex_lock(&session.lock);
    if (pthread_mutex_trylock(&registry) == 0)
        pthread_mutex_unlock(&registry);
    pthread_mutex_unlock(&session.lock);
}

static void chain_wrong(void) {
    pthread_mutex_lock(&chain[2]); /* HOLD the last */
    pthread_mutex_lock(&chain[0]); /* TAKE the first */
    pthread_mutex_unlock(&chain[0]);
    pthread_mutex_unlock(&chain[2]);
}

static void chain_right(void) {
    for (int i = 0; i < 3; i++)
        pthread_mutex_lock(&chain[i]);
    for (int i = 0; i < 3; i++)
        pthread_mutex_unlock(&chain[i]);
}

static void under_mutex(void) {
    pthread_mutex_lock(&session.lock); /* HOLD the mutex */
    take_lower();
    pthread_mutex_unlock(&session.lock);
}

static void under_rwlock(void) {
    pthread_rwlock_rdlock(&routing); /* HOLD the rwlock */
    take_lower();
    pthread_rwlock_unlock(&routing);
}

static void under_spin(void) {
    pthread_spin_lock(&spin); /* HOLD the spinlock */
    take_lower();
    pthread_spin_unlock(&spin);
}

static void under_slot(void) {
    sem_wait(&slots); /* HOLD the slot */
    take_lower();
    sem_post(&slots);
}

/* The second is told on the standard error and ignored. */
static void contradiction(void) {
    LG_ORDER("tail", "head");
    LG_LEVEL(&session.lock, 40000);
    chain_right();
}

static void ascending(void) { two_rows(0, 1); }
static void descending(void) { two_rows(1, 0); }

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"right", all_in_order},      {"trylock", try_lower},           {"ascending", ascending},
    {"order-right", chain_right}, {"mutex", under_mutex},           {"rwlock", under_rwlock},
    {"spin", under_spin},         {"semaphore", under_slot},        {"descending", descending},
    {"order", chain_wrong},       {"contradiction", contradiction},
};

int main(int count, char **arguments) {
    annotate();
    for (size_t i = 0; count > 1 && i < sizeof cases / sizeof cases[0]; i++)
        if (strcmp(arguments[1], cases[i].name) == 0)
            cases[i].run();
    return 0;
}
