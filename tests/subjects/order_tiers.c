/* The six tiers of a session manager in plain POSIX threads; only the file beside it,
 * order_tiers.order, knows of levels.  The right order is silent, and each single
 * reversal is told at the very call, on the first wrong use.

   order: order_tiers.order
   case: right
   silent
   near: level-violation
   case: trylock
   silent
   near: level-violation
   case: 11
   expect: level-violation none error
   call: TAKE the wrong one
   earlier: HOLD the one in the way
   lock: manager.global_task
   says: (level 10), (level 11), the declared order is
   case: 20
   expect: level-violation none error
   call: TAKE the wrong one
   earlier: HOLD the one in the way
   lock: manager.metrics
   case: 21
   expect: level-violation none error
   call: TAKE the wrong one
   earlier: HOLD the one in the way
   lock: manager.scrape_slots
   case: 30
   expect: level-violation none error
   call: TAKE the wrong one
   earlier: HOLD the one in the way
   lock: manager.operation_slots
   case: 40
   expect: level-violation none error
   call: TAKE the wrong one
   earlier: HOLD the one in the way
   lock: manager.session_locks
   case: 50
   expect: level-violation none error
   call: TAKE the wrong one
   earlier: HOLD the one in the way
   lock: session.operation
   case: 60
   expect: level-violation none error
   call: TAKE the wrong one
   earlier: HOLD the one in the way
   lock: session.task
   case: unkeyed
   expect: level-violation none error
   call: NEST without a key
   earlier: OUTER of one level
   lock: session.operation
   case: descending
   expect: level-violation none error
   call: NEST in descending order
   earlier: OUTER with the greater address
   lock: manager.session_locks
   case: in-child
   expect: level-violation none error
   call: TAKE the wrong one
   earlier: HOLD the one in the way
   lock: session.task
   in child
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SESSIONS = 3 };

struct session {
    pthread_mutex_t place, operation, task, handler;
};

static pthread_mutex_t global_task = PTHREAD_MUTEX_INITIALIZER;
static struct {
    long counted;
    pthread_mutex_t lock;
    long histogram[16];
} metrics = {.lock = PTHREAD_MUTEX_INITIALIZER};
static sem_t scrape_slots, operation_slots;
static struct session *sessions;

static inline __attribute__((always_inline)) void new_operation(pthread_mutex_t *lock) {
    pthread_mutex_init(lock, NULL);
}
static __attribute__((noinline)) void new_task(pthread_mutex_t *lock) { pthread_mutex_init(lock, NULL); }
static __attribute__((noinline)) void new_lock(pthread_mutex_t *lock) { pthread_mutex_init(lock, NULL); }
static __attribute__((noinline)) void new_handler(pthread_mutex_t *lock) { new_lock(lock); }

static __attribute__((noinline)) void new_session(struct session *session) {
    new_operation(&session->operation);
    new_task(&session->task);
    new_handler(&session->handler);
    new_lock(&session->place);
}

static void in_order(void) {
    pthread_mutex_lock(&global_task);
    pthread_mutex_lock(&metrics.lock);
    sem_wait(&scrape_slots);
    sem_wait(&operation_slots);
    for (int i = 0; i < SESSIONS; i++)
        pthread_mutex_lock(&sessions[i].place);
    pthread_mutex_lock(&sessions[0].operation);
    pthread_mutex_lock(&sessions[2].task);
    pthread_mutex_lock(&sessions[1].handler);
    pthread_mutex_unlock(&sessions[1].handler);
    pthread_mutex_unlock(&sessions[2].task);
    pthread_mutex_unlock(&sessions[0].operation);
    for (int i = 0; i < SESSIONS; i++)
        pthread_mutex_unlock(&sessions[i].place);
    sem_post(&operation_slots);
    sem_post(&scrape_slots);
    pthread_mutex_unlock(&metrics.lock);
    pthread_mutex_unlock(&global_task);
}

/* As a request a trylock blocks nobody. */
static void tried(void) {
    pthread_mutex_lock(&metrics.lock);
    if (pthread_mutex_trylock(&global_task) == 0)
        pthread_mutex_unlock(&global_task);
    pthread_mutex_unlock(&metrics.lock);
}

static void take(pthread_mutex_t *lock, sem_t *slots) { lock ? pthread_mutex_lock(lock) : sem_wait(slots); }
static void give(pthread_mutex_t *lock, sem_t *slots) { lock ? pthread_mutex_unlock(lock) : sem_post(slots); }

/* One tier under the next one. */
static void reversed(int level) {
    struct session *session = &sessions[0];
    const struct tier {
        int level;
        pthread_mutex_t *lock;
        sem_t *slots;
    } tiers[] = {{10, &global_task, NULL},     {11, &metrics.lock, NULL},    {20, NULL, &scrape_slots},
                 {21, NULL, &operation_slots}, {30, &session->place, NULL},  {40, &session->operation, NULL},
                 {50, &session->task, NULL},   {60, &session->handler, NULL}};
    for (int i = 1; i < 8; i++) {
        const struct tier *outer = &tiers[i], *inner = &tiers[i - 1];
        if (outer->level != level)
            continue;
        take(outer->lock, outer->slots); /* HOLD the one in the way */
        take(inner->lock, inner->slots); /* TAKE the wrong one */
        give(inner->lock, inner->slots);
        give(outer->lock, outer->slots);
    }
}

static void unkeyed(void) {
    pthread_mutex_lock(&sessions[0].operation); /* OUTER of one level */
    pthread_mutex_lock(&sessions[1].operation); /* NEST without a key */
    pthread_mutex_unlock(&sessions[1].operation);
    pthread_mutex_unlock(&sessions[0].operation);
}

static void descending(void) {
    pthread_mutex_lock(&sessions[1].place); /* OUTER with the greater address */
    pthread_mutex_lock(&sessions[0].place); /* NEST in descending order */
    pthread_mutex_unlock(&sessions[0].place);
    pthread_mutex_unlock(&sessions[1].place);
}

/* By another program image, too. */
static void in_child(char *program) {
    pid_t child = fork();
    if (child == 0) {
        execl(program, program, "60", (char *)NULL);
        _exit(1);
    }
    waitpid(child, NULL, 0);
}

int main(int count, char **arguments) {
    const char *what = count > 1 ? arguments[1] : "right";
    sem_init(&scrape_slots, 0, 4);
    sem_init(&operation_slots, 0, 4);
    sessions = calloc(SESSIONS, sizeof *sessions);
    for (int i = 0; i < SESSIONS; i++)
        new_session(&sessions[i]);
    for (int i = 0; i < 100; i++)
        in_order();
    if (strcmp(what, "unkeyed") == 0)
        unkeyed();
    else if (strcmp(what, "descending") == 0)
        descending();
    else if (strcmp(what, "trylock") == 0)
        tried();
    else if (strcmp(what, "in-child") == 0)
        in_child(arguments[0]);
    else
        reversed(atoi(what));
    return 0;
}
