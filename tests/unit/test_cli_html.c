/* What keeps data from ending the block that it stands in, and the page around it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "html_page.h"

static void escapes_to(const char *json, const char *expected) {
    struct text out = {0};
    html_escape(&out, json);
    ck_assert_str_eq(text_string(&out), expected);
    text_free(&out);
}

START_TEST(nothing_ends_the_block) {
    escapes_to("[\"</script><!--\"]", "[\"\\u003c/script\\u003e\\u003c!--\"]");
    escapes_to("\"a&b\"", "\"a\\u0026b\"");
    escapes_to("\"\xe2\x80\xa8\xe2\x80\xa9\"", "\"\\u2028\\u2029\"");
    escapes_to("<", "\\u003c");
    escapes_to("", "");
}
END_TEST

/* What nearly is one of them. */
START_TEST(the_rest_stays) {
    escapes_to("{\"caf\xc3\xa9\": [1, \"\xe2\x80\xa6 \xe2\x86\x92 \xe2\x80\xaa\"]}",
               "{\"caf\xc3\xa9\": [1, \"\xe2\x80\xa6 \xe2\x86\x92 \xe2\x80\xaa\"]}");
    escapes_to("\"\xe2\x80\"", "\"\xe2\x80\"");
}
END_TEST

static size_t count_of(const char *text, const char *part) {
    size_t count = 0;
    while ((text = strstr(text, part))) {
        count++;
        text++;
    }
    return count;
}

START_TEST(every_part_is_in_its_place) {
    struct text out = {0};
    html_page(&out, "{\"marker\": 1}");
    const char *page = text_string(&out);
    ck_assert(strncmp(page, "<!DOCTYPE html>\n", 16) == 0);
    ck_assert_uint_eq(count_of(page, "{\"marker\": 1}"), 1);
    ck_assert_uint_eq(count_of(page, "<!-- "), 0);
    ck_assert_uint_eq(count_of(page, "</script>"), 2);
    ck_assert_uint_eq(count_of(page, "</style>"), 1);
    ck_assert_ptr_nonnull(strstr(page, "\nfollow();\n"));
    ck_assert_str_eq(page + strlen(page) - 8, "</html>\n");
    text_free(&out);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("HTML page");
    TCase *page = tcase_create("page");
    tcase_add_test(page, nothing_ends_the_block);
    tcase_add_test(page, the_rest_stays);
    tcase_add_test(page, every_part_is_in_its_place);
    suite_add_tcase(suite, page);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
