/* Semaphores of one slot that one thread takes and another gives back, in programs that
 * hang nowhere.  Until that is seen for the first time the taker seems to hold a lock,
 * and to be in a ring with who waits for it, for much longer than a lock would be held.
 * What was told of it before is a note then.
 *
 * silent
 * near: order-cycle, deadlock
 * seconds: 20
 *
 * case: room
 * note: order-cycle ordered gives it back
 *
 * case: proven-room
 * note: order-cycle ordered gives it back
 *
 * case: mailbox
 *
 * case: pool
 * note: order-cycle ordered semaphore
 *
 * case: limiter
 * note: order-cycle ordered semaphore
 */
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "turns.h"

static const char *what;

static int is(const char *word) { return strcmp(what, word) == 0; }

static void take_long(void) { usleep(900000); }

/* ---- readers and writers, none of whom starves: the last reader leaves the room ---- */

static sem_t turnstile, room;
static pthread_mutex_t count = PTHREAD_MUTEX_INITIALIZER;
static int readers;

static void enter(void) {
    sem_wait(&turnstile);
    sem_post(&turnstile);
    pthread_mutex_lock(&count);
    if (++readers == 1)
        sem_wait(&room);
    pthread_mutex_unlock(&count);
}

static void leave(void) {
    pthread_mutex_lock(&count);
    if (--readers == 0)
        sem_post(&room);
    pthread_mutex_unlock(&count);
}

static void *first_reader(void *unused) {
    for (int alone = 0; is("proven-room") && alone < 20; alone++) {
        enter();
        leave();
    }
    enter();
    next_turn();
    await_turn(3);
    leave();
    enter(); /* after the writer */
    leave();
    return unused;
}

static void *second_reader(void *unused) {
    await_turn(1);
    enter();
    next_turn();
    await_turn(3);
    take_long();
    leave();
    return unused;
}

static void *writer(void *unused) {
    await_turn(2);
    sem_wait(&turnstile);
    next_turn();
    sem_wait(&room);
    sem_post(&turnstile);
    sem_post(&room);
    return unused;
}

/* ---- a mailbox with one place: who reads the letter empties it ---- */

static sem_t place, letters;
static pthread_mutex_t sending = PTHREAD_MUTEX_INITIALIZER;

static void post_letter(void) {
    pthread_mutex_lock(&sending);
    if (turn == 1)
        next_turn();
    sem_wait(&place);
    sem_post(&letters);
    pthread_mutex_unlock(&sending);
}

static void *first_sender(void *unused) {
    post_letter();
    next_turn();
    await_turn(2);
    post_letter();
    return unused;
}

static void *second_sender(void *unused) {
    await_turn(1);
    post_letter();
    return unused;
}

static void *receiver(void *unused) {
    for (int i = 0; i < 3; i++) {
        sem_wait(&letters);
        take_long();
        sem_post(&place);
    }
    return unused;
}

/* ---- a pool of one connection, which the worker gives back for whom he works ---- */

static sem_t connections, jobs;
static pthread_mutex_t settings = PTHREAD_MUTEX_INITIALIZER;

static void look_at_settings(void) {
    pthread_mutex_lock(&settings);
    pthread_mutex_unlock(&settings);
}

static void *acceptor(void *unused) {
    for (int own = 0; own < 20; own++) {
        sem_wait(&connections);
        sem_post(&connections);
    }
    sem_wait(&connections);
    sem_post(&jobs);
    next_turn();
    await_turn(2);
    look_at_settings();
    return unused;
}

static void *worker(void *unused) {
    sem_wait(&jobs);
    await_turn(2);
    usleep(300000);
    sem_post(&connections);
    return unused;
}

static void *reloader(void *unused) {
    await_turn(1);
    pthread_mutex_lock(&settings);
    next_turn();
    sem_wait(&connections);
    sem_post(&connections);
    pthread_mutex_unlock(&settings);
    return unused;
}

/* ---- a limit of rate: every token but the first one comes from a clock ---- */

static sem_t tokens;

static void *spender(void *unused) {
    sem_wait(&tokens);
    next_turn();
    await_turn(2);
    look_at_settings();
    return unused;
}

static void *thrifty(void *unused) {
    await_turn(1);
    pthread_mutex_lock(&settings);
    next_turn();
    sem_wait(&tokens);
    pthread_mutex_unlock(&settings);
    return unused;
}

static void *ticker(void *unused) {
    await_turn(2);
    take_long();
    sem_post(&tokens);
    return unused;
}

static const struct {
    const char *name;
    void *(*threads[3])(void *);
} cases[] = {
    {"room", {first_reader, second_reader, writer}},
    {"proven-room", {first_reader, second_reader, writer}},
    {"mailbox", {first_sender, second_sender, receiver}},
    {"pool", {acceptor, worker, reloader}},
    {"limiter", {spender, thrifty, ticker}},
};

static void run(void *(*const routines[3])(void *)) {
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, routines[i], NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}

int main(int argc, char **argv) {
    what = argc > 1 ? argv[1] : "";
    sem_init(&turnstile, 0, 1);
    sem_init(&room, 0, 1);
    sem_init(&place, 0, 1);
    sem_init(&letters, 0, 0);
    sem_init(&connections, 0, 1);
    sem_init(&jobs, 0, 0);
    sem_init(&tokens, 0, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (is(cases[i].name))
            run(cases[i].threads);
    return 0;
}
