/* The evidence file among threads and processes: readers beside writers, fork,
 * and SIGKILL at any moment. */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record/writer.h"
#include "record_support.h"

static int child_status(pid_t child) {
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

/* Runs `body` in a forked child; the test fails when it returns false. */
static void expect_in_child(bool (*body)(void)) {
    pid_t child = fork();
    if (child == 0) {
        lgr_writer_fork_child();
        _exit(body() ? 0 : 1);
    }
    ck_assert_int_eq(child_status(child), 0);
}

static bool child_writes_nothing(void) {
    return !lgr_writer_on() && !write_edge(1) && lgr_writer_path()[0] == '\0';
}

START_TEST(a_forked_child_drops_the_file) {
    writer_start(0);
    ck_assert(write_edge(1));
    expect_in_child(child_writes_nothing);
    ck_assert(write_edge(2));
    struct lgr_file *file = open_written();
    ck_assert_uint_eq(lgr_edge_count(file), 2);
    ck_assert_uint_eq(lgr_header(file)->dropped, 0);
    lgr_close(file);
}
END_TEST

static bool child_has_no_mapping(void) {
    char line[6000];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps))
        found |= strstr(line, temporary) != NULL;
    if (maps)
        fclose(maps);
    return maps && !found;
}

START_TEST(a_forked_child_unmaps_the_file) {
    writer_start(0);
    ck_assert_uint_eq(write_edges(40000), 40000);
    ck_assert(!child_has_no_mapping());
    expect_in_child(child_has_no_mapping);
}
END_TEST

static uint64_t family;

static bool child_starts_its_own(void) {
    struct lgr_writer_options options = {.directory = temporary, .max_data = 0};
    if (!lgr_writer_open(&options, "child") || !write_edge(77))
        return false;
    struct lgr_file *file = open_written();
    bool good = lgr_edge_count(file) == 1 && lgr_header(file)->pid == (uint32_t)getpid() &&
                lgr_header(file)->ppid == (uint32_t)getppid() && family != 0 &&
                lgr_header(file)->family == family;
    lgr_close(file);
    return good;
}

START_TEST(a_forked_child_starts_its_own_file) {
    writer_start(0);
    family = lgr_writer_header()->family;
    expect_in_child(child_starts_its_own);
    ck_assert_int_eq(temporary_files(NULL, 0), 2);
    struct lgr_file *file = open_written();
    ck_assert_uint_eq(lgr_edge_count(file), 0);
    lgr_close(file);
}
END_TEST

/* A child that no fork hook saw, made while another thread held the lock. */
START_TEST(a_child_of_a_raw_fork_neither_writes_nor_hangs) {
    writer_start(0);
    struct lgr_edge *edge = lgr_begin(LGR_EDGE, sizeof *edge, false);
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0)
        _exit(write_edge(1) ? 1 : 0);
    ck_assert_int_eq(child_status(child), 0);
    lgr_commit(edge);
    struct lgr_file *file = open_written();
    ck_assert_uint_eq(lgr_edge_count(file), 1);
    lgr_close(file);
}
END_TEST

static atomic_bool stop;
static atomic_uint readings;
enum { WRITERS = 8, PER_WRITER = 20000, PER_READING = 2000 };

/* Keeps the writers from being done before the reader looked a few times. */
static void wait_for_reader(uint32_t written) {
    while (atomic_load(&readings) < written / PER_READING)
        usleep(100);
}

static void *write_many(void *argument) {
    uint32_t base = (uint32_t)(uintptr_t)argument * PER_WRITER;
    for (uint32_t i = 0; i < PER_WRITER; i++) {
        wait_for_reader(i);
        if (!write_edge(base + i))
            return (void *)1;
    }
    return NULL;
}

/* Every edge seen is whole, none is seen twice, and each thread's own stand in
 * its order.  One assertion for all: each costs a write to a file. */
static size_t check_edges(const struct lgr_file *file) {
    uint32_t next[WRITERS] = {0};
    bool good = true;
    for (size_t i = 0; i < lgr_edge_count(file); i++) {
        const struct lgr_edge *edge = lgr_edge_at(file, i);
        uint32_t writer = edge->from_class / PER_WRITER;
        good = good && writer < WRITERS && edge->to_class == ~edge->from_class &&
               edge->from_class % PER_WRITER == next[writer]++;
    }
    ck_assert(good);
    ck_assert_uint_eq(lgr_damaged(file), 0);
    ck_assert_uint_eq(lgr_unknown(file), 0);
    return lgr_edge_count(file);
}

/* How many readings saw some edges, but not yet all. */
static void *read_all_the_time(void *unused) {
    size_t before = 0, partial = 0;
    while (!atomic_load(&stop)) {
        struct lgr_file *file = open_written();
        size_t now = check_edges(file);
        ck_assert_uint_ge(now, before);
        before = now;
        partial += now > 0 && now < (size_t)WRITERS * PER_WRITER;
        atomic_fetch_add(&readings, now > 0);
        lgr_close(file);
    }
    (void)unused;
    return (void *)partial;
}

START_TEST(eight_writers_and_a_reader) {
    writer_start(0);
    pthread_t writers[WRITERS], reader;
    ck_assert_int_eq(pthread_create(&reader, NULL, read_all_the_time, NULL), 0);
    for (uintptr_t i = 0; i < WRITERS; i++)
        ck_assert_int_eq(pthread_create(&writers[i], NULL, write_many, (void *)i), 0);
    void *result;
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(writers[i], &result);
        ck_assert_ptr_null(result);
    }
    atomic_store(&stop, true);
    pthread_join(reader, &result);
    ck_assert_uint_ge((size_t)result, PER_WRITER / PER_READING - 1);
    struct lgr_file *file = open_written();
    ck_assert_uint_eq(check_edges(file), (size_t)WRITERS * PER_WRITER);
    lgr_close(file);
}
END_TEST

/* All fields of a state written at once carry one number; the pause in the
 * middle is where a reader must not be fooled. */
static void write_state(struct lgr_thread_state *state, uint32_t number) {
    atomic_fetch_add_explicit(&state->sequence, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    state->serial = 1 + number;
    state->target = number;
    state->held_count = LGR_STATE_HELD;
    usleep(1);
    for (int i = 0; i < (int)LGR_STATE_HELD; i++)
        state->held[i].lock = number;
    atomic_fetch_add_explicit(&state->sequence, 1, memory_order_release);
}

static void *rewrite_state(void *argument) {
    for (uint32_t number = 0; !atomic_load(&stop); number++) {
        write_state(argument, number);
        usleep(1); /* leaves moments in which it can be read */
    }
    return NULL;
}

START_TEST(a_state_is_read_whole_or_not_at_all) {
    writer_start(0);
    struct lgr_thread_state *state = lgr_begin(LGR_THREAD_STATE, sizeof *state, true);
    lgr_commit(state);
    pthread_t writer;
    pthread_create(&writer, NULL, rewrite_state, state);
    size_t seen = 0;
    for (int i = 0; i < 8000; i++) {
        struct lgr_file *file = open_written();
        size_t count;
        const struct lgr_thread_state *copy = lgr_thread_states(file, &count);
        seen += count;
        bool whole = !count || copy->serial == copy->target + 1;
        for (unsigned held = 0; count && held < LGR_STATE_HELD; held++)
            whole = whole && copy->held[held].lock == copy->target;
        ck_assert(whole);
        lgr_close(file);
    }
    atomic_store(&stop, true);
    pthread_join(writer, NULL);
    ck_assert_uint_gt(seen, 100);
}
END_TEST

static void say(int pipe_end, uint32_t number) {
    if (write(pipe_end, &number, sizeof number) != (ssize_t)sizeof number)
        _exit(2);
}

/* Announces each finding once it is committed. */
static void write_until_killed(int pipe_end) {
    struct lgr_writer_options options = {.directory = temporary, .max_data = 0};
    if (!lgr_writer_open(&options, ""))
        _exit(3);
    for (uint32_t number = 1;; number++) {
        for (uint32_t i = 0; i < number % 50; i++)
            write_edge(i);
        if (!write_finding(number, LGR_VERDICT_ACTUAL, true))
            _exit(4);
        say(pipe_end, number);
    }
}

/* The last number that came through the pipe before its end. */
static uint32_t last_said(int pipe_end) {
    uint32_t numbers[1024], last = 0;
    for (ssize_t size; (size = read(pipe_end, numbers, sizeof numbers)) > 0;)
        last = numbers[(size_t)size / sizeof numbers[0] - 1];
    return last;
}

static void check_survivor(const char *path, uint32_t said) {
    struct lgr_file *file = open_path(path);
    size_t count;
    lgr_findings(file, &count);
    ck_assert_uint_ge(count, said);
    ck_assert_uint_le(count, said + 1);
    ck_assert_uint_eq(lgr_damaged(file), 0);
    ck_assert_uint_eq(lgr_header(file)->ended, LGR_RUNNING);
    lgr_close(file);
}

/* False where files cannot be made without a name: there, a kill between
 * creation and header leaves an empty file. */
static bool names_come_last(void) {
    int descriptor = open(temporary, O_RDWR | O_TMPFILE, 0600);
    if (descriptor >= 0)
        close(descriptor);
    return descriptor >= 0;
}

static void kill_after(useconds_t delay, bool started) {
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
    pid_t child = fork();
    if (child == 0)
        write_until_killed(ends[1]);
    close(ends[1]);
    uint32_t said = 0;
    if (started)
        ck_assert_int_eq(read(ends[0], &said, sizeof said), sizeof said);
    usleep(delay);
    kill(child, SIGKILL);
    uint32_t later = last_said(ends[0]);
    close(ends[0]);
    ck_assert(WIFSIGNALED(child_status(child)));
    char path[sizeof temporary + 300];
    int files = temporary_files(path, sizeof path);
    ck_assert_int_le(files, 1);
    ck_assert_int_ge(files, started ? 1 : 0);
    if (files == 1) {
        check_survivor(path, later ? later : said);
        unlink(path);
    }
}

START_TEST(every_file_survives_a_kill) {
    bool from_the_start = names_come_last();
    for (useconds_t round = 0; round < 50; round++) {
        bool started = !from_the_start || round % 2 == 0;
        kill_after(started ? round * 97 : round * 41, started);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("record_processes");
    TCase *processes = tcase_create("processes");
    tcase_set_timeout(processes, 60);
    tcase_add_checked_fixture(processes, temporary_make, temporary_remove);
    tcase_add_test(processes, a_forked_child_drops_the_file);
    tcase_add_test(processes, a_forked_child_unmaps_the_file);
    tcase_add_test(processes, a_forked_child_starts_its_own_file);
    tcase_add_test(processes, a_child_of_a_raw_fork_neither_writes_nor_hangs);
    tcase_add_test(processes, every_file_survives_a_kill);
    suite_add_tcase(suite, processes);

    TCase *threads = tcase_create("threads");
    tcase_set_timeout(threads, 60);
    tcase_add_checked_fixture(threads, temporary_make, temporary_remove);
    tcase_add_test(threads, eight_writers_and_a_reader);
    tcase_add_test(threads, a_state_is_read_whole_or_not_at_all);
    suite_add_tcase(suite, threads);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
