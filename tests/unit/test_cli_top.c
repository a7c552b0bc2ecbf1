/* What `lockgraph top` shows of made-up evidence, of one look and of two. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../golden/evidence.h"
#include "model.h"
#include "top_rows.h"
#include "top_text.h"

#define SECOND UINT64_C(1000000000)
#define NOW    (start_ns + 10 * SECOND)

enum { DOOR = 1, COUNTER = 2, QUIET = 3 };

static uint64_t start_ns; /* no earlier than this process began */
static char file[2][32];
static void *mapped[2];
static struct top_past past;

static void set_up(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    start_ns = (uint64_t)now.tv_sec * SECOND;
    setenv("TZ", "UTC", 1);
    for (int i = 0; i < 2; i++) {
        strcpy(file[i], "/tmp/lockgraph-top-XXXXXX");
        int descriptor = mkstemp(file[i]);
        mapped[i] = mmap(NULL, 1, PROT_NONE, MAP_SHARED, descriptor, 0); /* as who records has it */
        ck_assert_ptr_ne(mapped[i], MAP_FAILED);
        close(descriptor);
    }
}

static void tear_down(void) {
    top_forget(&past);
    for (int i = 0; i < 2; i++) {
        munmap(mapped[i], 1);
        unlink(file[i]);
    }
}

/* Of a process that runs: this one. */
static struct evidence *service(void) {
    struct evidence *evidence = evidence_begin("/srv/service", "service");
    evidence_header(evidence)->pid = (uint32_t)getpid();
    evidence_header(evidence)->start_realtime_ns = start_ns;
    evidence_class(evidence, DOOR, LGR_CLASS_NAMED, "door");
    evidence_class(evidence, COUNTER, LGR_CLASS_NAMED, "counter");
    evidence_class(evidence, QUIET, LGR_CLASS_NAMED, "quiet");
    for (uint32_t i = DOOR; i <= QUIET; i++)
        evidence_lock(evidence, i, i, LGR_LOCK_MUTEX);
    evidence_thread(evidence, 1, "")->tid = (uint32_t)getpid();
    evidence_thread(evidence, 2, "patient");
    evidence_thread(evidence, 3, "eager");
    evidence_coverage(evidence, 3, 3, 700);
    return evidence;
}

static void add_usage(struct evidence *evidence, uint32_t class_id, uint64_t waits, uint64_t each_ns) {
    struct lgr_usage *usage = evidence_record(evidence, LGR_USAGE, sizeof *usage);
    usage->class_id = class_id;
    usage->figures.contended = waits;
    for (uint64_t i = 0; i < waits; i++)
        lgr_times_note(&usage->figures.wait, each_ns);
}

static void add_thread_waits(struct evidence *evidence, uint32_t serial, uint64_t count, uint64_t total_ns) {
    struct lgr_thread_waits *waits = evidence_record(evidence, LGR_THREAD_WAITS, sizeof *waits);
    waits->serial = serial;
    waits->count = count;
    waits->total_ns = total_ns;
    waits->max_ns = total_ns;
}

static void wait_since(struct evidence *evidence, uint64_t since_ns) {
    evidence_wait(evidence, 2, LGR_WAIT_LOCK, DOOR, 0, 1);
    struct lgr_thread_state *state =
        (void *)(evidence->bytes + evidence->used - sizeof(struct lgr_thread_state));
    ck_assert_uint_eq(state->serial, 2);
    state->since_realtime_ns = since_ns;
}

static struct model *load(struct evidence *one, struct evidence *other) {
    const char *paths[] = {file[0], file[1]};
    evidence_save(one, file[0]);
    if (other)
        evidence_save(other, file[1]);
    struct model *model = model_load(paths, other ? 2 : 1, &(struct model_options){0});
    ck_assert_uint_eq(model->unreadable + model->coverage.damaged, 0);
    return model;
}

static const struct top_row *row(const struct top_table *table, const char *words) {
    for (size_t i = 0; i < table->count; i++)
        if (strncmp(table->rows[i].words, words, strlen(words)) == 0)
            return &table->rows[i];
    ck_abort_msg("no row of %s", words);
    return NULL;
}

START_TEST(a_wait_that_goes_on_counts) {
    struct evidence *evidence = service();
    add_usage(evidence, DOOR, 3, 1000);
    add_usage(evidence, COUNTER, 5, 1000000);
    add_thread_waits(evidence, 2, 2, 2000);
    wait_since(evidence, NOW - 4 * SECOND);
    struct model *model = load(evidence, NULL);
    struct top_view view = top_look(model, &past, NOW);
    ck_assert(view.seconds > 9.99 && view.seconds < 10.01);
    ck_assert_str_eq(view.locks.rows[0].words, "door");
    ck_assert_uint_eq(view.locks.rows[0].waiting, 1);
    ck_assert_uint_eq(view.locks.rows[0].sums.wait_ns, 4 * SECOND + 3000);
    ck_assert_uint_eq(view.locks.rows[0].wait_max_ns, 4 * SECOND);
    ck_assert_uint_eq(row(&view.locks, "counter")->waiting, 0);
    const struct top_row *thread = row(&view.threads, "T2 (patient) waits for door at ");
    ck_assert_ptr_nonnull(strstr(thread->words, ", held by T1 (main)"));
    ck_assert_uint_eq(thread->since_ns, 4 * SECOND);
    ck_assert_uint_eq(thread->sums.wait_ns, 4 * SECOND + 2000);
    model_free(model);
}
END_TEST

START_TEST(what_changed_comes_first) {
    struct evidence *evidence = service();
    add_usage(evidence, DOOR, 100, 1000000);
    add_usage(evidence, COUNTER, 5, 1000);
    add_thread_waits(evidence, 2, 100, 100000000);
    add_thread_waits(evidence, 3, 5, 5000);
    struct model *model = load(evidence, NULL);
    struct top_view view = top_look(model, &past, NOW);
    ck_assert_str_eq(view.locks.rows[0].words, "door");
    model_free(model);
    evidence = service();
    add_usage(evidence, DOOR, 100, 1000000);
    add_usage(evidence, COUNTER, 25, 1000);
    add_thread_waits(evidence, 2, 100, 100000000);
    add_thread_waits(evidence, 3, 25, 25000);
    model = load(evidence, NULL);
    view = top_look(model, &past, NOW + 2 * SECOND);
    ck_assert(view.seconds > 1.99 && view.seconds < 2.01);
    ck_assert_str_eq(view.locks.rows[0].words, "counter");
    ck_assert_uint_eq(view.locks.rows[0].more.waits, 20);
    ck_assert_uint_eq(view.locks.rows[0].more.wait_ns, 20000);
    ck_assert_uint_eq(view.locks.rows[1].more.waits, 0);
    ck_assert_str_eq(view.threads.rows[0].words, "T3 (eager)");
    ck_assert_uint_eq(view.threads.rows[0].more.waits, 20);
    model_free(model);
}
END_TEST

/* The wait ended, and what it took is in the figures now: nothing is counted twice. */
START_TEST(a_wait_that_ended_is_not_counted_again) {
    struct evidence *evidence = service();
    add_usage(evidence, DOOR, 1, 0);
    wait_since(evidence, NOW - 4 * SECOND);
    struct model *model = load(evidence, NULL);
    top_look(model, &past, NOW);
    model_free(model);
    evidence = service();
    add_usage(evidence, DOOR, 1, 5 * SECOND);
    model = load(evidence, NULL);
    struct top_view view = top_look(model, &past, NOW + 2 * SECOND);
    ck_assert_uint_eq(row(&view.locks, "door")->more.wait_ns, SECOND);
    ck_assert_uint_eq(row(&view.locks, "door")->waiting, 0);
    model_free(model);
}
END_TEST

/* Of two processes the one that runs; both are counted together, and threads told apart. */
START_TEST(nobody_waits_in_a_process_that_is_gone) {
    struct evidence *alive = service(), *gone = service();
    evidence_header(gone)->pid = EVIDENCE_PID;
    evidence_header(gone)->start_realtime_ns += 1;
    add_usage(alive, DOOR, 2, 1000);
    add_usage(gone, DOOR, 3, 1000);
    add_thread_waits(alive, 3, 1, 1000);
    add_thread_waits(gone, 3, 1, 1000);
    wait_since(gone, NOW - 4 * SECOND);
    struct model *model = load(alive, gone);
    struct top_view view = top_look(model, &past, NOW);
    ck_assert_uint_eq(view.locks.count, 1);
    ck_assert_uint_eq(view.locks.rows[0].waiting, 0);
    ck_assert_uint_eq(view.locks.rows[0].sums.waits, 5);
    ck_assert_uint_eq(view.threads.count, 2);
    row(&view.threads, "service[5000001] T3 (eager)");
    model_free(model);
}
END_TEST

/* Behind its first line. */
static const char page_of_one[] =
    "no problem found\n"
    "\n"
    "     waiting     waits/s      wait/s       waits  wait total    wait max  class of locks\n"
    "           1           0      400 ms           2      4.00 s      4.00 s  door\n"
    "           -          30     30.0 µs         300      300 µs     1.00 µs  counter\n"
    "\n"
    "     waiting     waits/s      wait/s       waits  wait total    wait max  thread\n"
    "      4.00 s           0      400 ms           0      4.00 s      4.00 s  T2 (patient) waits for door "
    "at a "
    "place not recorded, held by T1 (main)\n"
    "           -          30     30.0 µs         300      300 µs      300 µs  T3 (eager)\n";

START_TEST(a_page) {
    struct evidence *evidence = service();
    add_usage(evidence, DOOR, 2, 1000);
    add_usage(evidence, COUNTER, 300, 1000);
    add_thread_waits(evidence, 3, 300, 300000);
    wait_since(evidence, NOW - 4 * SECOND);
    struct model *model = load(evidence, NULL);
    struct top_view view = top_look(model, &past, NOW);
    struct text whole = {0}, short_one = {0};
    char first[128];
    top_text(&whole, model, &view, NOW, &(struct top_page){.locks = 20, .threads = 20});
    snprintf(first, sizeof first, ": service (pid %d); 3 threads, 3 locks, 7 waits so far\n", (int)getpid());
    const char *said = text_string(&whole), *rest = strstr(said, first);
    ck_assert_ptr_nonnull(rest);
    ck_assert_str_eq(rest + strlen(first), page_of_one);
    top_text(&short_one, model, &view, NOW, &(struct top_page){.locks = 1, .threads = 1, .columns = 40});
    ck_assert_ptr_nonnull(strstr(text_string(&short_one), "… 1 more\n"));
    ck_assert_ptr_nonnull(strstr(text_string(&short_one), " class of locks\n")); /* figures go first */
    ck_assert_ptr_nonnull(strstr(text_string(&short_one), " T2 ("));
    for (const char *line = text_string(&short_one), *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        ck_assert_int_le(end - line, 42); /* a character of three bytes */
    }
    text_free(&whole);
    text_free(&short_one);
    model_free(model);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("cli_top");
    TCase *rows = tcase_create("rows");
    tcase_add_checked_fixture(rows, set_up, tear_down);
    tcase_add_test(rows, a_wait_that_goes_on_counts);
    tcase_add_test(rows, what_changed_comes_first);
    tcase_add_test(rows, a_wait_that_ended_is_not_counted_again);
    tcase_add_test(rows, nobody_waits_in_a_process_that_is_gone);
    tcase_add_test(rows, a_page);
    suite_add_tcase(suite, rows);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
