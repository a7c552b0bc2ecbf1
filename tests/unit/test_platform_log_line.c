#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "platform/log_line.h"
#include "platform/log_target.h"

static int receiver;
static char message[4096];

static void open_sink(void) {
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
    receiver = ends[0];
    lgp_log_redirect(ends[1]);
}

static bool receive(void) {
    ssize_t length = recv(receiver, message, sizeof(message) - 1, 0);
    message[length < 0 ? 0 : length] = '\0';
    return length >= 0;
}

static void say(enum lgp_log_level level, const char *text) {
    struct lgp_log_line line;
    lgp_log_begin(&line, level);
    lgp_format(&line.text, "%s", text);
    lgp_log_end(&line, level);
}

static void check_form(const char *pattern) {
    regex_t regex;
    ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED), 0);
    ck_assert_msg(regexec(&regex, message, 0, NULL, 0) == 0, "%s is not %s", message, pattern);
    regfree(&regex);
}

START_TEST(one_write_in_the_agreed_form) {
    char pattern[128];
    open_sink();
    errno = 77;
    say(LGP_LOG_WARNING, "queue: timeout after 30000 ms");
    ck_assert_int_eq(errno, 77);
    ck_assert(receive());
    snprintf(pattern, sizeof(pattern),
             "^\\[[0-9]{10,}\\.[0-9]{3}\\] WARNING lockgraph\\[%d/%d test_[a-z_]*\\]: queue: timeout after "
             "30000 ms\n$",
             getpid(), getpid());
    check_form(pattern);
    ck_assert(!receive());
}
END_TEST

START_TEST(the_time_is_that_of_the_day) {
    open_sink();
    struct timespec before, after; /* time() lags behind this clock by up to a tick */
    clock_gettime(CLOCK_REALTIME, &before);
    say(LGP_LOG_ERROR, "x");
    ck_assert(receive());
    clock_gettime(CLOCK_REALTIME, &after);
    long seconds = strtol(message + 1, NULL, 10);
    ck_assert_int_ge(seconds, before.tv_sec);
    ck_assert_int_le(seconds, after.tv_sec);
}
END_TEST

START_TEST(levels_are_named_and_ordered) {
    static const char *const names[] = {"] ERROR lock", "] WARNING lock", "] INFO lock", "] DEBUG lock"};
    for (unsigned most = 0; most < 4; most++) {
        lgp_log_set_level((enum lgp_log_level)most);
        for (unsigned level = 0; level < 4; level++)
            ck_assert_int_eq(lgp_log_wanted((enum lgp_log_level)level), level <= most);
    }
    open_sink();
    for (unsigned level = 0; level < 4; level++) {
        say((enum lgp_log_level)level, "x");
        ck_assert(receive());
        ck_assert_ptr_nonnull(strstr(message, names[level]));
    }
}
END_TEST

START_TEST(a_long_line_is_cut_and_still_ends) {
    static char endless[5000];
    memset(endless, 'a', sizeof(endless) - 1);
    open_sink();
    say(LGP_LOG_INFO, endless);
    ck_assert(receive());
    ck_assert_uint_eq(strlen(message), LGP_LOG_LINE - 1);
    ck_assert_str_eq(message + strlen(message) - 5, "a...\n");
}
END_TEST

static unsigned say_many(enum lgp_log_level level, unsigned count) {
    unsigned got = 0;
    for (unsigned i = 0; i < count; i++) {
        say(level, "again");
        got += receive();
    }
    return got;
}

START_TEST(many_lines_are_left_out_and_counted) {
    char said[64];
    unsigned got, seconds;
    open_sink();
    do { /* all of them in one second */
        time_t before = time(NULL);
        got = say_many(LGP_LOG_WARNING, 500);
        seconds = (unsigned)(time(NULL) - before);
        sleep(1);
    } while (seconds > 1);
    ck_assert_uint_ge(got, 50);
    ck_assert_uint_le(got, 50 * (seconds + 2));
    say(LGP_LOG_WARNING, "later");
    ck_assert(receive());
    snprintf(said, sizeof(said), "later (%u lines before this were left out)\n", 500 - got);
    ck_assert_msg(strstr(message, " lines before this were left out)\n") != NULL, "%s", message);
    say(LGP_LOG_WARNING, "after");
    ck_assert(receive());
    ck_assert_ptr_null(strstr(message, "left out"));
    ck_assert_uint_eq(say_many(LGP_LOG_DEBUG, 500), 500);
}
END_TEST

/* ---- a file ---- */

static char directory[] = "/tmp/lockgraph-log-XXXXXX";
static char path[sizeof(directory) + 16], where[sizeof(path) + 16];

static void make_directory(void) {
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/a.log", directory);
    snprintf(where, sizeof(where), "file:%s", path);
}
static void remove_directory(void) {
    unlink(path);
    rmdir(directory);
}

static off_t size_of_log(void) {
    struct stat status;
    return stat(path, &status) == 0 ? status.st_size : -1;
}

START_TEST(lines_go_to_a_file_and_warnings_do_not) {
    struct stat status;
    open_sink();
    ck_assert(lgp_log_to(where));
    say(LGP_LOG_WARNING, "x");
    ck_assert(!receive());
    off_t size = size_of_log();
    ck_assert_int_gt(size, 0);
    lgp_warn("problem");
    ck_assert(receive());
    ck_assert(lgp_log_to(path)); /* once more: it is appended to */
    say(LGP_LOG_WARNING, "x");
    ck_assert_int_gt(size_of_log(), size);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
}
END_TEST

START_TEST(what_cannot_be_opened_is_refused) {
    open_sink();
    ck_assert(!lgp_log_to("/no/such/directory/a.log"));
    ck_assert(!lgp_log_to("file:"));
    ck_assert(lgp_log_to("stderr"));
    say(LGP_LOG_WARNING, "x");
    ck_assert(receive());
}
END_TEST

static bool is_log(int descriptor) {
    struct stat log, status;
    return stat(path, &log) == 0 && fstat(descriptor, &status) == 0 && log.st_ino == status.st_ino &&
           log.st_dev == status.st_dev;
}

START_TEST(a_closed_file_is_opened_again_and_nothing_else_written) {
    char other[sizeof(path) + 8];
    struct stat status;
    int descriptor = 3;
    ck_assert(lgp_log_to(path));
    say(LGP_LOG_WARNING, "x");
    off_t size = size_of_log();
    while (descriptor < 1024 && !is_log(descriptor))
        descriptor++;
    ck_assert_int_ge(descriptor, 100); /* out of the way */
    snprintf(other, sizeof(other), "%s.other", path);
    int file = open(other, O_RDWR | O_CREAT, 0600);
    ck_assert_int_eq(dup2(file, descriptor), descriptor); /* closed, and its number used again */
    say(LGP_LOG_WARNING, "x");
    ck_assert_int_gt(size_of_log(), size);
    ck_assert_int_eq(stat(other, &status), 0);
    ck_assert_int_eq(status.st_size, 0);
    unlink(other);
}
END_TEST

/* ---- the system log ---- */

static int system_log;
static char socket_path[sizeof(directory) + 16], to_socket[sizeof(socket_path) + 16];

static void listen_there(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    unlink(socket_path);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
    system_log = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(system_log, (struct sockaddr *)&address, sizeof(address)), 0);
}

static void make_system_log(void) {
    make_directory();
    snprintf(socket_path, sizeof(socket_path), "%s/log", directory);
    snprintf(to_socket, sizeof(to_socket), "syslog:%s", socket_path);
    listen_there();
    open_sink();
}
static void remove_system_log(void) {
    unlink(socket_path);
    remove_directory();
}

static bool logged(void) {
    ssize_t length = recv(system_log, message, sizeof(message) - 1, 0);
    message[length < 0 ? 0 : length] = '\0';
    return length >= 0;
}

START_TEST(a_datagram_for_each_line) {
    static const int priorities[] = {11, 12, 14, 15};
    char pattern[160];
    ck_assert(lgp_log_to(to_socket));
    errno = 77;
    for (unsigned level = 0; level < 4; level++) {
        say((enum lgp_log_level)level, "queue: timeout after 30000 ms");
        ck_assert(logged());
        snprintf(pattern, sizeof(pattern),
                 "^<%d>lockgraph\\[%d\\]: \\[[0-9]{10,}\\.[0-9]{3}\\] [A-Z]+ lockgraph\\[%d/%d "
                 "test_[a-z_]*\\]: queue: timeout after 30000 ms$",
                 priorities[level], getpid(), getpid(), getpid());
        check_form(pattern);
    }
    ck_assert_int_eq(errno, 77);
    ck_assert(!logged());
    ck_assert(!receive());
    lgp_warn("problem"); /* no log line */
    ck_assert(!logged());
    ck_assert(receive());
}
END_TEST

START_TEST(a_long_line_fits_a_datagram) {
    static char endless[5000];
    memset(endless, 'a', sizeof(endless) - 1);
    ck_assert(lgp_log_to(to_socket));
    say(LGP_LOG_INFO, endless);
    ck_assert(logged());
    ck_assert_str_eq(message + strlen(message) - 4, "a...");
    ck_assert_ptr_nonnull(strchr(message, '>'));
    ck_assert_uint_eq(strlen(strchr(message, '[')), strlen(message) - strlen("<14>lockgraph"));
}
END_TEST

START_TEST(no_socket_is_refused) {
    char longer[200];
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    memcpy(longer, "syslog:/", 8);
    ck_assert(!lgp_log_to("syslog:/no/such/socket"));
    ck_assert(!lgp_log_to("syslog:"));
    ck_assert(!lgp_log_to(longer));
    close(system_log); /* the name stays, and nobody listens */
    ck_assert(!lgp_log_to(to_socket));
    say(LGP_LOG_WARNING, "x");
    ck_assert(receive());
}
END_TEST

START_TEST(a_system_log_that_was_restarted) {
    ck_assert(lgp_log_to(to_socket));
    close(system_log);
    say(LGP_LOG_WARNING, "nobody"); /* not lost */
    ck_assert(receive());
    listen_there();
    say(LGP_LOG_WARNING, "somebody");
    ck_assert(logged());
    ck_assert(!receive());
}
END_TEST

START_TEST(a_system_log_that_does_not_read) {
    ck_assert(lgp_log_to(to_socket));
    for (int i = 0; i < 2000; i++) /* never waits */
        say(LGP_LOG_DEBUG, "again");
    ck_assert(!receive());
    unsigned got = 0;
    while (logged())
        got++;
    ck_assert_uint_ge(got, 1);
    ck_assert_uint_lt(got, 2000);
}
END_TEST

static int log_socket(void) {
    struct sockaddr_un name;
    for (int descriptor = 100; descriptor < 2000; descriptor++) {
        socklen_t size = sizeof(name);
        if (descriptor != system_log && descriptor != receiver &&
            getsockname(descriptor, (struct sockaddr *)&name, &size) == 0)
            return descriptor;
    }
    return -1;
}

START_TEST(a_closed_socket_is_opened_again_and_nothing_else_written) {
    int ends[2];
    ck_assert(lgp_log_to(to_socket));
    int descriptor = log_socket();
    ck_assert_int_ge(descriptor, 100); /* out of the way */
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    ck_assert_int_eq(dup2(ends[0], descriptor), descriptor); /* closed, and its number used again */
    say(LGP_LOG_WARNING, "x");
    ck_assert(logged());
    ck_assert_int_eq(recv(ends[1], message, sizeof(message), 0), -1);
    ck_assert_int_ge(fcntl(descriptor, F_GETFD), 0); /* theirs, and still open */
}
END_TEST

/* ---- somebody who takes them ---- */

static char taken[2048];
static enum lgp_log_level taken_level;
static void take(enum lgp_log_level level, const char *text, size_t length) {
    taken_level = level;
    snprintf(taken, sizeof(taken), "%.*s", (int)length, text);
}

START_TEST(a_taker_gets_lines_in_place_of_all_else) {
    open_sink();
    lgp_log_give_to(take);
    say(LGP_LOG_INFO, "x: y");
    ck_assert(!receive());
    ck_assert_int_eq(taken_level, LGP_LOG_INFO);
    ck_assert_str_eq(taken + strlen(taken) - 6, ": x: y");
    lgp_log_give_to(NULL);
    say(LGP_LOG_WARNING, "z");
    ck_assert(receive());
    ck_assert_str_eq(taken + strlen(taken) - 6, ": x: y");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("platform log lines");
    TCase *form = tcase_create("form");
    tcase_set_timeout(form, 60);
    tcase_add_test(form, one_write_in_the_agreed_form);
    tcase_add_test(form, the_time_is_that_of_the_day);
    tcase_add_test(form, levels_are_named_and_ordered);
    tcase_add_test(form, a_long_line_is_cut_and_still_ends);
    tcase_add_test(form, many_lines_are_left_out_and_counted);
    suite_add_tcase(suite, form);
    TCase *file = tcase_create("file");
    tcase_add_checked_fixture(file, make_directory, remove_directory);
    tcase_add_test(file, lines_go_to_a_file_and_warnings_do_not);
    tcase_add_test(file, what_cannot_be_opened_is_refused);
    tcase_add_test(file, a_closed_file_is_opened_again_and_nothing_else_written);
    suite_add_tcase(suite, file);
    TCase *log = tcase_create("system log");
    tcase_add_checked_fixture(log, make_system_log, remove_system_log);
    tcase_add_test(log, a_datagram_for_each_line);
    tcase_add_test(log, a_long_line_fits_a_datagram);
    tcase_add_test(log, no_socket_is_refused);
    tcase_add_test(log, a_system_log_that_was_restarted);
    tcase_add_test(log, a_system_log_that_does_not_read);
    tcase_add_test(log, a_closed_socket_is_opened_again_and_nothing_else_written);
    tcase_add_test(log, a_taker_gets_lines_in_place_of_all_else);
    suite_add_tcase(suite, log);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
