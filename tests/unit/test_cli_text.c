/* Text that came from the observed program, wrapping, the memory pool, the
 * source excerpt, demangling. */
#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "demangle.h"
#include "ink.h"
#include "kinds.h"
#include "progress.h"
#include "source.h"
#include "text.h"

static struct pool pool;

static void free_pool(void) { pool_free(&pool); }

static const struct {
    const char *in, *out;
} cleaned[] = {
    {"plain name", "plain name"},
    {"", ""},
    {"\033[31mred\033[0m", "\\x1b[31mred\\x1b[0m"},
    {"a\nb\tc\rd\177", "a\\x0ab\\x09c\\x0dd\\x7f"},
    {"grün → ok", "grün → ok"},
    {"\xc2\x9b"
     "31m",
     "\\u{9b}31m"}, /* C1: CSI in one character */
    {"\xe2\x80\xae"
     "txt.exe",
     "\\u{202e}txt.exe"},                                 /* right-to-left override */
    {"\xe2\x81\xa6x\xe2\x81\xa9", "\\u{2066}x\\u{2069}"}, /* isolates */
    {"\xef\xbb\xbf"
     "bom",
     "\\u{feff}bom"},
    {"\xff\xfe", "\\xff\\xfe"},
    {"\xef\xbf\xbe\xef\xbf\xbf", "\\u{fffe}\\u{ffff}"}, /* in no XML */
    {"\xc3", "\\xc3"},                                  /* cut short */
    {"\xc0\xaf", "\\xc0\\xaf"},                         /* overlong */
    {"\xed\xa0\x80", "\\xed\\xa0\\x80"},                /* surrogate */
    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},       /* past the last code point */
    {"\xf0\x9f\x94\x92", "\xf0\x9f\x94\x92"},
};

START_TEST(names_are_made_harmless) { ck_assert_str_eq(text_clean(&pool, cleaned[_i].in), cleaned[_i].out); }
END_TEST

START_TEST(no_name_is_an_empty_one) { ck_assert_str_eq(text_clean(&pool, NULL), ""); }
END_TEST

START_TEST(every_byte_is_harmless) {
    for (int byte = 1; byte < 256; byte++) {
        char in[] = {(char)byte, 0};
        for (const char *at = text_clean(&pool, in); *at; at++)
            ck_assert_msg(*at >= ' ' && *at < 127, "byte %d gives %d", byte, *at);
    }
}
END_TEST

START_TEST(width_counts_characters) {
    ck_assert_uint_eq(text_width("abc"), 3);
    ck_assert_uint_eq(text_width("a → b"), 5);
    ck_assert_uint_eq(text_width(""), 0);
}
END_TEST

START_TEST(long_text_is_wrapped) {
    struct text text = {0};
    text_add(&text, "  ");
    text_wrap(&text, "one two three four five", 2, 4, 12);
    ck_assert_str_eq(text_string(&text), "  one two\n    three\n    four\n    five\n");
    text_free(&text);
    text_wrap(&text, "a-word-longer-than-the-line b", 0, 2, 10);
    ck_assert_str_eq(text_string(&text), "a-word-longer-than-the-line\n  b\n");
    text_free(&text);
}
END_TEST

START_TEST(text_grows) {
    struct text text = {0};
    for (int i = 0; i < 10000; i++)
        text_printf(&text, "%d,", i);
    ck_assert_uint_eq(text.length, strlen(text_string(&text)));
    ck_assert_str_eq(text_string(&text) + text.length - 5, "9999,");
    text_free(&text);
    ck_assert_str_eq(text_string(&text), "");
}
END_TEST

START_TEST(pool_memory_is_zeroed_and_aligned) {
    for (size_t size = 0; size < 200000; size = size * 2 + 7) {
        unsigned char *memory = pool_alloc(&pool, size);
        ck_assert_uint_eq((uintptr_t)memory % 16, 0);
        for (size_t i = 0; i < size; i++)
            ck_assert_uint_eq(memory[i], 0);
        memset(memory, 0xff, size);
    }
    ck_assert_str_eq(pool_printf(&pool, "%s-%d", "x", 7), "x-7");
    ck_assert_str_eq(pool_string_n(&pool, "abcdef", 3), "abc");
}
END_TEST

static const struct {
    const char *symbol, *full, *name;
} symbols[] = {
    {"post", "post", "post"},
    {"_ZN4bank7Account5debitEl", "bank::Account::debit(long)", "bank::Account::debit"},
    {"_ZL8transferR7AccountS0_l", "transfer(Account&, Account&, long)", "transfer"},
    {"post.constprop.0", "post", "post"},
    {"flush.isra.0.cold", "flush", "flush"},
    {"__libc_start_main@@GLIBC_2.34", "__libc_start_main", "__libc_start_main"},
    {"_ZNSt18condition_variable10notify_oneEv@@GLIBCXX_3.4.11", "std::condition_variable::notify_one()",
     "std::condition_variable::notify_one"},
    {"lock.1", "lock", "lock"},
    {"worker.part.3", "worker", "worker"},
    {"_ZN4core3ptr7mut_ptr17h0123456789abcdefE", "core::ptr::mut_ptr", "core::ptr::mut_ptr"},
    {"__libc_start_main@@GLIBC_2.34", "__libc_start_main", "__libc_start_main"},
    {"memcpy@GLIBC_2.2.5", "memcpy", "memcpy"},
    {"@", "@", "@"},
    {"_RNvC6_123foo3bar", "123foo::bar", "123foo::bar"},
    {"_Znonsense", "_Znonsense", "_Znonsense"},
    {"odd.name", "odd.name", "odd.name"},
    {"\033evil", "\\x1bevil", "\\x1bevil"},
};

START_TEST(symbols_are_readable) {
    ck_assert_str_eq(demangled(&pool, symbols[_i].symbol, true), symbols[_i].full);
    ck_assert_str_eq(demangled(&pool, symbols[_i].symbol, false), symbols[_i].name);
}
END_TEST

static const char *write_source(const char *content) {
    static char path[] = "/tmp/lockgraph-source-XXXXXX";
    strcpy(path + sizeof path - 7, "XXXXXX");
    int descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(write(descriptor, content, strlen(content)), (ssize_t)strlen(content));
    close(descriptor);
    return path;
}

START_TEST(excerpt_has_the_neighbours) {
    const char *path = write_source("one\n\ttwo\nthree\nfour\n");
    struct excerpt excerpt = source_excerpt(&pool, path, 2);
    ck_assert_uint_eq(excerpt.count, 3);
    ck_assert_uint_eq(excerpt.first, 1);
    ck_assert_str_eq(excerpt.lines[1], "    two");
    excerpt = source_excerpt(&pool, path, 1);
    ck_assert_uint_eq(excerpt.count, 2);
    ck_assert_str_eq(excerpt.lines[0], "one");
    excerpt = source_excerpt(&pool, path, 4);
    ck_assert_uint_eq(excerpt.count, 2);
    ck_assert_str_eq(excerpt.lines[1], "four");
    ck_assert_uint_eq(source_excerpt(&pool, path, 5).count, 0);
    unlink(path);
}
END_TEST

START_TEST(excerpt_refuses_what_is_no_file) {
    char path[PATH_MAX];
    ck_assert_uint_eq(source_excerpt(&pool, "/nonexistent/x.c", 1).count, 0);
    ck_assert_uint_eq(source_excerpt(&pool, "/dev/zero", 1).count, 0);
    ck_assert_uint_eq(source_excerpt(&pool, "/tmp", 1).count, 0);
    ck_assert_uint_eq(source_excerpt(&pool, NULL, 1).count, 0);
    snprintf(path, sizeof path, "/tmp/lockgraph-fifo-%d", (int)getpid());
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_uint_eq(source_excerpt(&pool, path, 1).count, 0); /* and does not hang */
    unlink(path);
}
END_TEST

START_TEST(excerpt_is_harmless) {
    char line[1000];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = 0;
    const char *path = write_source("\033[2J\n");
    ck_assert_str_eq(source_excerpt(&pool, path, 1).lines[0], "\\x1b[2J");
    unlink(path);
    path = write_source(line);
    ck_assert_uint_eq(strlen(source_excerpt(&pool, path, 1).lines[0]), 160);
    unlink(path);
}
END_TEST

START_TEST(kinds_have_names) {
    unsigned threshold;
    ck_assert_str_eq(kind_name(LGR_KIND_ORDER_CYCLE), "order-cycle");
    ck_assert_str_eq(kind_name(LGR_KIND_DEADLOCK), "deadlock");
    ck_assert_str_eq(kind_name(LGR_KIND_SELF_DEADLOCK), "self-deadlock");
    ck_assert_str_eq(kind_name(0), "unknown");
    ck_assert_str_eq(kind_name(65535), "unknown");
    ck_assert_ptr_null(verdict_name(LGR_VERDICT_NONE));
    ck_assert_ptr_null(verdict_name(255));
    for (uint8_t verdict = LGR_VERDICT_SINGLE_THREAD; verdict <= LGR_VERDICT_ACTUAL; verdict++)
        ck_assert_str_ne(verdict_meaning(verdict), "");
    for (unsigned severity = LGR_NOTE; severity <= LGR_ERROR; severity++) {
        ck_assert(severity_parse(severity_name(severity), &threshold));
        ck_assert_uint_eq(threshold, severity);
    }
    ck_assert(severity_parse("never", &threshold));
    ck_assert_uint_gt(threshold, LGR_ERROR);
    ck_assert(!severity_parse("Error", &threshold));
    ck_assert_str_eq(lock_kind_name(LGR_LOCK_RWLOCK), "rwlock");
    ck_assert_str_eq(lock_kind_name(999), "lock");
}
END_TEST

START_TEST(colours_only_when_asked) {
    struct text text = {0};
    ink_add(&text, false, INK_ERROR, "ERROR");
    ck_assert_str_eq(text_string(&text), "ERROR");
    text_free(&text);
    ink_add(&text, true, INK_ERROR, "ERROR");
    ck_assert_str_eq(text_string(&text), "\033[1;31mERROR\033[0m");
    text_free(&text);
    FILE *file = tmpfile();
    ck_assert(!ink_wanted(file));
    fclose(file);
}
END_TEST

static void tell(const char *what) {
    for (size_t done = 1; done <= 2; done++) {
        progress(what, done, 3);
        usleep(done == 1 ? 2100000 : 0);
    }
    progress_end();
}

/* Only on a terminal, only of what takes more than a second; nothing of it stays. */
START_TEST(progress_is_told_of_long_work) {
    int master = posix_openpt(O_RDWR | O_NOCTTY), before = dup(STDERR_FILENO);
    ck_assert(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    ck_assert_int_eq(fcntl(master, F_SETFL, O_NONBLOCK), 0);
    char text[256] = "";
    dup2(terminal, STDERR_FILENO);
    progress("short", 1, 1);
    progress_end();
    tell("long");
    dup2(before, STDERR_FILENO);
    ssize_t part;
    for (size_t used = 0; (part = read(master, text + used, sizeof text - 1 - used)) > 0;)
        used += (size_t)part;
    ck_assert_str_eq(text, "\r\033[Klockgraph: long 2 of 3\r\033[K");
    close(terminal);
    close(master);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("command text");
    TCase *tests = tcase_create("text");
    tcase_add_checked_fixture(tests, NULL, free_pool);
    tcase_add_loop_test(tests, names_are_made_harmless, 0, sizeof cleaned / sizeof *cleaned);
    tcase_add_test(tests, no_name_is_an_empty_one);
    tcase_add_test(tests, every_byte_is_harmless);
    tcase_add_test(tests, width_counts_characters);
    tcase_add_test(tests, long_text_is_wrapped);
    tcase_add_test(tests, text_grows);
    tcase_add_test(tests, pool_memory_is_zeroed_and_aligned);
    tcase_add_loop_test(tests, symbols_are_readable, 0, sizeof symbols / sizeof *symbols);
    tcase_add_test(tests, excerpt_has_the_neighbours);
    tcase_add_test(tests, excerpt_refuses_what_is_no_file);
    tcase_add_test(tests, excerpt_is_harmless);
    tcase_add_test(tests, kinds_have_names);
    tcase_add_test(tests, colours_only_when_asked);
    tcase_add_test(tests, progress_is_told_of_long_work);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
