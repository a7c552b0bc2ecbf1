#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/print.h"

/* The same arguments through stdio and through ours. */
#define SAME(...)                                                                                            \
    do {                                                                                                     \
        char expected[256], actual[256];                                                                     \
        struct lgp_text text = {actual, sizeof(actual), 0};                                                  \
        snprintf(expected, sizeof(expected), __VA_ARGS__);                                                   \
        lgp_format(&text, __VA_ARGS__);                                                                      \
        ck_assert_str_eq(actual, expected);                                                                  \
        ck_assert_uint_eq(text.length, strlen(expected));                                                    \
    } while (0)

START_TEST(numbers_as_stdio_prints_them) {
    const int ints[] = {0, 1, -1, 9, 10, -42, 255, 123456, INT_MAX, INT_MIN};
    for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
        int value = ints[i];
        unsigned u = (unsigned)value;
        SAME("%d %u %x", value, u, u);
        SAME("<%5d> <%12d> <%05d> <%012d>", value, value, value, value);
        SAME("<%5u> <%05x> <%8x> <%08x>", u, u, u, u);
        SAME("%ld %lu %lx", (long)value, (unsigned long)value, (unsigned long)value);
        SAME("%lld %llu %llx", (long long)value, (unsigned long long)value, (unsigned long long)value);
        SAME("%zu <%20zu> <%020zx>", (size_t)value, (size_t)value, (size_t)value);
    }
    SAME("%ld %ld %lu", LONG_MIN, LONG_MAX, ULONG_MAX);
}
END_TEST

START_TEST(text_as_stdio_prints_it) {
    SAME("plain");
    SAME("%s|%s|%3s|%6s|%c|%%|%c", "a", "", "abcd", "ab", 'x', 'y');
    SAME("%p %p", (void *)0xdeadbeef, (void *)&errno);
}
END_TEST

START_TEST(no_text_is_a_question_mark) {
    char buffer[16];
    struct lgp_text text = {buffer, sizeof(buffer), 0};
    const char *volatile nothing = NULL;
    lgp_format(&text, "%s", nothing);
    ck_assert_str_eq(buffer, "?");
}
END_TEST

START_TEST(calls_add_to_the_line) {
    char buffer[16] = "garbage";
    struct lgp_text text = {buffer, sizeof(buffer), 0};
    lgp_format(&text, "%s", "");
    ck_assert_str_eq(buffer, "");
    lgp_format(&text, "a%d", 1);
    lgp_format(&text, "b%d", 2);
    ck_assert_str_eq(buffer, "a1b2");
    ck_assert_uint_eq(text.length, 4);
}
END_TEST

START_TEST(a_cut_is_marked) {
    char buffer[12];
    struct lgp_text text = {buffer, 10, 0};
    memset(buffer, 'z', sizeof(buffer));
    lgp_format(&text, "123456789");
    ck_assert_str_eq(buffer, "123456789"); /* just fits */
    lgp_format(&text, "x");
    ck_assert_str_eq(buffer, "123456...");
    lgp_format(&text, "%s", "more");
    ck_assert_str_eq(buffer, "123456...");
    ck_assert_uint_eq(text.length, 9);
    ck_assert_int_eq(buffer[10], 'z');
}
END_TEST

START_TEST(tiny_buffers_stay_within_bounds) {
    for (size_t size = 0; size < 6; size++) {
        char buffer[8];
        struct lgp_text text = {buffer + 1, size, 0};
        memset(buffer, 'z', sizeof(buffer));
        lgp_format(&text, "%s %d", "long text", 12345);
        ck_assert_int_eq(buffer[0], 'z');
        ck_assert_int_eq(buffer[1 + size], 'z');
        if (size > 0)
            ck_assert_uint_eq(strlen(buffer + 1), size - 1);
    }
}
END_TEST

/* --- the log sink; messages keep their bounds in it --- */

static int receiver;

static void open_sink(void) {
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
    receiver = ends[0];
    lgp_log_redirect(ends[1]);
}

/* Length of the next message, -1 when there is none. */
static ssize_t next_message(char *buffer, size_t size) {
    ssize_t length = recv(receiver, buffer, size - 1, 0);
    buffer[length < 0 ? 0 : length] = '\0';
    return length;
}

START_TEST(a_warning_is_one_write_with_its_prefix) {
    char expected[64], message[4096];
    open_sink();
    errno = 77;
    lgp_warn("%s is %d", "answer", 42);
    ck_assert_int_eq(errno, 77);
    snprintf(expected, sizeof(expected), "lockgraph[%d]: answer is 42\n", getpid());
    next_message(message, sizeof(message));
    ck_assert_str_eq(message, expected);
    ck_assert_int_eq(next_message(message, sizeof(message)), -1);
}
END_TEST

START_TEST(an_endless_warning_is_cut_and_still_ends_its_line) {
    static char endless[10000];
    char message[16384];
    memset(endless, 'a', sizeof(endless) - 1);
    open_sink();
    lgp_warn("%s", endless);
    ssize_t length = next_message(message, sizeof(message));
    ck_assert_int_gt(length, 1000);
    ck_assert_str_eq(message + length - 6, "aa...\n");
    ck_assert_int_eq(next_message(message, sizeof(message)), -1);
}
END_TEST

START_TEST(raw_text_goes_out_as_it_is) {
    char message[64];
    open_sink();
    lgp_write("50%d\n\0x", 7);
    ck_assert_int_eq(next_message(message, sizeof(message)), 7);
    ck_assert_mem_eq(message, "50%d\n\0x", 7);
}
END_TEST

START_TEST(a_closed_or_full_sink_does_not_stop_us) {
    int ends[2];
    static char block[4096];
    lgp_log_redirect(-1);
    errno = 77;
    lgp_warn("lost");
    ck_assert_int_eq(errno, 77);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    lgp_log_redirect(ends[1]);
    for (int i = 0; i < 10000; i++)
        lgp_write(block, sizeof(block));
}
END_TEST

static Suite *print_suite(void) {
    Suite *suite = suite_create("platform print");
    TCase *format = tcase_create("format");
    tcase_add_test(format, numbers_as_stdio_prints_them);
    tcase_add_test(format, text_as_stdio_prints_it);
    tcase_add_test(format, no_text_is_a_question_mark);
    tcase_add_test(format, calls_add_to_the_line);
    tcase_add_test(format, a_cut_is_marked);
    tcase_add_test(format, tiny_buffers_stay_within_bounds);
    suite_add_tcase(suite, format);
    TCase *sink = tcase_create("log sink");
    tcase_add_test(sink, a_warning_is_one_write_with_its_prefix);
    tcase_add_test(sink, an_endless_warning_is_cut_and_still_ends_its_line);
    tcase_add_test(sink, raw_text_goes_out_as_it_is);
    tcase_add_test(sink, a_closed_or_full_sink_does_not_stop_us);
    suite_add_tcase(suite, sink);
    return suite;
}

int main(void) {
    SRunner *runner = srunner_create(print_suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
