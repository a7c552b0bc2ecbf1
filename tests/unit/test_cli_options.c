/* Option parsing, exit statuses, the environment of a run, the data directory,
 * and that the manual says what the tables say. */
#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "data_dir.h"
#include "exit_code.h"
#include "kinds.h"
#include "mapped_file.h"
#include "preload.h"
#include "probe.h"
#include "process_alive.h"
#include "run_settings.h"

static struct pool pool;
static struct run_settings settings;
static char *arguments[16];

static void start_fresh(void) {
    settings = (struct run_settings){.fail_on = LGR_ERROR, .findings_code = -1};
    unsetenv("LOCKGRAPH_OPTIONS");
    unsetenv("LOCKGRAPH_LIBRARY");
}

static void free_all(void) {
    free(settings.given);
    pool_free(&pool);
}

/* Splits at spaces and parses as options of `run`. */
static int parse(const char *line) {
    char *copy = pool_string(&pool, line), *next = NULL;
    int count = 0;
    for (char *word = strtok_r(copy, " ", &next); word; word = strtok_r(NULL, " ", &next))
        arguments[count++] = word;
    return command_options(&run_command, count, arguments, &settings);
}

START_TEST(options_and_program) {
    ck_assert_int_eq(parse("-o dir --append --strict --fail-on note --exitcode=9 -- prog --timeout x"), 3);
    ck_assert_str_eq(settings.directory, "dir");
    ck_assert(settings.append && settings.strict && !settings.require_coverage);
    ck_assert_uint_eq(settings.fail_on, LGR_NOTE);
    ck_assert_int_eq(settings.findings_code, 9);
    ck_assert(settings.timeout <= 0);
    ck_assert_str_eq(arguments[0], "prog");
    ck_assert_str_eq(arguments[1], "--timeout");
}
END_TEST

START_TEST(program_ends_the_options) {
    ck_assert_int_eq(parse("-odir prog -o other"), 3);
    ck_assert_str_eq(settings.directory, "dir");
    ck_assert_str_eq(arguments[0], "prog");
}
END_TEST

START_TEST(runtime_options_add_up) {
    ck_assert_int_eq(
        parse("-O unwinder=fp -O stack_depth=40:unwinder=none --timeout 1.5 --require-coverage p"), 1);
    ck_assert_uint_eq(settings.given_count, 2);
    ck_assert(settings.timeout > 1.4 && settings.timeout < 1.6);
    ck_assert(settings.require_coverage);
    struct lgp_options options;
    const char *error = NULL;
    setenv("LOCKGRAPH_OPTIONS", "search_budget=7:stack_depth=3", 1);
    ck_assert(run_runtime_options(&pool, &settings, &options, &error));
    ck_assert_uint_eq(options.stack_depth, 40);
    ck_assert_uint_eq(options.search_budget, 7);
    ck_assert_int_eq((int)options.unwinder, LGP_UNWIND_NONE);
}
END_TEST

static const char *const wrong[] = {
    "--no-such",           "-x",
    "--timeout",           "--timeout soon",
    "--timeout 0",         "--timeout -1",
    "--fail-on",           "--exitcode x",
    "--exitcode 256",      "--exitcode=",
    "--append=yes",        "--order",
    "--suppressions",      "--on-deadlock dance",
    "--fail-on sometimes", "--timeout 5s",
    "--appendix",          "-o",
};

START_TEST(wrong_options_are_refused) {
    ck_assert_int_eq(parse(wrong[_i]), OPTIONS_WRONG);
    ck_assert_int_eq(command_options_status(OPTIONS_WRONG), EXIT_USAGE);
}
END_TEST

START_TEST(wrong_runtime_options_are_refused) {
    struct lgp_options options;
    const char *error = NULL;
    ck_assert_int_eq(parse("-O no_such=1 p"), 1);
    ck_assert(!run_runtime_options(&pool, &settings, &options, &error));
    ck_assert_ptr_nonnull(strstr(error, "no_such"));
    settings.given_count = 0;
    setenv("LOCKGRAPH_OPTIONS", "unwinder=sideways", 1);
    ck_assert(!run_runtime_options(&pool, &settings, &options, &error));
    ck_assert_ptr_nonnull(strstr(error, "sideways"));
}
END_TEST

START_TEST(directory_and_action_win_over_options) {
    struct lgp_options options;
    const char *error = NULL;
    ck_assert_int_eq(parse("-O data=a:on_deadlock=abort -o b --on-deadlock kill p"), 1);
    ck_assert(run_runtime_options(&pool, &settings, &options, &error));
    ck_assert_str_eq(options.data, "b");
    ck_assert_int_eq((int)options.on_deadlock, LGP_ON_DEADLOCK_KILL);
    ck_assert_str_eq(options_value(&pool, &options), "data=b:on_deadlock=kill");
}
END_TEST

/* ---- exit statuses ---- */

static const struct {
    struct outcome outcome;
    int status;
} outcomes[] = {
    {{.command_status = 0}, 0},
    {{.command_status = 7}, 7},
    {{.findings = true, .findings_code = 66, .command_status = 7}, 66},
    {{.findings = true, .findings_code = 9, .timed_out = true}, 9},
    {{.findings = true, .findings_code = 0, .command_status = 1}, 0},
    {{.timed_out = true, .command_status = 143}, 124},
    {{.timed_out = true, .blind = true, .require_seen = true}, 124},
    {{.blind = true, .require_seen = true, .command_status = 3}, 69},
    {{.blind = true, .command_status = 3}, 3},
    {{.require_seen = true, .command_status = 3}, 3},
};

START_TEST(exit_status_of_a_run) {
    ck_assert_int_eq(exit_code_of_run(&outcomes[_i].outcome), outcomes[_i].status);
}
END_TEST

START_TEST(status_of_a_program) {
    ck_assert_int_eq(exit_code_of_wait_status(3 << 8), 3);
    ck_assert_int_eq(exit_code_of_wait_status(SIGKILL), 137);
    ck_assert_int_eq(exit_code_of_wait_status(SIGSEGV | 0x80), 139);
}
END_TEST

/* ---- LD_PRELOAD ---- */

static const struct {
    const char *existing, *sanitizer, *value;
} preloads[] = {
    {NULL, NULL, "/l/ours.so"},
    {"", NULL, "/l/ours.so"},
    {"libjemalloc.so", NULL, "/l/ours.so:libjemalloc.so"},
    {"libasan.so.8 libjemalloc.so", NULL, "libasan.so.8:/l/ours.so:libjemalloc.so"},
    {"x.so:/usr/lib/libtsan.so.2:y.so", NULL, "/usr/lib/libtsan.so.2:/l/ours.so:x.so:y.so"},
    {"/l/ours.so", NULL, "/l/ours.so"},
    {"a.so:/l/ours.so:b.so", NULL, "/l/ours.so:a.so:b.so"},
    {NULL, "libasan.so.8", "libasan.so.8:/l/ours.so"},
    {"/usr/lib/libasan.so.8", "libasan.so.8", "/usr/lib/libasan.so.8:/l/ours.so"},
};

START_TEST(preload_keeps_what_is_there) {
    ck_assert_str_eq(preload_value(&pool, "/l/ours.so", preloads[_i].existing, preloads[_i].sanitizer),
                     preloads[_i].value);
}
END_TEST

START_TEST(runtime_named_by_the_environment) {
    const char *error = NULL;
    setenv("LOCKGRAPH_LIBRARY", "/nonexistent/liblockgraph.so", 1);
    ck_assert_ptr_null(find_runtime(&pool, &error));
    ck_assert_ptr_nonnull(strstr(error, "/nonexistent/liblockgraph.so"));
    setenv("LOCKGRAPH_LIBRARY", "/proc/self/exe", 1);
    ck_assert_ptr_nonnull(find_runtime(&pool, &error));
}
END_TEST

START_TEST(programs_are_looked_at) {
    ck_assert_ptr_null(probe_program(&pool, "no-such-program-anywhere").path);
    ck_assert_ptr_null(probe_program(&pool, "/nonexistent/program").path);
    struct probe probe = probe_program(&pool, "sh");
    ck_assert_ptr_nonnull(probe.path);
    ck_assert_ptr_null(probe.blind);
    ck_assert_ptr_null(probe.sanitizer);
}
END_TEST

/* An ELF file without PT_INTERP, behind a script. */
START_TEST(static_programs_are_recognised) {
    char directory[] = "/tmp/lockgraph-probe-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(directory));
    const char *program = pool_printf(&pool, "%s/static", directory);
    const char *script = pool_printf(&pool, "%s/script", directory);
    static const unsigned char header[64] = {0x7f, 'E',      'L',       'F',      2,         1,
                                             1,    [16] = 2, [18] = 62, [20] = 1, [52] = 64, [54] = 56};
    FILE *stream = fopen(program, "w");
    ck_assert_uint_eq(fwrite(header, 1, sizeof header, stream), sizeof header);
    fclose(stream);
    stream = fopen(script, "w");
    fprintf(stream, "#! %s -x\n", program);
    fclose(stream);
    chmod(script, 0755);
    struct probe probe = probe_program(&pool, script);
    ck_assert_ptr_nonnull(probe.blind);
    ck_assert_ptr_nonnull(strstr(probe.blind, "statically linked"));
    unlink(program);
    unlink(script);
    rmdir(directory);
}
END_TEST

/* ---- the data directory ---- */

static char place[] = "/tmp/lockgraph-data-XXXXXX";

static void make_place(void) {
    strcpy(place + sizeof place - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(place));
}

static void clear_place(void) {
    ck_assert_int_eq(system(pool_printf(&pool, "rm -rf %s", place)), 0);
    pool_free(&pool);
}

static const char *in_place(const char *name) { return pool_printf(&pool, "%s/%s", place, name); }

static void touch(const char *name) {
    FILE *stream = fopen(in_place(name), "w");
    ck_assert_ptr_nonnull(stream);
    fclose(stream);
}

static bool exists(const char *name) { return access(in_place(name), F_OK) == 0; }

START_TEST(old_evidence_moves_away) {
    const char *error = NULL, *data = in_place("data");
    ck_assert_str_eq(data_dir_prepare(&pool, data, false, &error), data);
    struct stat status;
    ck_assert_int_eq(stat(data, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0700);
    touch("data/a.1.0.lgd");
    ck_assert_ptr_nonnull(data_dir_prepare(&pool, in_place("data/"), false, &error));
    ck_assert(exists("data.old/a.1.0.lgd") && !exists("data/a.1.0.lgd"));
    touch("data/b.1.0.lgd");
    ck_assert_ptr_nonnull(data_dir_prepare(&pool, data, false, &error));
    ck_assert(exists("data.old/b.1.0.lgd") && !exists("data.old/a.1.0.lgd"));
}
END_TEST

START_TEST(append_keeps_evidence) {
    const char *error = NULL;
    mkdir(in_place("data"), 0700);
    touch("data/a.1.0.lgd");
    ck_assert_ptr_nonnull(data_dir_prepare(&pool, in_place("data"), true, &error));
    ck_assert(exists("data/a.1.0.lgd") && !exists("data.old"));
}
END_TEST

START_TEST(other_files_are_never_touched) {
    const char *error = NULL;
    mkdir(in_place("data"), 0700);
    touch("data/a.1.0.lgd");
    touch("data/thesis.txt");
    ck_assert_ptr_null(data_dir_prepare(&pool, in_place("data"), false, &error));
    ck_assert_ptr_nonnull(strstr(error, "not evidence"));
    ck_assert(exists("data/thesis.txt") && exists("data/a.1.0.lgd"));
    ck_assert_ptr_nonnull(data_dir_prepare(&pool, in_place("data"), true, &error));
    unlink(in_place("data/thesis.txt"));
    mkdir(in_place("data.old"), 0700);
    touch("data.old/thesis.txt");
    ck_assert_ptr_null(data_dir_prepare(&pool, in_place("data"), false, &error));
    ck_assert(exists("data.old/thesis.txt") && exists("data/a.1.0.lgd"));
}
END_TEST

START_TEST(a_file_is_no_directory) {
    const char *error = NULL;
    touch("data");
    ck_assert_ptr_null(data_dir_prepare(&pool, in_place("data"), false, &error));
    ck_assert_ptr_null(data_dir_prepare(&pool, in_place("data"), true, &error));
    ck_assert_ptr_null(data_dir_prepare(&pool, in_place("no/such/data"), false, &error));
    ck_assert(exists("data"));
}
END_TEST

START_TEST(evidence_is_listed_in_order) {
    struct path_list list;
    touch("b.2.0.lgd");
    touch("a.1.0.lgd");
    touch("notes.txt");
    touch(".lgd");
    ck_assert(data_dir_list(&pool, place, &list));
    ck_assert_uint_eq(list.count, 2);
    ck_assert_str_eq(list.paths[0], in_place("a.1.0.lgd"));
    ck_assert_str_eq(list.paths[1], in_place("b.2.0.lgd"));
    ck_assert(!data_dir_list(&pool, in_place("absent"), &list));
}
END_TEST

/* ---- processes ---- */

START_TEST(live_processes_are_known_from_others) {
    uint64_t now = (uint64_t)time(NULL) * 1000000000u;
    ck_assert(process_alive((uint32_t)getpid(), now, NULL));
    ck_assert(!process_alive((uint32_t)getpid(), now - (uint64_t)3600 * 1000000000u,
                             NULL)); /* that was another one */
    ck_assert(!process_alive(5000001, now, NULL));
    ck_assert(!process_alive(0, now, NULL));
    pid_t zombie = fork();
    if (zombie == 0)
        _exit(0);
    siginfo_t info;
    ck_assert_int_eq(waitid(P_PID, (id_t)zombie, &info, WEXITED | WNOWAIT), 0);
    ck_assert(!process_alive((uint32_t)zombie, now, NULL));
    ck_assert_int_eq(waitpid(zombie, NULL, 0), zombie);
}
END_TEST

/* In a namespace of its own a process knows itself by a number that here is another one's. */
START_TEST(live_processes_have_their_evidence_mapped) {
    uint64_t now = (uint64_t)time(NULL) * 1000000000u;
    pid_t parent = getppid();
    touch("a.1.0.lgd");
    touch("b.1.0.lgd");
    const char *path = in_place("a.1.0.lgd"), *other = in_place("b.1.0.lgd");
    ck_assert_int_eq(file_mapping(getpid(), path), FILE_NOT_MAPPED);
    ck_assert(!process_alive((uint32_t)getpid(), now, path));
    int file = open(path, O_RDWR | O_CLOEXEC);
    void *page = mmap(NULL, 1, PROT_READ, MAP_SHARED, file, 0);
    ck_assert_ptr_ne(page, MAP_FAILED);
    close(file);
    ck_assert_int_eq(file_mapping(getpid(), path), FILE_MAPPED);
    ck_assert(process_alive((uint32_t)getpid(), now, path));
    ck_assert(!process_alive((uint32_t)getpid(), now, other));
    ck_assert(!process_alive((uint32_t)parent, now, path));
    ck_assert_int_eq(file_mapping(getpid(), in_place("absent")), FILE_MAPPING_UNKNOWN);
    ck_assert(process_alive((uint32_t)getpid(), now, in_place("absent")));
    munmap(page, 1);
}
END_TEST

/* Numbers of inodes are those of one device. */
START_TEST(mapped_files_have_a_device) {
    struct mapped_file one, other;
    const char *line = "7f10-7f20 rw-s 00000000 08:02 173521   /a/b c.lgd\n";
    ck_assert(mapped_file_parse(line, &one) && one.shared && strcmp(one.path, "/a/b c.lgd\n") == 0);
    ck_assert(one.major == 8 && one.minor == 2 && one.inode == 173521);
    ck_assert(mapped_file_parse("7f10-7f20 r--p 00000000 08:02 173521 /x", &other) && !other.shared);
    ck_assert(mapped_file_same(&one, &other));
    ck_assert(mapped_file_parse("7f10-7f20 r--p 00000000 08:03 173521 /x", &other));
    ck_assert(!mapped_file_same(&one, &other));
    ck_assert(!mapped_file_parse("7f10-7f20 rw-p 00000000 00:00 0 [heap]", &other));
    ck_assert(!mapped_file_parse("7f10-7f20 rw-p 00000000 00:00 0", &other));
}
END_TEST

/* ---- the manual ---- */

static char *manual(const char *name) {
    FILE *stream = fopen(pool_printf(&pool, LOCKGRAPH_SOURCE "/docs/man/%s", name), "r");
    ck_assert_ptr_nonnull(stream);
    char *content = pool_alloc(&pool, 65536);
    ck_assert_uint_gt(fread(content, 1, 65535, stream), 0);
    fclose(stream);
    for (char *at = content; (at = strchr(at, '\n'));)
        *at = ' ';
    return content;
}

static void check_manual(const char *page, const struct command_option *options) {
    const char *content = manual(page);
    for (; options->name || options->letter; options++) {
        const char *spelling = options->name ? pool_printf(&pool, "*--%s*", options->name)
                                             : pool_printf(&pool, "*-%c*", options->letter);
        bool listed = strstr(content, spelling) != NULL;
        ck_assert_msg(listed == (options->help != NULL), "%s in %s", spelling, page);
    }
}

START_TEST(manual_lists_every_option) {
    check_manual("lockgraph-run.1.scd", run_command.options);
    check_manual("lockgraph-report.1.scd", report_command.options);
}
END_TEST

START_TEST(manual_lists_every_runtime_option) {
    const char *content = strstr(manual("lockgraph.1.scd"), "# RUNTIME OPTIONS");
    ck_assert_ptr_nonnull(content);
    for (size_t i = 0; i < lgp_option_count; i++) {
        const struct lgp_option *option = &lgp_option_table[i];
        if (option->internal)
            continue;
        const char *heading = strstr(content, pool_printf(&pool, "*%s*", option->name));
        ck_assert_msg(heading != NULL, "%s is not in the manual", option->name);
        const char *shown = strstr(heading, "Default: _");
        size_t length = strlen(option->default_value);
        ck_assert_ptr_nonnull(shown);
        shown += strlen("Default: _");
        ck_assert_msg(strncmp(shown, option->default_value, length) == 0 && shown[length] == '_',
                      "the manual's default of %s is %.20s", option->name, shown);
    }
}
END_TEST

static void add_options_tests(Suite *suite) {
    TCase *tests = tcase_create("options");
    tcase_add_checked_fixture(tests, start_fresh, free_all);
    tcase_add_test(tests, options_and_program);
    tcase_add_test(tests, program_ends_the_options);
    tcase_add_test(tests, runtime_options_add_up);
    tcase_add_loop_test(tests, wrong_options_are_refused, 0, sizeof wrong / sizeof *wrong);
    tcase_add_test(tests, wrong_runtime_options_are_refused);
    tcase_add_test(tests, directory_and_action_win_over_options);
    tcase_add_loop_test(tests, exit_status_of_a_run, 0, sizeof outcomes / sizeof *outcomes);
    tcase_add_test(tests, status_of_a_program);
    tcase_add_loop_test(tests, preload_keeps_what_is_there, 0, sizeof preloads / sizeof *preloads);
    tcase_add_test(tests, runtime_named_by_the_environment);
    tcase_add_test(tests, programs_are_looked_at);
    tcase_add_test(tests, static_programs_are_recognised);
    tcase_add_test(tests, live_processes_are_known_from_others);
    tcase_add_test(tests, mapped_files_have_a_device);
    tcase_add_test(tests, manual_lists_every_option);
    tcase_add_test(tests, manual_lists_every_runtime_option);
    suite_add_tcase(suite, tests);
}

static void add_directory_tests(Suite *suite) {
    TCase *tests = tcase_create("data directory");
    tcase_add_checked_fixture(tests, make_place, clear_place);
    tcase_add_test(tests, old_evidence_moves_away);
    tcase_add_test(tests, append_keeps_evidence);
    tcase_add_test(tests, other_files_are_never_touched);
    tcase_add_test(tests, a_file_is_no_directory);
    tcase_add_test(tests, evidence_is_listed_in_order);
    tcase_add_test(tests, live_processes_have_their_evidence_mapped);
    suite_add_tcase(suite, tests);
}

int main(void) {
    Suite *suite = suite_create("command options");
    add_options_tests(suite);
    add_directory_tests(suite);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
