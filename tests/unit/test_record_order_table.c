/* The table of a declared order: what it answers, and that nothing damaged is taken for
 * one.  What is opened stays mapped, so each test runs in a process of its own. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "record/handed_over.h"
#include "record/order_table.h"

/* The strings: "", "a", "b", "/bin/x", a build id of four bytes. */
static const char strings[] = "\0a\0b\0/bin/x\0\1\2\3\4";

struct block {
    struct lgr_order_header header;
    struct lgr_order_range ranges[3];
    struct lgr_order_class classes[2];
    struct lgr_order_module modules[2];
    struct lgr_order_before befores[2];
    char strings[sizeof strings];
} __attribute__((packed));

static struct block block __attribute__((aligned(8)));

static void make(void) {
    block = (struct block){
        .header = {.key = 0xabc,
                   .size = sizeof block,
                   .class_count = 2,
                   .module_count = 2,
                   .range_count = 3,
                   .before_count = 2,
                   .string_bytes = sizeof strings},
        .ranges = {{0x100, 0x110, 0, LGR_ORDER_VARIABLE},
                   {0x100, 0x200, 1, LGR_ORDER_VARIABLE},
                   {0x100, 0x200, 1, LGR_ORDER_CALL}},
        .classes = {{1, 10, LGR_NEST_NEVER}, {3, INT16_MIN, LGR_NEST_ANYHOW}},
        .modules = {{5, 12, 4, 0, 2, 0}, {5, 0, 0, 2, 1, 0}},
        .befores = {{0, 1}, {1, 1}},
    };
    memcpy(block.header.magic, LGR_ORDER_MAGIC, sizeof block.header.magic);
    memcpy(block.strings, strings, sizeof strings);
}

START_TEST(questions) {
    struct lgr_order order;
    make();
    ck_assert(lgr_order_read(&order, &block, sizeof block));
    ck_assert_uint_eq(lgr_order_module_like(&order, "/elsewhere", (const uint8_t *)"\1\2\3\4", 4), 1);
    ck_assert_uint_eq(lgr_order_module_like(&order, "/elsewhere", (const uint8_t *)"\1\2\3\5", 4), 0);
    ck_assert_uint_eq(lgr_order_module_like(&order, "/bin/x", (const uint8_t *)"\1\2\3\5", 4), 2);
    ck_assert_uint_eq(lgr_order_class_at(&order, 1, LGR_ORDER_VARIABLE, 0x10f), 1);
    ck_assert_uint_eq(lgr_order_class_at(&order, 1, LGR_ORDER_VARIABLE, 0x110), 2);
    ck_assert_uint_eq(lgr_order_class_at(&order, 1, LGR_ORDER_VARIABLE, 0xff), 0);
    ck_assert_uint_eq(lgr_order_class_at(&order, 1, LGR_ORDER_VARIABLE, 0x200), 0);
    ck_assert_uint_eq(lgr_order_class_at(&order, 1, LGR_ORDER_CALL, 0x150), 0);
    ck_assert_uint_eq(lgr_order_class_at(&order, 2, LGR_ORDER_CALL, 0x150), 2);
    ck_assert_uint_eq(lgr_order_class_at(&order, 2, LGR_ORDER_USE, 0x150), 0);
    ck_assert_uint_eq(lgr_order_class_at(&order, 0, LGR_ORDER_CALL, 0x150), 0);
    ck_assert_uint_eq(lgr_order_class_at(&order, 3, LGR_ORDER_CALL, 0x150), 0);
    ck_assert(lgr_order_is_before(&order, 0, 1));
    ck_assert(lgr_order_is_before(&order, 1, 1));
    ck_assert(!lgr_order_is_before(&order, 1, 0));
}
END_TEST

/* Every 32-bit word of it with a wild value, and every shorter length: what is read
 * then lies within the block (the sanitizers look), or is refused. */
START_TEST(nothing_in_it_is_trusted) {
    static const uint32_t wild[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff};
    struct lgr_order order;
    for (size_t at = 0; at + 4 <= sizeof block; at += 4)
        for (size_t i = 0; i < sizeof wild / sizeof *wild; i++) {
            make();
            memcpy((char *)&block + at, &wild[i], 4);
            if (!lgr_order_read(&order, &block, sizeof block))
                continue;
            for (uint32_t module = 0; module < 4; module++)
                (void)lgr_order_class_at(&order, module, LGR_ORDER_CALL, 0x150);
            (void)lgr_order_module_like(&order, "/bin/x", (const uint8_t *)"\1\2\3\4", 4);
            for (uint32_t class = 0; class < order.header->class_count; class ++)
                (void)strlen(order.strings + order.classes[class].name);
        }
    make();
    for (uint64_t size = 0; size < sizeof block; size++)
        ck_assert(!lgr_order_read(&order, &block, size));
    block.strings[sizeof strings - 1] = 'x';
    ck_assert(!lgr_order_read(&order, &block, sizeof block));
}
END_TEST

static const char *hand_over(int seals, const char *key) {
    static char option[LGR_HANDED_TEXT];
    int descriptor = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    make();
    ck_assert_int_eq(write(descriptor, &block, sizeof block), sizeof block);
    ck_assert_int_eq(fcntl(descriptor, F_ADD_SEALS, seals), 0);
    snprintf(option, sizeof option, "/proc/%d/fd/%d/%s", (int)getpid(), descriptor, key);
    return option;
}

START_TEST(what_is_handed_over_arrives) {
    struct lgr_order order = {0};
    ck_assert(lgr_order_open(&order, hand_over(LGR_ORDER_SEALS, "abc")));
    ck_assert_uint_eq(order.header->class_count, 2);
}
END_TEST

START_TEST(anything_else_does_not) {
    struct lgr_order order = {0};
    ck_assert(!lgr_order_open(&order, hand_over(LGR_ORDER_SEALS, "abd")));
    ck_assert(!lgr_order_open(&order, hand_over(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, "abc")));
    ck_assert(!lgr_order_open(&order, "/proc/1/fd/99/abc"));
    ck_assert(!lgr_order_open(&order, "/proc/self/exe"));
    ck_assert(!lgr_order_open(&order, ""));
    ck_assert_ptr_null(order.header);
    ck_assert(lgr_order_open(&order, "none"));
    ck_assert_ptr_null(order.header);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("order table");
    TCase *cases = tcase_create("all");
    tcase_add_test(cases, questions);
    tcase_add_test(cases, nothing_in_it_is_trusted);
    tcase_add_test(cases, what_is_handed_over_arrives);
    tcase_add_test(cases, anything_else_does_not);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
