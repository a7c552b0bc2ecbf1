/* The reader against files made by hand: whole, cut, damaged and hostile. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record_support.h"
#include "record_walk.h"

static struct image image;

static void set_up(void) {
    image = image_new();
    image_add_everything(&image);
}
static void tear_down(void) { image_free(&image); }

static struct lgr_file *open_image(void) {
    char error[256] = "";
    struct lgr_file *file = lgr_open_memory(image.bytes, image.size, error, sizeof error);
    ck_assert_msg(file != NULL, "%s", error);
    walk_file(file);
    return file;
}

static void expect_damage(size_t damaged, size_t unknown) {
    struct lgr_file *file = open_image();
    ck_assert_uint_eq(lgr_damaged(file), damaged);
    ck_assert_uint_eq(lgr_unknown(file), unknown);
    lgr_close(file);
}

static void expect_refusal(const char *words) {
    char error[256] = "";
    struct lgr_file *file = lgr_open_memory(image.bytes, image.size, error, sizeof error);
    ck_assert_ptr_null(file);
    ck_assert_msg(strstr(error, words) != NULL, "\"%s\" lacks \"%s\"", error, words);
}

/* The n-th record of a type, from 0. */
static void *find_record(uint16_t type) {
    for (size_t offset = sizeof(struct lgr_header); offset < image.size;) {
        struct lgr_record *record = (struct lgr_record *)(void *)(image.bytes + offset);
        if (record->type == type)
            return record;
        offset += record->size;
    }
    ck_abort_msg("no record of type %d", type);
}

START_TEST(every_type_is_read) {
    struct lgr_file *file = open_image();
    ck_assert_uint_eq(lgr_damaged(file), 0);
    ck_assert_uint_eq(lgr_unknown(file), 0);
    ck_assert_uint_eq(lgr_header(file)->pid, 4711);
    ck_assert_str_eq(lgr_process(file)->exe, "/bin/prog");
    ck_assert_str_eq(lgr_process(file)->cmdline, "prog -x");
    ck_assert_str_eq(lgr_process(file)->options, "a=b");
    ck_assert_str_eq(lgr_process(file)->tool, "lockgraph 9");
    const struct lgr_module_info *module = lgr_module_by_id(file, 1);
    ck_assert_str_eq(module->path, "/bin/xy");
    ck_assert_uint_eq(module->build_id_length, 4);
    ck_assert_uint_eq(module->build_id[3], 4);
    const struct lgr_context_info *context = lgr_context_by_id(file, 1);
    ck_assert(context->partial);
    ck_assert_uint_eq(context->frame_count, 2);
    ck_assert_uint_eq(context->frames[1].offset, 0x456);
    lgr_close(file);
}
END_TEST

START_TEST(objects_are_read) {
    struct lgr_file *file = open_image();
    ck_assert_str_eq(lgr_class_by_id(file, 1)->name, "table");
    ck_assert_int_eq(lgr_class_by_id(file, 1)->level, 40);
    ck_assert_int_eq(lgr_class_by_id(file, 2)->level, INT16_MIN);
    ck_assert_uint_eq(lgr_class_by_id(file, 2)->variable.offset, 0x4000);
    ck_assert_uint_eq(lgr_lock_by_id(file, 2)->address, 0x5002);
    ck_assert_uint_eq(lgr_stats_of_lock(file, 2)->contended, 17);
    ck_assert_uint_eq(lgr_stats_of_lock(file, 1)->contended, 0);
    ck_assert_str_eq(lgr_thread_by_serial(file, 1)->name, "worker");
    ck_assert_uint_eq(lgr_edge_count(file), 1);
    ck_assert_uint_eq(lgr_edge_at(file, 0)->to_lock, 2);
    size_t count;
    ck_assert_str_eq(lgr_messages(file, &count)[0].text, "hello");
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(lgr_thread_states(file, &count)[0].target, 2);
    ck_assert_uint_eq(count, 1);
    lgr_close(file);
}
END_TEST

START_TEST(a_finding_keeps_its_edges_and_held_locks) {
    struct lgr_file *file = open_image();
    size_t count;
    const struct lgr_finding_info *finding = lgr_findings(file, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(finding->count, 3);
    ck_assert_uint_eq(finding->edge_count, 2);
    ck_assert_uint_eq(finding->edges[0].held_count, 1);
    ck_assert_uint_eq(finding->edges[0].held[0].lock, 1);
    ck_assert_uint_eq(finding->edges[1].edge->from, 2);
    lgr_close(file);
}
END_TEST

START_TEST(unknown_ids_are_not_found) {
    struct lgr_file *file = open_image();
    ck_assert_ptr_null(lgr_module_by_id(file, 0));
    ck_assert_ptr_null(lgr_context_by_id(file, 2));
    ck_assert_ptr_null(lgr_class_by_id(file, UINT32_MAX));
    ck_assert_ptr_null(lgr_lock_by_id(file, UINT64_MAX));
    ck_assert_ptr_null(lgr_thread_by_serial(file, 2));
    lgr_close(file);
}
END_TEST

START_TEST(a_bare_header_is_an_empty_file) {
    image.size = sizeof(struct lgr_header);
    struct lgr_file *file = open_image();
    size_t count = 1;
    ck_assert_ptr_null(lgr_locks(file, &count));
    ck_assert_uint_eq(count, 0);
    ck_assert_str_eq(lgr_process(file)->exe, "");
    lgr_close(file);
}
END_TEST

START_TEST(the_last_record_of_an_id_counts) {
    static const uint32_t ids[] = {9, 3, 9, 1, 3};
    for (uint32_t i = 0; i < 5; i++) {
        struct lgr_class *class = image_add(&image, LGR_CLASS, sizeof *class);
        class->id = ids[i];
        class->kind = LGR_CLASS_GUESS;
        class->context = i;
    }
    struct lgr_file *file = open_image();
    size_t count;
    lgr_classes(file, &count);
    ck_assert_uint_eq(count, 4);
    ck_assert_uint_eq(lgr_class_by_id(file, 9)->context, 2);
    ck_assert_uint_eq(lgr_class_by_id(file, 3)->context, 4);
    ck_assert_uint_eq(lgr_class_by_id(file, 1)->context, 3);
    ck_assert_str_eq(lgr_class_by_id(file, 1)->name, "");
    lgr_close(file);
}
END_TEST

START_TEST(the_last_record_of_a_problem_wins) {
    for (uint32_t i = 0; i < 2; i++) {
        struct lgr_finding *finding = image_add(&image, LGR_FINDING, sizeof *finding);
        finding->problem = 2 - i;
        finding->verdict = LGR_VERDICT_ACTUAL;
        finding->severity = LGR_ERROR;
        finding->count = 8 + i;
    }
    struct lgr_file *file = open_image();
    size_t count;
    const struct lgr_finding_info *findings = lgr_findings(file, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_uint_eq(findings[0].finding->problem, 1);
    ck_assert_uint_eq(findings[0].count, 9);
    ck_assert_uint_eq(findings[0].edge_count, 0);
    ck_assert_uint_eq(findings[1].count, 8);
    lgr_close(file);
}
END_TEST

START_TEST(an_uncommitted_record_ends_the_file) {
    struct lgr_message *message = image_add(&image, LGR_MESSAGE, sizeof *message + 3);
    message->text_length = 3;
    message->record.size = 0;
    image_add(&image, LGR_EDGE, sizeof(struct lgr_edge));
    struct lgr_file *file = open_image();
    size_t count;
    lgr_messages(file, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(lgr_edge_count(file), 1);
    ck_assert_uint_eq(lgr_damaged(file), 0);
    lgr_close(file);
}
END_TEST

START_TEST(other_files_are_refused) {
    image.bytes[3] ^= 1;
    expect_refusal("is not a lockgraph evidence file");
    memset(image.bytes, 0, 8);
    expect_refusal("holds nothing");
    image.size = 0;
    expect_refusal("holds nothing");
}
END_TEST

START_TEST(a_newer_version_is_refused) {
    image_header(&image)->version = LGR_VERSION + 1;
    expect_refusal("was written by a newer lockgraph (format 2); use that version");
    image_header(&image)->version = LGR_OLDEST - 1;
    expect_refusal("older lockgraph (format 0)");
}
END_TEST

START_TEST(another_byte_order_is_refused) {
    struct lgr_header *header = image_header(&image);
    header->endian =
        (uint16_t)(header->endian == LGR_LITTLE_ENDIAN ? LGR_BIG_ENDIAN << 8 : LGR_LITTLE_ENDIAN << 8);
    header->version = 0x0100;
    expect_refusal("other byte order");
    header->endian = 7;
    expect_refusal("byte order 7 (byte 12)");
}
END_TEST

START_TEST(impossible_header_sizes_are_refused) {
    struct lgr_header *header = image_header(&image);
    static const uint32_t sizes[] = {
        0, 8, sizeof(struct lgr_header) - 8, sizeof(struct lgr_header) + 4, LGR_CHUNK + 8, UINT32_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        header->header_size = sizes[i];
        expect_refusal("(byte 16) is impossible");
    }
    header->header_size = LGR_CHUNK;
    expect_refusal("inside its header");
    header->header_size = sizeof *header;
    header->word_size = 3;
    expect_refusal("word size 3 (byte 10)");
}
END_TEST

START_TEST(a_longer_header_is_skipped) {
    struct image longer = image_new();
    image_header(&longer)->header_size += 16;
    longer.bytes = realloc(longer.bytes, longer.size + 16 + image.size);
    memset(longer.bytes + longer.size, 0xff, 16);
    size_t records = image.size - sizeof(struct lgr_header);
    memcpy(longer.bytes + longer.size + 16, image.bytes + sizeof(struct lgr_header), records);
    longer.size += 16 + records;
    image_free(&image);
    image = longer;
    struct lgr_file *file = open_image();
    ck_assert_uint_eq(lgr_edge_count(file), 1);
    ck_assert_uint_eq(lgr_damaged(file), 0);
    lgr_close(file);
}
END_TEST

START_TEST(unknown_types_are_skipped) {
    image_add(&image, 999, 64);
    image_add(&image, 0, 16);
    image_add(&image, LGR_SPANS + 1, 16);
    expect_damage(0, 3);
}
END_TEST

static void add_use(uint32_t serial, uint32_t role) {
    struct lgr_condition *use = image_add(&image, LGR_CONDITION, sizeof *use);
    use->serial = serial;
    use->role = role;
    use->condition = 0x1000 + role;
}

START_TEST(uses_of_conditions_are_read_in_order) {
    add_use(3, LGR_CONDITION_SIGNALS);
    add_use(4, LGR_CONDITION_WAITS);
    add_use(4, LGR_CONDITION_SIGNALS + 1); /* unknown */
    add_use(0, LGR_CONDITION_WAITS);       /* damaged */
    struct lgr_file *file = open_image();
    ck_assert_uint_eq(lgr_condition_count(file), 2);
    ck_assert_uint_eq(lgr_condition_at(file, 0)->serial, 3);
    ck_assert_uint_eq(lgr_condition_at(file, 1)->condition, 0x1000 + LGR_CONDITION_WAITS);
    ck_assert_uint_eq(lgr_unknown(file), 1);
    ck_assert_uint_eq(lgr_damaged(file), 1);
    lgr_close(file);
}
END_TEST

static void add_usage(uint32_t class_id, uint32_t context) {
    struct lgr_usage *usage = image_add(&image, LGR_USAGE, sizeof *usage);
    usage->class_id = class_id;
    usage->context = context;
    usage->figures.contended = class_id * 10 + context;
}

START_TEST(usages_are_read_in_order) {
    add_usage(2, 0);
    add_usage(1, 3);
    add_usage(0, 1); /* damaged */
    struct lgr_file *file = open_image();
    ck_assert_uint_eq(lgr_usage_count(file), 2);
    ck_assert_uint_eq(lgr_usage_at(file, 0)->figures.contended, 20);
    ck_assert_uint_eq(lgr_usage_at(file, 1)->figures.contended, 13);
    ck_assert_uint_eq(lgr_damaged(file), 1);
    lgr_close(file);
}
END_TEST

START_TEST(a_shorter_usage_of_an_older_runtime_is_read) {
    enum { OLD = 584 };
    struct lgr_usage *usage = image_add(&image, LGR_USAGE, OLD);
    usage->class_id = 3;
    usage->figures.hold.buckets[LGR_BUCKETS - 1] = 7;
    add_usage(2, 0);
    image_add(&image, LGR_USAGE, OLD - 8); /* damaged */
    struct lgr_file *file = open_image();
    ck_assert_uint_eq(lgr_usage_count(file), 2);
    ck_assert_uint_eq(lgr_usage_at(file, 0)->figures.hold.buckets[LGR_BUCKETS - 1], 7);
    ck_assert_uint_eq(lgr_usage_at(file, 0)->figures.estimated, 0);
    ck_assert_uint_eq(lgr_usage_at(file, 1)->class_id, 2);
    ck_assert_uint_eq(lgr_damaged(file), 1);
    lgr_close(file);
}
END_TEST

START_TEST(waits_of_threads_are_read_in_order) {
    for (uint32_t serial = 2; serial-- > 0;) {
        struct lgr_thread_waits *waits = image_add(&image, LGR_THREAD_WAITS, sizeof *waits);
        waits->serial = serial;
        waits->count = serial + 7;
    }
    image_add(&image, LGR_THREAD_WAITS, sizeof(struct lgr_thread_waits) - 8); /* damaged */
    struct lgr_file *file = open_image();
    ck_assert_uint_eq(lgr_thread_waits_count(file), 2);
    ck_assert_uint_eq(lgr_thread_waits_at(file, 0)->count, 8);
    ck_assert_uint_eq(lgr_thread_waits_at(file, 1)->serial, 0);
    ck_assert_uint_eq(lgr_damaged(file), 1);
    lgr_close(file);
}
END_TEST

START_TEST(spans_are_read_if_they_are_whole) {
    image_add(&image, LGR_SPANS, sizeof(struct lgr_spans) - 8);          /* damaged */
    struct lgr_spans *more = image_add(&image, LGR_SPANS, sizeof *more); /* no room in it */
    more->least_ns = 3000;
    struct lgr_file *file = open_image();
    size_t count;
    const struct lgr_span *spans = lgr_spans(file, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(spans[0].start_ns, 5000);
    ck_assert_uint_eq(lgr_spans_least(file), 3000);
    ck_assert_uint_eq(lgr_damaged(file), 1);
    lgr_close(file);
}
END_TEST

static void name_level(int16_t level, const char *name, uint32_t length) {
    struct lgr_level_name *record = image_add(&image, LGR_LEVEL_NAME, sizeof *record + strlen(name));
    record->level = level;
    record->name_length = length;
    memcpy(record + 1, name, strlen(name));
}

START_TEST(levels_have_the_last_name_they_were_given) {
    name_level(40, "first", 5);
    name_level(39, "another", 7);
    name_level(40, "table", 5);
    name_level(0, "none", 4);     /* damaged */
    name_level(INT16_MIN, "", 0); /* damaged */
    name_level(40, "long", 64);   /* damaged */
    struct lgr_file *file = open_image();
    ck_assert_str_eq(lgr_class_by_id(file, 1)->level_name, "table"); /* recorded before it had a name */
    ck_assert_ptr_null(lgr_class_by_id(file, 2)->level_name);
    ck_assert_uint_eq(lgr_damaged(file), 3);
    lgr_close(file);
}
END_TEST

START_TEST(bytes_added_to_a_record_are_skipped) {
    struct lgr_lock *lock = image_add(&image, LGR_LOCK, sizeof *lock + 40);
    memset(lock + 1, 0xff, 40);
    lock->id = 77;
    lock->kind = LGR_LOCK_SPIN;
    struct lgr_file *file = open_image();
    ck_assert_ptr_nonnull(lgr_lock_by_id(file, 77));
    ck_assert_uint_eq(lgr_damaged(file), 0);
    lgr_close(file);
}
END_TEST

START_TEST(short_records_are_damage) {
    for (uint16_t type = LGR_PROCESS; type <= LGR_SEEN; type++)
        image_add(&image, type, sizeof(struct lgr_record));
    expect_damage(LGR_SEEN - LGR_PROCESS + 1, 0);
}
END_TEST

START_TEST(lengths_beyond_a_record_are_damage) {
    static const uint32_t lengths[] = {64, 0x7fffffff, 0x80000000, UINT32_MAX - 7, UINT32_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        tear_down();
        set_up();
        ((struct lgr_process *)find_record(LGR_PROCESS))->tool_length = lengths[i];
        ((struct lgr_module *)find_record(LGR_MODULE))->build_id_length = lengths[i];
        ((struct lgr_context *)find_record(LGR_CONTEXT))->frame_count = lengths[i];
        ((struct lgr_class *)find_record(LGR_CLASS))->name_length = lengths[i];
        ((struct lgr_thread *)find_record(LGR_THREAD))->name_length = lengths[i];
        ((struct lgr_thread_name *)find_record(LGR_THREAD_NAME))->name_length = lengths[i];
        ((struct lgr_message *)find_record(LGR_MESSAGE))->text_length = lengths[i];
        struct lgr_finding *finding = find_record(LGR_FINDING);
        ((struct lgr_finding_edge *)(void *)(finding + 1))->held_count = lengths[i];
        expect_damage(8, 0);
    }
}
END_TEST

START_TEST(each_string_of_a_record_is_checked) {
    struct lgr_process *process = find_record(LGR_PROCESS);
    process->exe_length = UINT32_MAX;
    expect_damage(1, 0);
    process->exe_length = 9;
    process->cmdline_length = UINT32_MAX;
    expect_damage(1, 0);
    process->cmdline_length = 8;
    process->options_length = UINT32_MAX;
    expect_damage(1, 0);
    process->options_length = 3;
    ((struct lgr_module *)find_record(LGR_MODULE))->path_length = 100;
    expect_damage(1, 0);
}
END_TEST

START_TEST(one_too_many_is_damage) {
    ((struct lgr_process *)find_record(LGR_PROCESS))->tool_length += LGR_ALIGN;
    ((struct lgr_module *)find_record(LGR_MODULE))->path_length += LGR_ALIGN;
    ((struct lgr_context *)find_record(LGR_CONTEXT))->frame_count++;
    ((struct lgr_class *)find_record(LGR_CLASS))->name_length += LGR_ALIGN;
    ((struct lgr_finding *)find_record(LGR_FINDING))->edge_count++;
    expect_damage(5, 0);
}
END_TEST

START_TEST(more_edges_than_fit_are_damage) {
    ((struct lgr_finding *)find_record(LGR_FINDING))->edge_count = UINT16_MAX;
    expect_damage(1, 0);
}
END_TEST

START_TEST(the_id_zero_is_damage) {
    ((struct lgr_module *)find_record(LGR_MODULE))->id = 0;
    ((struct lgr_context *)find_record(LGR_CONTEXT))->id = 0;
    ((struct lgr_class *)find_record(LGR_CLASS))->id = 0;
    ((struct lgr_lock *)find_record(LGR_LOCK))->id = 0;
    ((struct lgr_thread *)find_record(LGR_THREAD))->serial = 0;
    ((struct lgr_finding *)find_record(LGR_FINDING))->problem = 0;
    expect_damage(6, 0);
}
END_TEST

START_TEST(severities_and_ranges_are_checked) {
    ((struct lgr_finding *)find_record(LGR_FINDING))->severity = 0;
    expect_damage(1, 0);
    ((struct lgr_finding *)find_record(LGR_FINDING))->severity = LGR_ERROR + 1;
    ((struct lgr_module *)find_record(LGR_MODULE))->end = 0x0fff;
    expect_damage(2, 0);
}
END_TEST

START_TEST(values_of_a_later_version_are_unknown) {
    ((struct lgr_class *)find_record(LGR_CLASS))->kind = LGR_CLASS_GUESS + 1;
    ((struct lgr_lock *)find_record(LGR_LOCK))->kind = LGR_LOCK_FILE + 1;
    ((struct lgr_edge *)find_record(LGR_EDGE))->mode_to = LGR_SHARED + 1;
    ((struct lgr_finding *)find_record(LGR_FINDING))->verdict = LGR_VERDICT_ACTUAL + 1;
    ((struct lgr_thread_state *)find_record(LGR_THREAD_STATE))->wait_kind = LGR_WAIT_ONCE + 1;
    expect_damage(0, 5);
}
END_TEST

START_TEST(modes_of_held_locks_are_checked) {
    struct lgr_finding *finding = find_record(LGR_FINDING);
    ((struct lgr_finding_edge *)(void *)(finding + 1))->held[0].mode = 2;
    ((struct lgr_thread_state *)find_record(LGR_THREAD_STATE))->held[0].mode = 2;
    expect_damage(0, 2);
    ((struct lgr_thread_state *)find_record(LGR_THREAD_STATE))->held_count = UINT32_MAX;
    expect_damage(0, 2);
}
END_TEST

START_TEST(a_finding_of_a_later_kind_is_kept) {
    ((struct lgr_finding *)find_record(LGR_FINDING))->kind = 5000;
    struct lgr_file *file = open_image();
    size_t count;
    lgr_findings(file, &count);
    ck_assert_uint_eq(count, 1);
    lgr_close(file);
}
END_TEST

START_TEST(free_and_unfinished_states_are_left_out) {
    struct lgr_thread_state *state = find_record(LGR_THREAD_STATE);
    size_t count;
    state->sequence = 5;
    struct lgr_file *file = open_image();
    lgr_thread_states(file, &count);
    ck_assert_uint_eq(count, 0);
    lgr_close(file);
    state->sequence = 6;
    state->serial = 0;
    file = open_image();
    lgr_thread_states(file, &count);
    ck_assert_uint_eq(count, 0);
    ck_assert_uint_eq(lgr_damaged(file), 0);
    lgr_close(file);
}
END_TEST

/* After a size that cannot be, the next chunk is the next place to start. */
START_TEST(reading_goes_on_at_the_next_chunk) {
    static const uint32_t sizes[] = {4, 12, LGR_CHUNK, LGR_CHUNK + 8, UINT32_MAX, UINT32_MAX - 7};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        tear_down();
        set_up();
        struct lgr_record *pad = image_add(&image, LGR_PAD, LGR_CHUNK - image.size);
        pad->size = sizes[i];
        image_add(&image, LGR_EDGE, sizeof(struct lgr_edge));
        struct lgr_file *file = open_image();
        ck_assert_uint_eq(lgr_edge_count(file), 2);
        ck_assert_uint_eq(lgr_damaged(file), 1);
        lgr_close(file);
    }
}
END_TEST

START_TEST(every_prefix_is_read_or_refused) {
    size_t edges_before = 0;
    for (size_t size = 0; size <= image.size; size++) {
        unsigned char *copy = malloc(size + 1); /* exact, so that a sanitizer sees one byte too many */
        memcpy(copy, image.bytes, size);
        char error[256] = "";
        struct lgr_file *file = lgr_open_memory(copy, size, error, sizeof error);
        ck_assert_int_eq(file != NULL, size >= sizeof(struct lgr_header));
        ck_assert_int_eq(file == NULL, error[0] != '\0');
        if (file) {
            walk_file(file);
            ck_assert_uint_ge(lgr_edge_count(file), edges_before);
            ck_assert_uint_le(lgr_damaged(file), 1);
            edges_before = lgr_edge_count(file);
        }
        lgr_close(file);
        free(copy);
    }
    ck_assert_uint_eq(edges_before, 1);
}
END_TEST

static uint64_t random_state = 20240229;
static uint32_t random_number(uint32_t limit) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % limit;
}

static void mutate(unsigned char *bytes, size_t size) {
    static const uint32_t interesting[] = {0, 1, 7, 8, 0x7f, 0xff, 0x7fffffff, 0x80000000, 0xffffffff};
    size_t at = random_number((uint32_t)size);
    if (random_number(2)) {
        bytes[at] ^= (unsigned char)(1u << random_number(8));
        return;
    }
    uint32_t value = interesting[random_number(sizeof interesting / sizeof interesting[0])];
    at &= ~(size_t)3;
    memcpy(bytes + at, &value, size - at < 4 ? size - at : 4);
}

START_TEST(mutated_files_do_no_harm) {
    unsigned char *copy = malloc(image.size);
    unsigned opened = 0;
    for (int round = 0; round < 50000; round++) {
        memcpy(copy, image.bytes, image.size);
        for (uint32_t times = 1 + random_number(4); times > 0; times--)
            mutate(copy, image.size);
        opened += walk_buffer(copy, image.size) != 0;
    }
    free(copy);
    /* Most of the bytes are in records, so most mutated files open. */
    ck_assert_uint_gt(opened, 25000);
    ck_assert_uint_lt(opened, 50000);
}
END_TEST

START_TEST(an_error_fits_any_buffer) {
    image.bytes[0] = 'x';
    char error[8] = "";
    ck_assert_ptr_null(lgr_open_memory(image.bytes, image.size, error, sizeof error));
    ck_assert_uint_eq(strlen(error), 7);
    ck_assert_ptr_null(lgr_open_memory(image.bytes, image.size, NULL, 0));
}
END_TEST

static void expect_path_refusal(const char *path, const char *words) {
    char error[256] = "";
    ck_assert_ptr_null(lgr_open(path, error, sizeof error));
    ck_assert_msg(strncmp(error, path, strlen(path)) == 0, "\"%s\" does not begin with the path", error);
    ck_assert_msg(strstr(error, words) != NULL, "\"%s\" lacks \"%s\"", error, words);
}

START_TEST(what_is_no_file_is_refused) {
    expect_path_refusal("/nonexistent.lgd", "cannot be opened (No such file or directory)");
    expect_path_refusal("/", "is no regular file");
    temporary_make();
    char path[sizeof temporary + 16];
    snprintf(path, sizeof path, "%s/pipe.lgd", temporary);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    expect_path_refusal(path, "is no regular file");
    temporary_remove();
}
END_TEST

/* From disk records are read by copies, from a buffer where they lie. */
START_TEST(damage_on_disk_is_damage_in_a_buffer) {
    temporary_make();
    char path[sizeof temporary + 16], error[256];
    snprintf(path, sizeof path, "%s/x.1.0.lgd", temporary);
    unsigned char *whole = malloc(image.size);
    memcpy(whole, image.bytes, image.size);
    for (int round = 0; round < 2000; round++) {
        memcpy(image.bytes, whole, image.size);
        for (uint32_t times = 1 + random_number(4); times > 0; times--)
            mutate(image.bytes, image.size);
        image_write(&image, path, 0);
        struct lgr_file *mapped = lgr_open(path, error, sizeof error);
        struct lgr_file *buffer = lgr_open_memory(image.bytes, image.size, error, sizeof error);
        ck_assert((mapped != NULL) == (buffer != NULL));
        if (mapped) {
            ck_assert_uint_eq(lgr_damaged(mapped), lgr_damaged(buffer));
            ck_assert_uint_eq(lgr_unknown(mapped), lgr_unknown(buffer));
            ck_assert_uint_eq(lgr_edge_count(mapped), lgr_edge_count(buffer));
            walk_file(mapped);
        }
        lgr_close(mapped);
        lgr_close(buffer);
        unlink(path);
    }
    free(whole);
    temporary_remove();
}
END_TEST

START_TEST(many_unordered_ids_are_found) {
    enum { COUNT = 5000 };
    for (uint32_t i = 0; i < COUNT; i++) {
        struct lgr_lock *lock = image_add(&image, LGR_LOCK, sizeof *lock);
        lock->id = 1 + (i * UINT64_C(2654435761)) % 1000003;
        lock->kind = LGR_LOCK_MUTEX;
        lock->address = i;
        if (image.size + 64 > LGR_CHUNK && image.size <= LGR_CHUNK)
            image_add(&image, LGR_PAD, LGR_CHUNK - image.size);
    }
    struct lgr_file *file = open_image();
    uint32_t found = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct lgr_lock_info *lock = lgr_lock_by_id(file, 1 + (i * UINT64_C(2654435761)) % 1000003);
        found += lock && lock->address == i;
    }
    ck_assert_uint_eq(found, COUNT);
    lgr_close(file);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("record_reader");
    TCase *whole = tcase_create("whole files");
    tcase_add_checked_fixture(whole, set_up, tear_down);
    tcase_add_test(whole, every_type_is_read);
    tcase_add_test(whole, objects_are_read);
    tcase_add_test(whole, a_finding_keeps_its_edges_and_held_locks);
    tcase_add_test(whole, unknown_ids_are_not_found);
    tcase_add_test(whole, a_bare_header_is_an_empty_file);
    tcase_add_test(whole, the_last_record_of_an_id_counts);
    tcase_add_test(whole, the_last_record_of_a_problem_wins);
    tcase_add_test(whole, many_unordered_ids_are_found);
    suite_add_tcase(suite, whole);

    TCase *header = tcase_create("headers");
    tcase_add_checked_fixture(header, set_up, tear_down);
    tcase_add_test(header, other_files_are_refused);
    tcase_add_test(header, a_newer_version_is_refused);
    tcase_add_test(header, another_byte_order_is_refused);
    tcase_add_test(header, impossible_header_sizes_are_refused);
    tcase_add_test(header, a_longer_header_is_skipped);
    tcase_add_test(header, an_error_fits_any_buffer);
    tcase_add_test(header, what_is_no_file_is_refused);
    suite_add_tcase(suite, header);

    TCase *damage = tcase_create("damage");
    tcase_set_timeout(damage, 60);
    tcase_add_checked_fixture(damage, set_up, tear_down);
    tcase_add_test(damage, an_uncommitted_record_ends_the_file);
    tcase_add_test(damage, unknown_types_are_skipped);
    tcase_add_test(damage, uses_of_conditions_are_read_in_order);
    tcase_add_test(damage, usages_are_read_in_order);
    tcase_add_test(damage, a_shorter_usage_of_an_older_runtime_is_read);
    tcase_add_test(damage, waits_of_threads_are_read_in_order);
    tcase_add_test(damage, spans_are_read_if_they_are_whole);
    tcase_add_test(damage, levels_have_the_last_name_they_were_given);
    tcase_add_test(damage, bytes_added_to_a_record_are_skipped);
    tcase_add_test(damage, short_records_are_damage);
    tcase_add_test(damage, lengths_beyond_a_record_are_damage);
    tcase_add_test(damage, each_string_of_a_record_is_checked);
    tcase_add_test(damage, one_too_many_is_damage);
    tcase_add_test(damage, more_edges_than_fit_are_damage);
    tcase_add_test(damage, the_id_zero_is_damage);
    tcase_add_test(damage, severities_and_ranges_are_checked);
    tcase_add_test(damage, values_of_a_later_version_are_unknown);
    tcase_add_test(damage, modes_of_held_locks_are_checked);
    tcase_add_test(damage, a_finding_of_a_later_kind_is_kept);
    tcase_add_test(damage, free_and_unfinished_states_are_left_out);
    tcase_add_test(damage, reading_goes_on_at_the_next_chunk);
    tcase_add_test(damage, every_prefix_is_read_or_refused);
    tcase_add_test(damage, mutated_files_do_no_harm);
    tcase_add_test(damage, damage_on_disk_is_damage_in_a_buffer);
    suite_add_tcase(suite, damage);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
