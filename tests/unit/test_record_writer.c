/* The writer, read back by the reader: every type, the name, the limits. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record/writer.h"
#include "record_support.h"

/* Standard error goes to a file, so that warnings can be counted. */
static FILE *warnings;
static int standard_error;

static void set_up(void) {
    temporary_make();
    warnings = tmpfile();
    standard_error = dup(2);
    dup2(fileno(warnings), 2);
}

static void tear_down(void) {
    dup2(standard_error, 2);
    close(standard_error);
    fclose(warnings);
    lgr_writer_fork_child();
    umount2(temporary, MNT_DETACH); /* of the tests with a disk of their own */
    temporary_remove();
}

/* Lines printed so far; the last one in `line`. */
static int warning_lines(char *line, int size) {
    int count = 0;
    rewind(warnings);
    while (fgets(line, size, warnings))
        count++;
    return count;
}

static void expect_one_warning(const char *words) {
    char line[6000] = "";
    ck_assert_int_eq(warning_lines(line, sizeof line), 1);
    ck_assert_msg(strstr(line, words) != NULL, "\"%s\" lacks \"%s\"", line, words);
    ck_assert_ptr_nonnull(strstr(line, "lockgraph["));
}

static void expect_no_warning(void) {
    char line[6000] = "";
    ck_assert_msg(warning_lines(line, sizeof line) == 0, "%s", line);
}

static uint32_t degraded(void) { return lgr_writer_header()->degraded; }

START_TEST(the_process_is_described) {
    writer_start(0);
    ck_assert(lgr_writer_on());
    ck_assert(lgr_writer_accepts(false));
    struct lgr_file *file = open_written();
    const struct lgr_header_copy *header = lgr_header(file);
    ck_assert_uint_eq(header->version, LGR_VERSION);
    ck_assert_uint_eq(header->pid, (uint32_t)getpid());
    ck_assert_uint_eq(header->ppid, (uint32_t)getppid());
    ck_assert_uint_gt(header->start_realtime_ns, UINT64_C(1600000000) * 1000000000);
    ck_assert_uint_gt(header->start_monotonic_ns, 0);
    ck_assert_uint_eq(header->ended, LGR_RUNNING);
    char exe[4096] = "";
    ck_assert_int_gt((int)readlink("/proc/self/exe", exe, sizeof exe - 1), 0);
    ck_assert_str_eq(lgr_process(file)->exe, exe);
    ck_assert_int_eq(
        strncmp(lgr_process(file)->cmdline, program_invocation_name, strlen(program_invocation_name)), 0);
    ck_assert_str_eq(lgr_process(file)->options, "key=value");
    ck_assert_int_eq(strncmp(lgr_process(file)->tool, "lockgraph ", 10), 0);
    ck_assert_uint_eq(lgr_damaged(file), 0);
    lgr_close(file);
    expect_no_warning();
}
END_TEST

START_TEST(the_name_tells_program_pid_and_number) {
    writer_start(0);
    char exe[4096] = "", name[5000], *base;
    ck_assert_int_gt((int)readlink("/proc/self/exe", exe, sizeof exe - 1), 0);
    base = strrchr(exe, '/') + 1;
    snprintf(name, sizeof name, "%s/%s.%d.0.lgd", temporary, base, (int)getpid());
    ck_assert_str_eq(lgr_writer_path(), name);
    struct stat status;
    ck_assert_int_eq(stat(name, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
    lgr_writer_fork_child();
    ck_assert_str_eq(lgr_writer_path(), "");
    writer_start(0);
    snprintf(name, sizeof name, "%s/%s.%d.1.lgd", temporary, base, (int)getpid());
    ck_assert_str_eq(lgr_writer_path(), name);
}
END_TEST

START_TEST(a_link_in_the_way_is_not_followed) {
    writer_start(0);
    char victim[200], second[5000];
    snprintf(victim, sizeof victim, "%s/victim", temporary);
    snprintf(second, sizeof second, "%s", lgr_writer_path());
    strcpy(strrchr(second, '.') - 1, "1.lgd");
    ck_assert_int_eq(symlink(victim, second), 0);
    lgr_writer_fork_child();
    writer_start(0);
    ck_assert_ptr_nonnull(strstr(lgr_writer_path(), ".2.lgd"));
    ck_assert_int_eq(access(victim, F_OK), -1);
}
END_TEST

START_TEST(the_run_is_in_the_header_of_a_child_too) {
    struct lgr_writer_options options = {.directory = temporary, .run = 0xfedcba9876543210};
    ck_assert(lgr_writer_open(&options, ""));
    ck_assert_uint_eq(lgr_writer_header()->run, options.run);
    lgr_writer_fork_child();
    options.run++;
    ck_assert(lgr_writer_open(&options, ""));
    ck_assert_uint_eq(lgr_writer_header()->run, options.run);
}
END_TEST

START_TEST(the_directory_is_made_and_the_path_is_absolute) {
    ck_assert_int_eq(chdir(temporary), 0);
    struct lgr_writer_options options = {.directory = "made/", .max_data = 0};
    ck_assert(lgr_writer_open(&options, ""));
    ck_assert_int_eq(chdir("/"), 0);
    struct stat status;
    char made[200], path[5000];
    snprintf(made, sizeof made, "%s/made", temporary);
    ck_assert_int_eq(stat(made, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0700);
    snprintf(path, sizeof path, "%s", lgr_writer_path());
    ck_assert_int_eq(strncmp(path, made, strlen(made)), 0);
    ck_assert_ptr_null(strstr(path, "//"));
    lgr_close(open_written());
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(made), 0);
}
END_TEST

START_TEST(the_descriptor_is_high_and_closed_at_exec) {
    writer_start(0);
    struct stat file, found;
    ck_assert_int_eq(stat(lgr_writer_path(), &file), 0);
    int places = 0;
    for (int descriptor = 0; descriptor < 2000; descriptor++) {
        if (fstat(descriptor, &found) != 0 || found.st_ino != file.st_ino || found.st_dev != file.st_dev)
            continue;
        places++;
        ck_assert_int_ge(descriptor, 900);
        ck_assert_int_eq(fcntl(descriptor, F_GETFD), FD_CLOEXEC);
    }
    ck_assert_int_eq(places, 1);
}
END_TEST

START_TEST(few_descriptors_are_enough) {
    struct rlimit limit = {12, 12};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    writer_start(0);
    ck_assert(write_edge(1));
    lgr_close(open_written());
}
END_TEST

/* What every record type looks like is the reader suite's; here it is that all
 * bytes the caller stored arrive. */
START_TEST(records_arrive_as_stored) {
    writer_start(0);
    struct lgr_context *context = lgr_begin(LGR_CONTEXT, sizeof *context + sizeof context->frames[0], false);
    ck_assert_uint_eq(context->frame_count, 0);
    context->id = 5;
    context->frame_count = 1;
    context->frames[0] = (struct lgr_location){7, 0, 0xabcdef};
    lgr_commit(context);
    struct lgr_message *message = lgr_begin(LGR_MESSAGE, sizeof *message + 3, true);
    message->text_length = 3;
    memcpy(message + 1, "abc", 3);
    lgr_commit(message);
    ck_assert(write_edge(99));
    struct lgr_file *file = open_written();
    size_t count;
    ck_assert_uint_eq(lgr_context_by_id(file, 5)->frames[0].offset, 0xabcdef);
    ck_assert_str_eq(lgr_messages(file, &count)[0].text, "abc");
    ck_assert_uint_eq(lgr_edge_at(file, 0)->from_class, 99);
    ck_assert_uint_eq(lgr_damaged(file), 0);
    lgr_close(file);
}
END_TEST

START_TEST(a_record_counts_only_when_committed) {
    writer_start(0);
    struct lgr_edge *edge = lgr_begin(LGR_EDGE, sizeof *edge, false);
    edge->from_class = 1;
    struct lgr_file *file = open_written();
    ck_assert_uint_eq(lgr_edge_count(file), 0);
    ck_assert_uint_eq(lgr_damaged(file), 0);
    lgr_close(file);
    lgr_commit(edge);
    file = open_written();
    ck_assert_uint_eq(lgr_edge_count(file), 1);
    lgr_close(file);
}
END_TEST

/* 48 does not divide a chunk: padding, several segments, many sizes. */
START_TEST(many_chunks_keep_every_record) {
    writer_start(0);
    enum { COUNT = 60000 };
    uint32_t written = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        written += write_edge(i);
        if (i % 100 == 0) {
            size_t length = (i * 7919) % 5000;
            struct lgr_message *message = lgr_begin(LGR_MESSAGE, sizeof *message + length, false);
            message->text_length = (uint32_t)length;
            memset(message + 1, 'x', length);
            lgr_commit(message);
        }
    }
    ck_assert_uint_eq(written, COUNT);
    struct lgr_file *file = open_written();
    ck_assert_uint_eq(lgr_edge_count(file), COUNT);
    uint32_t in_order = 0;
    while (in_order < COUNT && lgr_edge_at(file, in_order)->from_class == in_order)
        in_order++;
    ck_assert_uint_eq(in_order, COUNT);
    size_t count;
    const struct lgr_message_info *messages = lgr_messages(file, &count);
    ck_assert_uint_eq(count, COUNT / 100);
    for (size_t i = 0; i < count; i++)
        ck_assert_uint_eq(strlen(messages[i].text), (i * 100 * 7919) % 5000);
    ck_assert_uint_eq(lgr_damaged(file), 0);
    lgr_close(file);
}
END_TEST

START_TEST(the_largest_record_fits_and_no_larger) {
    writer_start(0);
    size_t largest = LGR_CHUNK - sizeof(struct lgr_header);
    for (int i = 0; i < 3; i++) {
        struct lgr_message *message = lgr_begin(LGR_MESSAGE, largest, false);
        ck_assert_ptr_nonnull(message);
        message->text_length = (uint32_t)(largest - sizeof *message);
        memset(message + 1, 'x', message->text_length);
        lgr_commit(message);
    }
    ck_assert_ptr_null(lgr_begin(LGR_MESSAGE, largest + 1, true));
    ck_assert_ptr_null(lgr_begin(LGR_MESSAGE, SIZE_MAX, true));
    ck_assert_uint_eq(lgr_writer_header()->dropped, 2);
    ck_assert(lgr_writer_on());
    struct lgr_file *file = open_written();
    size_t count;
    lgr_messages(file, &count);
    ck_assert_uint_eq(count, 3);
    lgr_close(file);
}
END_TEST

START_TEST(findings_are_live) {
    writer_start(0);
    struct lgr_finding *finding = lgr_begin(LGR_FINDING, sizeof *finding, true);
    finding->problem = 1;
    finding->severity = LGR_ERROR;
    finding->verdict = LGR_VERDICT_FEASIBLE;
    finding->count = 1;
    lgr_commit(finding);
    ck_assert(write_finding(2, LGR_VERDICT_ACTUAL, true));
    ck_assert_uint_eq(write_edges(20000), 20000); /* some chunks further on, the record is still there */
    finding->count += 41;
    struct lgr_file *file = open_written();
    size_t count;
    ck_assert_uint_eq(lgr_findings(file, &count)[0].count, 42);
    ck_assert_uint_eq(count, 2);
    lgr_close(file);
}
END_TEST

/* Killed while it wrote: nobody will make the sequence even again. */
START_TEST(a_state_that_stays_odd_is_left_out) {
    writer_start(0);
    struct lgr_thread_state *state = lgr_begin(LGR_THREAD_STATE, sizeof *state, true);
    state->serial = 4;
    state->sequence = 2;
    lgr_commit(state);
    size_t count;
    struct lgr_file *file = open_written();
    ck_assert_uint_eq(lgr_thread_states(file, &count)[0].serial, 4);
    ck_assert_uint_eq(count, 1);
    lgr_close(file);
    state->sequence = 3;
    file = open_written();
    lgr_thread_states(file, &count);
    ck_assert_uint_eq(count, 0);
    ck_assert_uint_eq(lgr_damaged(file), 0);
    lgr_close(file);
}
END_TEST

START_TEST(the_end_is_recorded_and_can_be_taken_back) {
    writer_start(0);
    lgr_writer_finish(LGR_EXITED, 3);
    struct lgr_file *file = open_written();
    ck_assert_uint_eq(lgr_header(file)->ended, LGR_EXITED);
    ck_assert_int_eq(lgr_header(file)->exit_status, 3);
    ck_assert_uint_ge(lgr_header(file)->end_realtime_ns, lgr_header(file)->start_realtime_ns);
    lgr_close(file);
    ck_assert(write_edge(1));
    lgr_writer_finish(LGR_RUNNING, 0);
    file = open_written();
    ck_assert_uint_eq(lgr_header(file)->ended, LGR_RUNNING);
    ck_assert_uint_eq(lgr_header(file)->end_realtime_ns, 0);
    ck_assert_uint_eq(lgr_edge_count(file), 1);
    lgr_close(file);
}
END_TEST

START_TEST(off_is_harmless) {
    ck_assert(!lgr_writer_on());
    ck_assert_str_eq(lgr_writer_path(), "");
    ck_assert_ptr_nonnull(lgr_writer_header());
    uint64_t before = lgr_writer_header()->dropped;
    ck_assert(!write_edge(1));
    ck_assert(!lgr_writer_accepts(true));
    ck_assert_uint_eq(lgr_writer_header()->dropped, before + 2);
    lgr_writer_finish(LGR_EXITED, 0);
}
END_TEST

START_TEST(opening_twice_keeps_the_first) {
    writer_start(0);
    writer_start(0);
    ck_assert_int_eq(temporary_files(NULL, 0), 1);
}
END_TEST

START_TEST(past_max_data_only_important_records) {
    uint64_t limit = 300000;
    writer_start(limit);
    uint32_t edges = write_edges(UINT32_MAX);
    ck_assert_uint_gt(edges, (limit - 2000) / sizeof(struct lgr_edge));
    ck_assert_uint_lt(edges, limit / sizeof(struct lgr_edge));
    expect_one_warning("max_data");
    ck_assert_uint_eq(degraded(), LGR_DEGRADED_MAX_DATA);
    ck_assert_uint_eq(lgr_writer_header()->dropped, 1);
    ck_assert_ptr_null(lgr_begin(LGR_PAD, 8, false)); /* smaller, and refused all the same */
    ck_assert(!lgr_writer_accepts(false));
    ck_assert(lgr_writer_accepts(true));
    uint32_t findings = 0;
    while (write_finding(findings + 1, LGR_VERDICT_FEASIBLE, true))
        findings++;
    uint32_t reserve = LGR_RESERVE / sizeof(struct lgr_finding);
    ck_assert_uint_ge(findings, reserve - 8);
    ck_assert_uint_le(findings, reserve + 1);
    ck_assert_uint_eq(lgr_writer_header()->dropped, 4);
    ck_assert(lgr_writer_on());
    expect_one_warning("max_data");
    struct lgr_file *file = open_written();
    size_t count;
    lgr_findings(file, &count);
    ck_assert_uint_eq(count, findings);
    ck_assert_uint_eq(lgr_edge_count(file), edges);
    ck_assert_uint_eq(lgr_header(file)->dropped, 4);
    lgr_close(file);
}
END_TEST

START_TEST(no_max_data_is_no_limit) {
    writer_start(0);
    ck_assert_uint_eq(write_edges(100000), 100000);
    ck_assert_uint_eq(degraded(), 0);
    expect_no_warning();
}
END_TEST

/* Writes until refused; then nothing may come, and all that was accepted is
 * there. */
static void expect_end_of_recording(uint32_t bit, const char *words) {
    uint32_t edges = write_edges(1000000);
    ck_assert_uint_lt(edges, 1000000);
    ck_assert(!lgr_writer_on());
    ck_assert(!write_finding(1, LGR_VERDICT_ACTUAL, true));
    ck_assert_uint_eq(degraded(), bit);
    expect_one_warning(words);
    lgr_writer_finish(LGR_EXITED, 0);
    struct lgr_file *file = open_written();
    ck_assert_uint_eq(lgr_edge_count(file), edges);
    ck_assert_uint_eq(lgr_header(file)->ended, LGR_EXITED);
    ck_assert_uint_eq(lgr_header(file)->degraded, bit);
    ck_assert_uint_eq(lgr_header(file)->dropped, 2);
    ck_assert_uint_eq(lgr_damaged(file), 0);
    lgr_close(file);
}

START_TEST(the_file_size_limit_ends_recording_and_does_not_kill) {
    struct rlimit limit = {1000000, 1000000};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    writer_start(0);
    expect_end_of_recording(LGR_DEGRADED_DISK, "ulimit -f");
}
END_TEST

START_TEST(a_tiny_file_size_limit_means_no_file) {
    struct rlimit limit = {8000, 8000};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    struct lgr_writer_options options = {.directory = temporary, .max_data = 0};
    ck_assert(!lgr_writer_open(&options, ""));
    ck_assert(!lgr_writer_on());
    ck_assert(!write_edge(1));
    expect_one_warning("ulimit -f");
    ck_assert_int_eq(temporary_files(NULL, 0), 0);
}
END_TEST

/* In a mount namespace of its own, which ends with the test's process. */
static bool mount_at(const char *place, const char *type, unsigned long flags, const char *options) {
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", place, type, flags, options) == 0;
}

/* Where mounting is not allowed, nothing can be said about other disks. */
START_TEST(a_full_disk_ends_recording) {
    if (!mount_at(temporary, "tmpfs", 0, "size=1m"))
        return;
    writer_start(0);
    expect_end_of_recording(LGR_DEGRADED_DISK, "the disk is full");
}
END_TEST

START_TEST(a_disk_full_from_the_start_means_no_file) {
    if (!mount_at(temporary, "tmpfs", 0, "size=8k"))
        return;
    struct lgr_writer_options options = {.directory = temporary, .max_data = 0};
    ck_assert(!lgr_writer_open(&options, ""));
    expect_one_warning("the disk is full");
    ck_assert_int_eq(temporary_files(NULL, 0), 0);
}
END_TEST

START_TEST(a_read_only_disk_means_no_file) {
    if (!mount_at(temporary, "tmpfs", MS_RDONLY, NULL))
        return;
    struct lgr_writer_options options = {.directory = temporary, .max_data = 0};
    ck_assert(!lgr_writer_open(&options, ""));
    expect_one_warning("read-only");
}
END_TEST

static void expect_many_edges(void) {
    writer_start(0);
    ck_assert_uint_eq(write_edges(20000), 20000);
    struct lgr_file *file = open_written();
    ck_assert_uint_eq(lgr_edge_count(file), 20000);
    lgr_close(file);
    expect_no_warning();
}

/* ramfs cannot allocate ahead: zeros are written instead. */
START_TEST(a_disk_that_cannot_allocate_is_filled) {
    if (!mount_at(temporary, "ramfs", 0, NULL))
        return;
    expect_many_edges();
    struct stat status;
    ck_assert_int_eq(stat(lgr_writer_path(), &status), 0);
    ck_assert_int_eq(status.st_size % LGR_CHUNK, 0);
    ck_assert_int_ge(status.st_blocks * 512, status.st_size);
}
END_TEST

/* An unnamed file gets its name through /proc: without it the file is made
 * with its name, and the program's is not known. */
START_TEST(without_proc_the_file_is_made_all_the_same) {
    if (!mount_at("/proc", "tmpfs", 0, NULL))
        return;
    expect_many_edges();
    ck_assert_ptr_nonnull(strstr(lgr_writer_path(), "/unknown."));
    ck_assert_int_eq(temporary_files(NULL, 0), 1);
    lgr_writer_fork_child();
    writer_start(0);
    ck_assert_ptr_nonnull(strstr(lgr_writer_path(), ".1.lgd"));
    ck_assert_int_eq(temporary_files(NULL, 0), 2);
    umount2("/proc", MNT_DETACH);
}
END_TEST

START_TEST(a_file_in_the_way_is_said) {
    char file[200];
    snprintf(file, sizeof file, "%s/file", temporary);
    close(open(file, O_RDWR | O_CREAT, 0600));
    struct lgr_writer_options options = {.directory = file, .max_data = 0};
    ck_assert(!lgr_writer_open(&options, ""));
    expect_one_warning("a file is in the way");
    ck_assert_int_eq(unlink(file), 0);
}
END_TEST

START_TEST(a_directory_that_cannot_be_is_said) {
    struct lgr_writer_options options = {.directory = "/proc/no/such", .max_data = 0};
    ck_assert(!lgr_writer_open(&options, ""));
    expect_one_warning("/proc/no/such");
    ck_assert(!lgr_writer_on());
    options.directory = temporary;
    ck_assert(lgr_writer_open(&options, ""));
}
END_TEST

START_TEST(a_path_too_long_is_said) {
    static char directory[5000];
    memset(directory, 'd', sizeof directory - 1);
    struct lgr_writer_options options = {.directory = directory, .max_data = 0};
    ck_assert(!lgr_writer_open(&options, ""));
    expect_one_warning("ddd");
}
END_TEST

static int writer_descriptor(void) {
    struct stat file, found;
    stat(lgr_writer_path(), &file);
    for (int descriptor = 3; descriptor < 2000; descriptor++)
        if (fstat(descriptor, &found) == 0 && found.st_ino == file.st_ino && found.st_dev == file.st_dev)
            return descriptor;
    return -1;
}

/* Puts a file of the program's own, large and empty, on the writer's number. */
static int take_descriptor(void) {
    int descriptor = writer_descriptor();
    FILE *own = tmpfile();
    ck_assert_int_eq(ftruncate(fileno(own), 1 << 20), 0);
    ck_assert_int_eq(dup2(fileno(own), descriptor), descriptor);
    fclose(own);
    return descriptor;
}

/* Still as large and as empty as it was made. */
static void expect_untouched(int descriptor) {
    struct stat status;
    ck_assert_int_eq(fstat(descriptor, &status), 0);
    ck_assert_int_eq(status.st_size, 1 << 20);
    ck_assert_int_eq(status.st_blocks, 0);
}

START_TEST(a_reused_descriptor_is_not_closed) {
    writer_start(0);
    int descriptor = take_descriptor();
    lgr_writer_fork_child();
    expect_untouched(descriptor);
}
END_TEST

START_TEST(a_reused_descriptor_is_not_written) {
    writer_start(0);
    int descriptor = take_descriptor();
    ck_assert_uint_eq(write_edges(20000), 20000);
    expect_untouched(descriptor);
    ck_assert_int_ne(writer_descriptor(), descriptor);
    ck_assert_int_ge(writer_descriptor(), 900);
    ck_assert_uint_eq(degraded(), 0);
    struct lgr_file *file = open_written();
    ck_assert_uint_eq(lgr_edge_count(file), 20000);
    lgr_close(file);
    expect_no_warning();
}
END_TEST

START_TEST(a_closed_descriptor_is_opened_again) {
    writer_start(0);
    ck_assert_int_eq(close(writer_descriptor()), 0);
    ck_assert_uint_eq(write_edges(20000), 20000);
    ck_assert_uint_eq(degraded(), 0);
    expect_no_warning();
}
END_TEST

/* The file was replaced, too: what stands at the path now is not ours. */
START_TEST(a_replaced_file_ends_recording) {
    writer_start(0);
    char moved[5000];
    snprintf(moved, sizeof moved, "%s/moved.lgd", temporary);
    int descriptor = take_descriptor();
    ck_assert_int_eq(rename(lgr_writer_path(), moved), 0);
    int other = open(lgr_writer_path(), O_RDWR | O_CREAT, 0600);
    while (write_edge(1))
        ;
    ck_assert(!lgr_writer_on());
    ck_assert_uint_eq(degraded(), LGR_DEGRADED_FILE);
    expect_one_warning("closed our descriptor");
    struct stat status;
    ck_assert_int_eq(fstat(other, &status), 0);
    ck_assert_int_eq(status.st_size, 0);
    expect_untouched(descriptor);
    struct lgr_file *file = open_path(moved);
    ck_assert_uint_eq(lgr_header(file)->degraded, LGR_DEGRADED_FILE);
    ck_assert_uint_gt(lgr_edge_count(file), 0);
    lgr_close(file);
}
END_TEST

/* A deleted file is still ours by its descriptor. */
START_TEST(a_deleted_file_is_written_on) {
    writer_start(0);
    ck_assert_int_eq(unlink(lgr_writer_path()), 0);
    ck_assert_uint_eq(write_edges(20000), 20000);
    expect_no_warning();
}
END_TEST

int main(void) {
    Suite *suite = suite_create("record_writer");
    TCase *records = tcase_create("records");
    tcase_set_timeout(records, 30);
    tcase_add_checked_fixture(records, set_up, tear_down);
    tcase_add_test(records, the_process_is_described);
    tcase_add_test(records, records_arrive_as_stored);
    tcase_add_test(records, a_record_counts_only_when_committed);
    tcase_add_test(records, many_chunks_keep_every_record);
    tcase_add_test(records, the_largest_record_fits_and_no_larger);
    tcase_add_test(records, findings_are_live);
    tcase_add_test(records, a_state_that_stays_odd_is_left_out);
    tcase_add_test(records, the_end_is_recorded_and_can_be_taken_back);
    tcase_add_test(records, off_is_harmless);
    tcase_add_test(records, opening_twice_keeps_the_first);
    suite_add_tcase(suite, records);

    TCase *place = tcase_create("place");
    tcase_add_checked_fixture(place, set_up, tear_down);
    tcase_add_test(place, the_name_tells_program_pid_and_number);
    tcase_add_test(place, a_link_in_the_way_is_not_followed);
    tcase_add_test(place, the_run_is_in_the_header_of_a_child_too);
    tcase_add_test(place, the_directory_is_made_and_the_path_is_absolute);
    tcase_add_test(place, the_descriptor_is_high_and_closed_at_exec);
    tcase_add_test(place, few_descriptors_are_enough);
    tcase_add_test(place, a_directory_that_cannot_be_is_said);
    tcase_add_test(place, a_file_in_the_way_is_said);
    tcase_add_test(place, without_proc_the_file_is_made_all_the_same);
    tcase_add_test(place, a_path_too_long_is_said);
    suite_add_tcase(suite, place);

    TCase *limits = tcase_create("limits");
    tcase_set_timeout(limits, 30);
    tcase_add_checked_fixture(limits, set_up, tear_down);
    tcase_add_test(limits, past_max_data_only_important_records);
    tcase_add_test(limits, no_max_data_is_no_limit);
    tcase_add_test(limits, the_file_size_limit_ends_recording_and_does_not_kill);
    tcase_add_test(limits, a_tiny_file_size_limit_means_no_file);
    tcase_add_test(limits, a_full_disk_ends_recording);
    tcase_add_test(limits, a_disk_full_from_the_start_means_no_file);
    tcase_add_test(limits, a_read_only_disk_means_no_file);
    tcase_add_test(limits, a_disk_that_cannot_allocate_is_filled);
    tcase_add_test(limits, a_reused_descriptor_is_not_written);
    tcase_add_test(limits, a_reused_descriptor_is_not_closed);
    tcase_add_test(limits, a_closed_descriptor_is_opened_again);
    tcase_add_test(limits, a_replaced_file_ends_recording);
    tcase_add_test(limits, a_deleted_file_is_written_on);
    suite_add_tcase(suite, limits);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
