/* What the kernel says about this process. */
#include <check.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "platform/system.h"
#include "platform/tasks.h"

/* ---- threads ---- */

static sem_t go_on;
static _Atomic uint32_t tid, spinning;

static void *sleeps(void *argument) {
    tid = lgp_tid();
    sem_wait(&go_on);
    return argument;
}

static void *spins(void *argument) {
    tid = lgp_tid();
    while (spinning) {
    }
    return argument;
}

static pthread_t start(void *(*routine)(void *)) {
    pthread_t thread;
    tid = 0;
    pthread_create(&thread, NULL, routine, NULL);
    while (tid == 0)
        usleep(100);
    return thread;
}

static bool becomes(uint32_t thread, enum lgp_task_state state) {
    for (int i = 0; i < 20000 && lgp_task_state(thread) != state; i++)
        usleep(1000);
    return lgp_task_state(thread) == state;
}

START_TEST(a_thread_that_waits_sleeps) {
    sem_init(&go_on, 0, 0);
    pthread_t thread = start(sleeps);
    ck_assert(becomes(tid, LGP_TASK_SLEEPS));
    sem_post(&go_on);
    pthread_join(thread, NULL);
    ck_assert(becomes(tid, LGP_TASK_GONE));
}
END_TEST

START_TEST(one_that_does_something_runs) {
    spinning = 1;
    pthread_t thread = start(spins);
    ck_assert_int_eq(lgp_task_state(tid), LGP_TASK_RUNS);
    ck_assert_int_eq(lgp_task_state(lgp_tid()), LGP_TASK_RUNS);
    spinning = 0;
    pthread_join(thread, NULL);
}
END_TEST

struct seen {
    unsigned count;
    bool other, self;
};

static bool note(uint32_t thread, void *user) {
    struct seen *seen = user;
    seen->count++;
    seen->other = seen->other || thread == tid;
    seen->self = seen->self || thread == lgp_tid();
    return true;
}

static bool stop(uint32_t thread, void *user) {
    (void)thread;
    ++*(unsigned *)user;
    return false;
}

static void *nothing(void *unused) { return unused; }

/* A sanitizer has a thread of its own, which it starts with the first of the program. */
static unsigned threads_of_others(void) {
    pthread_t first;
    ck_assert_int_eq(pthread_create(&first, NULL, nothing, NULL), 0);
    pthread_join(first, NULL);
    struct seen seen = {0};
    for (unsigned i = 0; i < 1000; i++) { /* one that was joined may still be on its way out */
        unsigned before = seen.count;
        seen = (struct seen){0};
        ck_assert(lgp_tasks_each(note, &seen));
        if (seen.count == before)
            break;
        usleep(1000);
    }
    return seen.count - 1;
}

START_TEST(all_threads_are_listed) {
    sem_init(&go_on, 0, 0);
    unsigned before = threads_of_others();
    pthread_t thread = start(sleeps);
    struct seen seen = {0};
    ck_assert(lgp_tasks_each(note, &seen));
    ck_assert_uint_eq(seen.count, before + 2);
    ck_assert(seen.other && seen.self);
    unsigned asked = 0;
    ck_assert(!lgp_tasks_each(stop, &asked));
    ck_assert_uint_eq(asked, 1);
    sem_post(&go_on);
    pthread_join(thread, NULL);
}
END_TEST

/* More than one buffer of directory entries. */
START_TEST(a_hundred_threads_are_listed) {
    enum { MANY = 150 };
    pthread_t thread[MANY];
    unsigned before = threads_of_others();
    sem_init(&go_on, 0, 0);
    for (int i = 0; i < MANY; i++)
        thread[i] = start(sleeps);
    struct seen seen = {0};
    ck_assert(lgp_tasks_each(note, &seen));
    ck_assert_uint_eq(seen.count, before + MANY + 1);
    for (int i = 0; i < MANY; i++)
        sem_post(&go_on);
    for (int i = 0; i < MANY; i++)
        pthread_join(thread[i], NULL);
}
END_TEST

/* ---- handlers ---- */

static void handle(int number) { (void)number; }

START_TEST(handlers) {
    for (int i = 1; i < 32; i++) /* the test's own */
        signal(i, SIG_DFL);
    ck_assert(!lgp_handlers_installed());
    signal(SIGUSR1, SIG_IGN);
    ck_assert(!lgp_handlers_installed());
    signal(SIGSEGV, handle);
    ck_assert(!lgp_handlers_installed());
    signal(SIGRTMAX, handle);
    ck_assert(lgp_handlers_installed());
    signal(SIGRTMAX, SIG_DFL);
    ck_assert(!lgp_handlers_installed());
}
END_TEST

/* ---- shared memory ---- */

struct wanted {
    const void *address;
    bool found;
};

static bool look_for(uintptr_t start, uintptr_t end, void *user) {
    struct wanted *wanted = user;
    wanted->found =
        wanted->found || ((uintptr_t)wanted->address >= start && (uintptr_t)wanted->address < end);
    return true;
}

static bool is_shared(const void *address) {
    struct wanted wanted = {address, false};
    ck_assert(lgp_shared_mappings_each(look_for, &wanted));
    return wanted.found;
}

START_TEST(shared_mappings) {
    int on_stack = 0;
    char *private = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(!is_shared(&on_stack));
    ck_assert(!is_shared(private));
    ck_assert(is_shared(shared));
    ck_assert(is_shared(shared + 8191));
    ck_assert(lgp_memory_shared(shared + 8191));
    ck_assert(!lgp_memory_shared(private));
    ck_assert(!is_shared(shared + 8192));
    munmap(shared, 8192);
    ck_assert(!is_shared(shared));
}
END_TEST

/* Longer than the buffer: mappings that the kernel cannot merge. */
START_TEST(a_long_list_of_mappings) {
    enum { MANY = 400 };
    char *pages[MANY];
    for (int i = 0; i < MANY; i++)
        pages[i] = mmap(NULL, 4096, i % 2 ? PROT_READ : PROT_WRITE,
                        (i % 3 ? MAP_PRIVATE : MAP_SHARED) | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < MANY; i += 7)
        ck_assert_int_eq(is_shared(pages[i]), i % 3 == 0);
    for (int i = 0; i < MANY; i++)
        munmap(pages[i], 4096);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("platform_tasks");
    TCase *tests = tcase_create("tasks");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_thread_that_waits_sleeps);
    tcase_add_test(tests, one_that_does_something_runs);
    tcase_add_test(tests, all_threads_are_listed);
    tcase_add_test(tests, a_hundred_threads_are_listed);
    tcase_add_test(tests, handlers);
    tcase_add_test(tests, shared_mappings);
    tcase_add_test(tests, a_long_list_of_mappings);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
