#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "platform/modules.h"
#include "platform/unwind_internal.h"

enum { ROOM = 64, DEEP = 200 };

static enum lgp_unwinder wanted;
static struct lgp_frame frames[ROOM + 1];
static size_t count;

/* What the chain below knows of itself, innermost function first. */
static struct { uintptr_t function, return_address, cfa; } known[8];

#if defined(__clang__)
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE __attribute__((noinline, noclone))
#endif

/* Asking for the frame address makes the compiler keep a frame pointer, which
 * one of the unwinders needs.  The barrier behind each call keeps the call from
 * becoming a jump. */
#define NOTE_MYSELF(index, self)                                                                             \
    do {                                                                                                     \
        known[index].function = (uintptr_t)(self);                                                           \
        known[index].return_address = (uintptr_t)__builtin_return_address(0);                                \
        known[index].cfa = (uintptr_t)__builtin_dwarf_cfa();                                                 \
        __asm__ volatile("" ::"r"(__builtin_frame_address(0)));                                              \
    } while (0)
#define BARRIER() __asm__ volatile("" ::: "memory")

static size_t room = ROOM;
/* Which function of the chain passes its own CFA on. */
static size_t start_at;

NOINLINE static void innermost(void) {
    NOTE_MYSELF(0, innermost);
    count = lgp_unwind(known[start_at].cfa, frames, room);
    BARRIER();
}

static void (*way_in)(void) = innermost;

NOINLINE static void middle(void) {
    char local[100];
    NOTE_MYSELF(1, middle);
    memset(local, 1, sizeof(local));
    way_in();
    __asm__ volatile("" ::"r"(local) : "memory");
}

NOINLINE static void outer(void) {
    NOTE_MYSELF(2, outer);
    middle();
    BARRIER();
}

NOINLINE static void outermost(void) {
    NOTE_MYSELF(3, outermost);
    outer();
    BARRIER();
}

/* Frame records tell it exactly only where they are next to it. */
static bool is_stack_pointer(uintptr_t found, uintptr_t cfa) {
#if !defined(__x86_64__)
    if (wanted == LGP_UNWIND_FP)
        return found >= cfa && found - cfa < 256;
#endif
    return found == cfa;
}

static void unwind_from(size_t index) {
    start_at = index;
    memset(frames, 0, sizeof(frames));
    outermost();
}

static void start_wanted(void) {
    lgp_modules_start();
    ck_assert_int_eq(lgp_unwind_start(wanted), wanted);
}

START_TEST(callers_with_return_address_and_stack_pointer) {
    unwind_from(0);
    ck_assert_uint_ge(count, 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(frames[i].pc, known[i].return_address);
        ck_assert(is_stack_pointer(frames[i].sp, known[i].cfa));
    }
    for (size_t i = 1; i < count; i++)
        ck_assert_uint_gt(frames[i].sp, frames[i - 1].sp);
}
END_TEST

START_TEST(frames_below_are_left_out) {
    for (size_t from = 0; from < 4; from++) {
        unwind_from(from);
        ck_assert_uint_ge(count, 4 - from);
        ck_assert_uint_eq(frames[0].pc, known[from].return_address);
        ck_assert_uint_eq(frames[0].sp, known[from].cfa);
    }
}
END_TEST

/* From 0 the unwinder's own caller is among the frames. */
START_TEST(everything_when_asked_for) {
    size_t at = 0;
    known[4].cfa = 0;
    unwind_from(4);
    while (at < count && frames[at].pc != known[0].return_address)
        at++;
    ck_assert_uint_gt(at, 0);
    ck_assert_uint_lt(at, count);
    ck_assert_uint_eq(lgp_function_start(frames[at - 1].pc), (uintptr_t)innermost);
}
END_TEST

START_TEST(function_starts) {
    unwind_from(0);
    for (size_t i = 0; i < 3; i++) {
        uintptr_t function = known[i + 1].function;
        ck_assert_uint_eq(lgp_function_start(frames[i].pc), function);
        ck_assert(frames[i].function == function || (frames[i].function == 0 && wanted != LGP_UNWIND_GCC));
    }
    ck_assert_uint_eq(lgp_function_start((uintptr_t)frames), 0);
    ck_assert_uint_eq(lgp_function_start(1), 0);
}
END_TEST

#if defined(__x86_64__)
/* Calls innermost() with another value in the frame register, as a function
 * does that keeps no frame pointer. */
void through_another_use_of_the_register(void);
void call_innermost(void);
void call_innermost(void) { innermost(); }
__asm__(".text\n"
        ".globl through_another_use_of_the_register\n"
        ".type through_another_use_of_the_register, @function\n"
        "through_another_use_of_the_register:\n"
        ".cfi_startproc\n"
        "pushq %rbp\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset %rbp, -16\n"
        "movl $1, %ebp\n"
        "call call_innermost\n"
        "popq %rbp\n"
        ".cfi_restore %rbp\n"
        ".cfi_def_cfa_offset 8\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size through_another_use_of_the_register, . - through_another_use_of_the_register\n");

/* As the runtime's own functions between the program's and the unwinder may. */
START_TEST(over_functions_without_frame_pointer) {
    way_in = through_another_use_of_the_register;
    for (size_t from = 1; from < 4; from++) {
        unwind_from(from);
        ck_assert_uint_ge(count, 4 - from);
        for (size_t i = from; i < 4; i++) {
            ck_assert_uint_eq(frames[i - from].pc, known[i].return_address);
            ck_assert_uint_eq(frames[i - from].sp, known[i].cfa);
        }
    }
}
END_TEST
#endif

START_TEST(room_is_respected) {
    for (room = 0; room < 4; room++) {
        unwind_from(0);
        ck_assert_uint_eq(count, room);
        ck_assert_uint_eq(frames[room].pc, 0);
    }
}
END_TEST

START_TEST(errno_is_left_alone) {
    errno = 77;
    unwind_from(0);
    lgp_function_start(frames[0].pc);
    ck_assert_int_eq(errno, 77);
}
END_TEST

NOINLINE static void recurse(int depth) {
    volatile char local[3000];
    local[0] = (char)*(volatile char *)__builtin_frame_address(0);
    if (depth == 0)
        outermost();
    else
        recurse(depth - 1);
    (void)local[0];
    BARRIER();
}

static void check_recursion(void) {
    recurse(DEEP);
    ck_assert_uint_eq(count, ROOM);
    for (size_t i = 5; i < ROOM; i++) {
        ck_assert_uint_eq(frames[i].pc, frames[4].pc);
        ck_assert_uint_eq(frames[i].sp - frames[i - 1].sp, frames[5].sp - frames[4].sp);
    }
}

START_TEST(deep_recursion) {
    start_at = 0;
    outermost(); /* a shallow stack is known first, then the deep one */
    check_recursion();
}
END_TEST

static void *in_thread(void *unused) {
    (void)unused;
    unwind_from(0);
    check_recursion();
    return NULL;
}

START_TEST(in_a_second_thread) {
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, in_thread, NULL), 0);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(frames[0].pc, known[0].return_address);
}
END_TEST

static struct lgp_frame handler_frames[ROOM];
static size_t handler_count;

static void handler(int signal_number) {
    (void)signal_number;
    unwind_from(0);
    memcpy(handler_frames, frames, sizeof(handler_frames));
    handler_count = count;
}

NOINLINE static void interrupted(void) {
    NOTE_MYSELF(5, interrupted);
    raise(SIGUSR1);
    BARRIER();
}

static bool handler_saw(uintptr_t pc) {
    for (size_t i = 0; i < handler_count; i++)
        if (handler_frames[i].pc == pc)
            return true;
    return false;
}

START_TEST(through_a_signal_handler) {
    struct sigaction action = {.sa_handler = handler};
    sigaction(SIGUSR1, &action, NULL);
    interrupted();
    ck_assert_uint_ge(handler_count, 4);
    ck_assert_uint_eq(handler_frames[3].pc, known[3].return_address);
    if (wanted != LGP_UNWIND_FP) /* libc keeps no frame pointers */
        ck_assert(handler_saw(known[5].return_address));
}
END_TEST

/* --- stacks that are not the thread's own --- */

static ucontext_t back, other;

static void on_other_stack(void) { unwind_from(0); }

/* A stack whose upper neighbour cannot be read. */
START_TEST(on_a_stack_of_the_programs_making) {
    enum { PAGES = 4, PAGE = 4096 };
    unwind_from(0);
    char *memory = mmap(NULL, 2 * PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    ck_assert_int_eq(mprotect(memory + PAGES * PAGE, PAGES * PAGE, PROT_NONE), 0);
    ck_assert_int_eq(getcontext(&other), 0);
    other.uc_stack.ss_sp = memory;
    other.uc_stack.ss_size = PAGES * PAGE;
    other.uc_link = &back;
    makecontext(&other, on_other_stack, 0);
    ck_assert_int_eq(swapcontext(&back, &other), 0);
    ck_assert_uint_ge(count, 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_uint_eq(frames[i].pc, known[i].return_address);
    munmap(memory, 2 * PAGES * PAGE);
}
END_TEST

#if defined(__x86_64__)
/* Calls lgp_unwind_fp as a function would that keeps `value` in the frame
 * register. */
static size_t unwind_with_frame_register(uintptr_t value) {
    size_t result;
    __asm__ volatile("pushq %%rbp\n\t"
                     "movq %%rsp, %%rbx\n\t"
                     "andq $-16, %%rsp\n\t"
                     "subq $512, %%rsp\n\t" /* past the red zone */
                     "movq %[value], %%rbp\n\t"
                     "xorl %%edi, %%edi\n\t"
                     "leaq %[frames], %%rsi\n\t"
                     "movl %[room], %%edx\n\t"
                     "callq *%[function]\n\t"
                     "movq %%rbx, %%rsp\n\t"
                     "popq %%rbp\n\t"
                     : "=a"(result)
                     : [value] "r"(value), [frames] "m"(*frames), [room] "i"(ROOM),
                       [function] "r"((uintptr_t)lgp_unwind_fp)
                     : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
    return result;
}

static uintptr_t garbage_values[16];
static size_t garbage_count;

static void unwind_with_garbage(void) {
    for (size_t i = 0; i < garbage_count; i++) {
        size_t found = unwind_with_frame_register(garbage_values[i]);
        ck_assert_uint_ge(found, 1); /* the asking function itself */
        ck_assert_uint_lt(found, 3);
    }
}

static void collect_garbage(const char *unreadable) {
    static uintptr_t looks_like_a_record[2] = {0, 0};
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    const uintptr_t values[] = {0,
                                1,
                                8,
                                UINTPTR_MAX,
                                UINTPTR_MAX & ~(uintptr_t)7,
                                (uintptr_t)1 << 63,
                                here | 1,
                                here - 65536,
                                here + ((uintptr_t)1 << 30),
                                (uintptr_t)looks_like_a_record,
                                (uintptr_t)unreadable,
                                (uintptr_t)unreadable - 8,
                                (uintptr_t)unreadable + 4096};
    memcpy(garbage_values, values, sizeof(values));
    garbage_count = sizeof(values) / sizeof(values[0]);
}

START_TEST(garbage_in_the_frame_register_never_faults) {
    enum { PAGES = 4, PAGE = 4096 };
    char *memory = mmap(NULL, 2 * PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_int_eq(mprotect(memory + PAGES * PAGE, PAGES * PAGE, PROT_NONE), 0);
    collect_garbage(memory + PAGES * PAGE);
    unwind_with_garbage();
    ck_assert_int_eq(getcontext(&other), 0);
    other.uc_stack.ss_sp = memory;
    other.uc_stack.ss_size = PAGES * PAGE;
    other.uc_link = &back;
    makecontext(&other, unwind_with_garbage, 0);
    ck_assert_int_eq(swapcontext(&back, &other), 0);
}
END_TEST
#endif

START_TEST(none_finds_nothing) {
    ck_assert_int_eq(lgp_unwind_start(LGP_UNWIND_NONE), LGP_UNWIND_NONE);
    unwind_from(0);
    ck_assert_uint_eq(count, 0);
    ck_assert_uint_eq(lgp_function_start((uintptr_t)__builtin_return_address(0)), 0);
}
END_TEST

static TCase *chain_cases(const char *name, void (*start)(void)) {
    TCase *cases = tcase_create(name);
    tcase_add_checked_fixture(cases, start, NULL);
    tcase_add_test(cases, callers_with_return_address_and_stack_pointer);
    tcase_add_test(cases, frames_below_are_left_out);
    tcase_add_test(cases, everything_when_asked_for);
    tcase_add_test(cases, function_starts);
#if defined(__x86_64__)
    tcase_add_test(cases, over_functions_without_frame_pointer);
#endif
    tcase_add_test(cases, room_is_respected);
    tcase_add_test(cases, errno_is_left_alone);
    tcase_add_test(cases, deep_recursion);
    tcase_add_test(cases, in_a_second_thread);
    tcase_add_test(cases, through_a_signal_handler);
    tcase_add_test(cases, on_a_stack_of_the_programs_making);
    return cases;
}

static void start_gcc(void) {
    wanted = LGP_UNWIND_GCC;
    start_wanted();
}

static void start_frame_pointers(void) {
    wanted = LGP_UNWIND_FP;
    start_wanted();
}

static void start_libunwind(void) {
    wanted = LGP_UNWIND_LIBUNWIND;
    start_wanted();
}

static Suite *unwind_suite(void) {
    Suite *suite = suite_create("platform unwind");
    suite_add_tcase(suite, chain_cases("gcc", start_gcc));
    suite_add_tcase(suite, chain_cases("frame pointers", start_frame_pointers));
    if (lgp_unwind_libunwind_start())
        suite_add_tcase(suite, chain_cases("libunwind", start_libunwind));
    TCase *odd = tcase_create("odd cases");
    tcase_add_test(odd, none_finds_nothing);
#if defined(__x86_64__)
    tcase_add_checked_fixture(odd, start_frame_pointers, NULL);
    tcase_add_test(odd, garbage_in_the_frame_register_never_faults);
#endif
    suite_add_tcase(suite, odd);
    return suite;
}

int main(void) {
    SRunner *runner = srunner_create(unwind_suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
