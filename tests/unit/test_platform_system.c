#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "platform/own_process.h"
#include "platform/system.h"

START_TEST(system_call_passes_six_arguments) {
    char path[] = "/tmp/lockgraph-test-XXXXXX";
    int descriptor = mkstemp(path);
    long page = sysconf(_SC_PAGESIZE);
    ck_assert_int_ge(descriptor, 0);
    unlink(path);
    ck_assert_int_eq(pwrite(descriptor, "second", 6, page), 6);
    /* The offset is the sixth argument. */
    long mapped = lgp_syscall(SYS_mmap, 0, page, PROT_READ, MAP_PRIVATE, descriptor, page);
    ck_assert_int_gt(mapped, 0);
    ck_assert_mem_eq((const void *)mapped, "second", 6);
    ck_assert_int_eq(lgp_syscall(SYS_munmap, mapped, page, 0, 0, 0, 0), 0);
    close(descriptor);
}
END_TEST

/* What a child says; neither libc nor we see it begin. */
static int in_copy(int (*question)(void)) {
    int status = -1;
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0)
        _exit(question());
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int is_own(void) { return lgp_own_process(); }
static int begins_and_copies(void) {
    lgp_own_process_begin();
    return lgp_own_process() && in_copy(is_own) == 0 && lgp_own_process();
}

START_TEST(a_copy_of_the_process_is_told_from_it) {
    lgp_own_process_begin();
    ck_assert(lgp_own_process());
    ck_assert_int_eq(in_copy(is_own), 0);
    ck_assert_int_eq(in_copy(begins_and_copies), 1);
    ck_assert(lgp_own_process());
}
END_TEST

START_TEST(system_call_errors_leave_errno_alone) {
    errno = 77;
    ck_assert_int_eq(lgp_syscall(SYS_close, -1, 0, 0, 0, 0, 0), -EBADF);
    ck_assert_int_eq(errno, 77);
}
END_TEST

static uint64_t now_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

START_TEST(clocks_are_the_kernels) {
    uint64_t before = now_ns(CLOCK_MONOTONIC), ours = lgp_monotonic_ns(), after = now_ns(CLOCK_MONOTONIC);
    ck_assert_uint_le(before, ours);
    ck_assert_uint_le(ours, after);
    before = now_ns(CLOCK_REALTIME), ours = lgp_realtime_ns(), after = now_ns(CLOCK_REALTIME);
    ck_assert_uint_le(before, ours);
    ck_assert_uint_le(ours, after);
}
END_TEST

static void *own_tid(void *tid) {
    *(uint32_t *)tid = lgp_tid();
    return NULL;
}

static uint32_t tid_of_ended_thread(void) {
    pthread_t thread;
    uint32_t tid = 0;
    ck_assert_int_eq(pthread_create(&thread, NULL, own_tid, &tid), 0);
    pthread_join(thread, NULL);
    return tid;
}

START_TEST(process_and_thread_numbers) {
    ck_assert_uint_eq(lgp_pid(), (uint32_t)getpid());
    ck_assert_uint_eq(lgp_tid(), (uint32_t)syscall(SYS_gettid));
    ck_assert_uint_ne(tid_of_ended_thread(), lgp_tid());
}
END_TEST

START_TEST(ended_threads_are_not_alive) {
    uint32_t ended = tid_of_ended_thread();
    ck_assert(lgp_thread_alive(lgp_tid()));
    /* The kernel may take a moment past the join. */
    for (int i = 0; i < 1000 && lgp_thread_alive(ended); i++)
        usleep(1000);
    ck_assert(!lgp_thread_alive(ended));
    ck_assert(!lgp_thread_alive(0));
    ck_assert(!lgp_thread_alive(1)); /* another process */
}
END_TEST

START_TEST(several_processors_are_told_from_one) {
    cpu_set_t all, one;
    ck_assert_int_eq(sched_getaffinity(0, sizeof all, &all), 0);
    ck_assert_int_eq(lgp_several_processors(), CPU_COUNT(&all) > 1);
    CPU_ZERO(&one);
    for (size_t cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++)
        if (CPU_ISSET(cpu, &all))
            CPU_SET(cpu, &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    ck_assert(!lgp_several_processors());
    ck_assert_int_eq(sched_setaffinity(0, sizeof all, &all), 0);
}
END_TEST

START_TEST(thread_name_is_the_kernels) {
    char name[16];
    memset(name, 'x', sizeof(name));
    ck_assert_int_eq(pthread_setname_np(pthread_self(), "fifteen-letters"), 0);
    lgp_thread_name(name);
    ck_assert_str_eq(name, "fifteen-letters");
    ck_assert_int_eq(pthread_setname_np(pthread_self(), "ab"), 0);
    lgp_thread_name(name);
    ck_assert_str_eq(name, "ab");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("platform system");
    TCase *cases = tcase_create("kernel services");
    tcase_add_test(cases, system_call_passes_six_arguments);
    tcase_add_test(cases, a_copy_of_the_process_is_told_from_it);
    tcase_add_test(cases, system_call_errors_leave_errno_alone);
    tcase_add_test(cases, clocks_are_the_kernels);
    tcase_add_test(cases, process_and_thread_numbers);
    tcase_add_test(cases, ended_threads_are_not_alive);
    tcase_add_test(cases, several_processors_are_told_from_one);
    tcase_add_test(cases, thread_name_is_the_kernels);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
