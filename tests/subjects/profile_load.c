/* A workload that measures itself: how often each lock is taken, for how long it is held, and how long was
 * waited for one, for metrics.py to compare with what the runtime says.

   helper
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t work = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t queue = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;

static unsigned long long now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (unsigned long long)at.tv_sec * 1000000000u + (unsigned long long)at.tv_nsec;
}

struct sum {
    const char *name;
    unsigned long long count, total, most;
};
static void add(struct sum *sum, unsigned long long ns) {
    sum->count++;
    sum->total += ns;
    if (ns > sum->most)
        sum->most = ns;
}
static void print(const struct sum *sum) {
    printf("%s %llu %llu %llu\n", sum->name, sum->count, sum->total, sum->most);
}

/* Busy: until so long after `since`. */
static void last(struct sum *sum, unsigned long long since, unsigned us) {
    unsigned long long at;
    while ((at = now()) - since < us * 1000ull)
        continue;
    add(sum, at - since);
}

static void holds(void) {
    struct sum works = {.name = "work"}, inners = {.name = "inner"}, tables = {.name = "table"};
    struct sum spins = {.name = "spin"};
    for (int i = 0; i < 1000; i++) {
        pthread_mutex_lock(&work);
        last(&works, now(), 100);
        pthread_mutex_unlock(&work);
    }
    for (int i = 0; i < 200; i++) {
        pthread_mutex_lock(&work);
        unsigned long long since = now();
        pthread_mutex_lock(&inner);
        last(&inners, now(), 100);
        pthread_mutex_unlock(&inner);
        last(&works, since, 120);
        pthread_mutex_unlock(&work);
    }
    for (int i = 0; i < 200; i++) {
        i % 2 ? pthread_rwlock_rdlock(&table) : pthread_rwlock_wrlock(&table);
        last(&tables, now(), 100);
        pthread_rwlock_unlock(&table);
        pthread_spin_lock(&spin);
        last(&spins, now(), 100);
        pthread_spin_unlock(&spin);
    }
    print(&works);
    print(&inners);
    print(&tables);
    print(&spins);
}

/* ---- waits ---- */

static atomic_int waiter_tid, round_number;

/* Sleeps: of all that the waiter does only the wait for the lock. */
static int asleep(int tid) {
    char path[64], text[256] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    int file = open(path, O_RDONLY);
    if (file < 0 || read(file, text, sizeof text - 1) < 0)
        return 0;
    close(file);
    const char *state = strrchr(text, ')');
    return state != NULL && state[2] == 'S';
}

static void *waiter(void *rounds) {
    struct sum waits = {.name = "queue"};
    for (int i = 1; i <= *(const int *)rounds; i++) {
        while (atomic_load(&round_number) != i)
            continue;
        atomic_store(&waiter_tid, (int)syscall(SYS_gettid));
        unsigned long long since = now();
        pthread_mutex_lock(&queue);
        add(&waits, now() - since);
        pthread_mutex_unlock(&queue);
        atomic_store(&waiter_tid, 0);
    }
    print(&waits);
    return NULL;
}

static void waits(void) {
    pthread_t thread;
    int rounds = 20;
    pthread_create(&thread, NULL, waiter, &rounds);
    for (int i = 1; i <= rounds; i++) {
        pthread_mutex_lock(&queue);
        atomic_store(&round_number, i);
        while (!asleep(atomic_load(&waiter_tid)))
            usleep(100);
        usleep(10000);
        pthread_mutex_unlock(&queue);
        while (atomic_load(&waiter_tid) != 0)
            usleep(100);
    }
    pthread_join(thread, NULL);
}

/* ---- ends ---- */

static void pairs(int count) {
    for (int i = 0; i < count; i++) {
        pthread_mutex_lock(&work);
        pthread_mutex_unlock(&work);
    }
}

/* Until it is killed. */
static void for_ever(void) {
    for (;;) {
        pairs(100000);
        if (write(1, ".", 1) != 1)
            return;
    }
}

/* Far more of them in a clock tick than are timed; one at that place is a long one.  Some of the others
 * may have become so, for the processor was taken away. */
static void often(int count, unsigned us) {
    struct sum works = {.name = "work"}, disturbed = {.name = "disturbed"};
    for (int i = 0; i < count; i++) {
        pthread_mutex_lock(&work);
        unsigned long long before = works.total, most = i == count / 2 ? 200000 : us;
        if (most != 0)
            last(&works, now(), (unsigned)most);
        else
            works.count++;
        pthread_mutex_unlock(&work);
        if (works.total - before > most * 5000)
            add(&disturbed, works.total - before);
    }
    print(&works);
    print(&disturbed);
}

static void *one_pair(void *unused) {
    pairs(1);
    return unused;
}
/* Five are, among so many in a clock tick that hardly one of them is timed. */
static void waited_for(void) {
    enum { EACH = 2000 };
    pthread_t thread;
    for (int i = 1; i <= 5 * EACH; i++) {
        pthread_mutex_lock(&work);
        if (i % EACH == 0) {
            pthread_create(&thread, NULL, one_pair, NULL);
            usleep(250000);
        }
        pthread_mutex_unlock(&work);
        if (i % EACH == 0)
            pthread_join(thread, NULL);
    }
}

static void *many_pairs(void *unused) {
    pairs(300000);
    return unused;
}
static void threads(void) {
    pthread_t ids[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&ids[i], NULL, many_pairs, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(ids[i], NULL);
}

/* They go on, and are there when the process ends. */
static void *some_pairs(void *done) {
    pairs(1000);
    pthread_barrier_wait(done);
    for (;;)
        pause();
    return NULL;
}
static void threads_that_stay(void) {
    pthread_barrier_t done;
    pthread_t thread;
    pthread_barrier_init(&done, NULL, 2);
    for (int i = 0; i < 40; i++) {
        pthread_create(&thread, NULL, some_pairs, &done);
        pthread_barrier_wait(&done);
    }
}

/* In the middle of many, with one of them held. */
static void forks_often(void) {
    pairs(300000);
    pthread_mutex_lock(&work);
    pid_t child = fork();
    pthread_mutex_unlock(&work);
    pairs(200000);
    if (child == 0)
        exit(0);
    waitpid(child, NULL, 0);
}

static void forks(void) {
    pairs(300);
    pid_t child = fork();
    if (child == 0) {
        pairs(200);
        exit(0);
    }
    waitpid(child, NULL, 0);
    pairs(10);
}

int main(int count, char **arguments) {
    const char *what = count > 1 ? arguments[1] : "";
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    if (strcmp(what, "holds") == 0)
        holds();
    else if (strcmp(what, "waits") == 0)
        waits();
    else if (strcmp(what, "for-ever") == 0)
        for_ever();
    else if (strcmp(what, "forks") == 0)
        forks();
    else if (strcmp(what, "forks-often") == 0)
        forks_often();
    else if (strcmp(what, "threads-often") == 0)
        threads();
    else if (strcmp(what, "stay-often") == 0)
        threads_that_stay();
    else if (strcmp(what, "waited-for") == 0)
        waited_for();
    else if (strcmp(what, "often") == 0)
        often(300000, 2);
    else if (strcmp(what, "very-often") == 0)
        often(2000000, 0);
    else
        pairs(what[0] == '\0' ? 50 : strcmp(what, "execs-often") == 0 ? 300000 : 100);
    if (strncmp(what, "execs", 5) == 0)
        execl(arguments[0], arguments[0], (char *)NULL);
    return 0;
}
