#include <check.h>
#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/memory.h"
#include "platform/modules_internal.h"
#include "platform/safe_read.h"

/* Loaded by nothing else in this program, and without dependants. */
#define EXTRA_LIBRARY "libBrokenLocale.so.1"

static int initialised = 5;
static char zeroed[100000];

static struct lgp_module_room room;

static bool look(uintptr_t address, struct lgp_module *module) {
    return lgp_module_look(address, module, &room, false);
}

static bool look_safely(uintptr_t address, struct lgp_module *module) {
    return lgp_module_look(address, module, &room, true);
}

static bool find_in_maps(uintptr_t address, struct lgp_module *module) {
    return lgp_maps_find(address, module, false);
}

static bool find_in_maps_safely(uintptr_t address, struct lgp_module *module) {
    return lgp_maps_find(address, module, true);
}

/* All answer the same, but that only those after the first tell the build id. */
typedef bool find_function(uintptr_t address, struct lgp_module *module);
static find_function *const ways[] = {lgp_module_find, look, look_safely, find_in_maps, find_in_maps_safely};
enum { WAYS = sizeof ways / sizeof *ways };

/* What the loader itself says of the object that holds `address`. */
struct expected {
    uintptr_t address, bias, start;
    char path[512];
    uint8_t build_id[64];
    size_t build_id_length;
};

static void read_build_id(struct expected *expected, const uint8_t *note, const uint8_t *end) {
    for (; note + 12 <= end;) {
        uint32_t name, size, type;
        memcpy(&name, note, 4), memcpy(&size, note + 4, 4), memcpy(&type, note + 8, 4);
        const uint8_t *content = note + 12 + (name + 3) / 4 * 4;
        if (type == NT_GNU_BUILD_ID && name == 4) {
            expected->build_id_length = size;
            memcpy(expected->build_id, content, size);
        }
        note = content + (size + 3) / 4 * 4;
    }
}

static void read_object(struct expected *expected, const struct dl_phdr_info *info) {
    expected->bias = info->dlpi_addr;
    strcpy(expected->path, info->dlpi_name);
    expected->start = UINTPTR_MAX;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        const uint8_t *at = (const uint8_t *)(info->dlpi_addr + segment->p_vaddr);
        if (segment->p_type == PT_LOAD && (uintptr_t)at < expected->start)
            expected->start = (uintptr_t)at & ~(uintptr_t)4095;
        if (segment->p_type == PT_NOTE && expected->build_id_length == 0)
            read_build_id(expected, at, at + segment->p_filesz);
    }
}

static int look_at_object(struct dl_phdr_info *info, size_t size, void *argument) {
    struct expected *expected = argument;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD && expected->address - start < segment->p_memsz) {
            read_object(expected, info);
            return 1;
        }
    }
    return 0;
}

/* The loader tells of no build ids; before glibc 2.35 it cannot be asked, and the first way
 * is the same as the second. */
static bool loader_is_asked(size_t way) { return way == 0 && dlsym(RTLD_DEFAULT, "_dl_find_object") != NULL; }

static void check_found(const void *address) {
    struct expected expected = {.address = (uintptr_t)address};
    ck_assert_int_eq(dl_iterate_phdr(look_at_object, &expected), 1);
    for (size_t i = 0; i < WAYS; i++) {
        struct lgp_module module;
        ck_assert(ways[i](expected.address, &module));
        ck_assert_uint_eq(module.bias, expected.bias);
        ck_assert_uint_eq(module.start, expected.start);
        ck_assert_uint_lt(expected.address, module.end);
        ck_assert_uint_eq(module.build_id_length, loader_is_asked(i) ? 0 : expected.build_id_length);
        if (module.build_id_length > 0)
            ck_assert_mem_eq(module.build_id, expected.build_id, expected.build_id_length);
    }
    ck_assert(lgp_module_contains(expected.address));
}

static void check_not_found(const void *address) {
    struct lgp_module module;
    for (size_t i = 0; i < WAYS; i++)
        ck_assert(!ways[i]((uintptr_t)address, &module));
    ck_assert(!lgp_module_contains((uintptr_t)address));
}

START_TEST(own_code_and_data) {
    struct lgp_module module;
    check_found((const void *)(uintptr_t)check_found);
    check_found(&initialised);
    check_found(zeroed);
    check_found(zeroed + sizeof(zeroed) - 1);
    for (size_t i = 0; i < WAYS; i++) {
        ck_assert(ways[i]((uintptr_t)&initialised, &module));
        ck_assert_str_eq(module.path, "");
    }
}
END_TEST

START_TEST(libraries) {
    char real_a[PATH_MAX], real_b[PATH_MAX];
    struct lgp_module a, b;
    check_found((const void *)(uintptr_t)getpid);
    check_found((const void *)stdout);
    ck_assert(ways[1]((uintptr_t)stdout, &a));
    ck_assert(ways[3]((uintptr_t)stdout, &b));
    ck_assert_ptr_nonnull(realpath(a.path, real_a));
    ck_assert_ptr_nonnull(realpath(b.path, real_b));
    ck_assert_str_eq(real_a, real_b);
    ck_assert_ptr_nonnull(strstr(real_a, "libc"));
}
END_TEST

START_TEST(memory_of_no_object) {
    int on_stack = 0;
    void *small = malloc(10), *large = malloc(1 << 20);
    void *mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check_not_found(&on_stack);
    check_not_found(small);
    check_not_found(large);
    check_not_found(mapped);
    check_not_found(NULL);
    check_not_found((void *)UINTPTR_MAX);
    free(small);
    free(large);
}
END_TEST

START_TEST(mapped_files_are_no_objects) {
    char path[] = "/tmp/lockgraph-test-XXXXXX";
    int descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    unlink(path);
    ck_assert_int_eq(ftruncate(descriptor, 8192), 0);
    char *mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    check_not_found(mapped + 5000);
    /* An ELF header alone, with absurd offsets, does not lead anywhere either. */
    memcpy(mapped, ELFMAG, SELFMAG);
    mapped[EI_CLASS] = ELFCLASS64;
    memset(mapped + 16, 0xff, 48);
    check_not_found(mapped + 5000);
    munmap(mapped, 8192);
    close(descriptor);
}
END_TEST

/* A program may map any number of them, one after the other. */
START_TEST(of_mapped_files_nothing_is_kept) {
    struct lgp_module module;
    char path[] = "/tmp/lockgraph-test-XXXXXX";
    int descriptor = mkstemp(path);
    ck_assert_int_eq(write(descriptor, path, sizeof path), sizeof path);
    ck_assert(find_in_maps((uintptr_t)check_found, &module));
    uint64_t used = lgp_memory_used();
    char *mapped = mmap(NULL, sizeof path, PROT_READ, MAP_PRIVATE, descriptor, 0);
    ck_assert_ptr_ne(mapped, MAP_FAILED);
    lgp_maps_changed();
    ck_assert(!find_in_maps((uintptr_t)mapped, &module));
    ck_assert(find_in_maps((uintptr_t)check_found, &module));
    ck_assert_uint_eq(lgp_memory_used(), used);
    munmap(mapped, sizeof path);
    close(descriptor);
    unlink(path);
}
END_TEST

START_TEST(libraries_that_come_and_go) {
    for (int round = 0; round < 3; round++) {
        void *library = dlopen(EXTRA_LIBRARY, RTLD_NOW);
        ck_assert_msg(library != NULL, "%s", dlerror());
        struct link_map *map;
        ck_assert_int_eq(dlinfo(library, RTLD_DI_LINKMAP, &map), 0);
        const void *inside = (const void *)map->l_ld;
        check_found(inside);
        ck_assert_int_eq(dlclose(library), 0);
        lgp_maps_changed();
        check_not_found(inside);
    }
}
END_TEST

/* Whoever confined himself after the first look loses nothing: what is there is not read again. */
START_TEST(an_object_is_read_once_with_all_others) {
    struct lgp_module before, module;
    struct link_map *map;
    void *library = dlopen(EXTRA_LIBRARY, RTLD_NOW);
    ck_assert_int_eq(dlinfo(library, RTLD_DI_LINKMAP, &map), 0);
    ck_assert(find_in_maps_safely((uintptr_t)map->l_ld, &before));
    ck_assert(find_in_maps((uintptr_t)check_found, &module)); /* of the others' */
    ck_assert_int_eq(mprotect((void *)before.start, 4096, PROT_NONE), 0);
    ck_assert(!find_in_maps_safely((uintptr_t)map->l_ld, &module));
    ck_assert(find_in_maps((uintptr_t)map->l_ld, &module));
    ck_assert_uint_eq(module.bias, before.bias);
    ck_assert_uint_eq(module.end, before.end);
    ck_assert_uint_eq(module.build_id_length, before.build_id_length);
    ck_assert_mem_eq(module.build_id, before.build_id, before.build_id_length);
    ck_assert_int_eq(mprotect((void *)before.start, 4096, PROT_READ | PROT_EXEC), 0); /* as on aarch64 */
    dlclose(library);
}
END_TEST

/* dlclose gives the memory back before the loader forgets the object. */
static void take_memory_of(const struct lgp_module *library) {
    struct lgp_module module;
    void *start = (void *)library->start;
    ck_assert_int_eq(munmap(start, library->end - library->start), 0);
    ck_assert(!look_safely(library->start, &module));
    ck_assert_ptr_eq(mmap(start, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), start);
    ck_assert(!look_safely(library->start, &module)); /* other memory is at its place */
    _exit(0);                                         /* not exit: the library would run */
}

START_TEST(a_library_whose_memory_is_gone) {
    struct lgp_module module;
    struct link_map *map;
    int status;
    void *library = dlopen(EXTRA_LIBRARY, RTLD_NOW);
    ck_assert_int_eq(dlinfo(library, RTLD_DI_LINKMAP, &map), 0);
    ck_assert(lgp_module_find((uintptr_t)map->l_ld, &module));
    pid_t pid = fork();
    if (pid == 0)
        take_memory_of(&module);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}
END_TEST

static _Atomic bool enough;
static _Atomic uintptr_t inside; /* the library that comes and goes */

static void *come_and_go(void *unused) {
    while (!enough) {
        struct link_map *map;
        void *library = dlopen(EXTRA_LIBRARY, RTLD_NOW);
        if (library != NULL && dlinfo(library, RTLD_DI_LINKMAP, &map) == 0)
            inside = (uintptr_t)map->l_ld;
        if (library != NULL)
            dlclose(library);
        lgp_maps_changed(); /* as the runtime does after it: until then a copy may be kept that missed the
                               library */
    }
    return unused;
}

START_TEST(a_library_that_goes_while_it_is_looked_at) {
    struct lgp_module module;
    pthread_t thread;
    unsigned seen = 0;
    ck_assert_int_eq(pthread_create(&thread, NULL, come_and_go, NULL), 0);
    for (int i = 0; seen < 200 || i < 20000; i++)
        seen += ways[_i](inside, &module) && module.build_id_length != 0;
    enough = true;
    pthread_join(thread, NULL);
}
END_TEST

/* Our own first page again, with nothing readable behind it. */
static uint8_t *copy_first_page(void) {
    enum { PAGE = 4096 };
    struct lgp_module self;
    uint8_t *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_int_eq(mprotect(page + PAGE, PAGE, PROT_NONE), 0);
    ck_assert(lgp_module_find((uintptr_t)&initialised, &self));
    memcpy(page, (const void *)self.start, PAGE);
    return page;
}

static bool read_page(const uint8_t *page) {
    struct lgp_image image;
    return lgp_image_read(page, (uintptr_t)page, &image);
}

START_TEST(damaged_headers_are_refused) {
    uint8_t *page = copy_first_page();
    ElfW(Ehdr) *header = (ElfW(Ehdr) *)page;
    ElfW(Ehdr) good = *header;
    ck_assert(read_page(page));
    header->e_ident[0] = 0;
    ck_assert(!read_page(page));
    *header = good;
    header->e_ident[EI_CLASS] = ELFCLASS32;
    ck_assert(!read_page(page));
    *header = good;
    header->e_phoff = 4000;
    ck_assert(!read_page(page));
    header->e_phoff = UINT64_MAX - 8;
    ck_assert(!read_page(page));
    *header = good;
    header->e_phnum = 0xffff;
    ck_assert(!read_page(page));
    header->e_phnum = 0;
    ck_assert(!read_page(page));
    *header = good;
    header->e_phentsize = 1;
    ck_assert(!read_page(page));
}
END_TEST

/* A note segment that claims to reach behind what may be read is left alone. */
static const uintptr_t outside[] = {4096 - 16, 4096, 4096 + 64};

START_TEST(notes_behind_the_limit_are_not_read) {
    uint8_t id[LGP_BUILD_ID], *page = copy_first_page();
    const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)page;
    memset(page + 4096 - 16, 0, 16); /* reads as a note, with more to follow */
    ElfW(Phdr) *segments = (ElfW(Phdr) *)(page + header->e_phoff);
    for (size_t i = 0; i < header->e_phnum; i++) {
        if (segments[i].p_type == PT_LOAD)
            segments[i].p_filesz = segments[i].p_memsz = 1 << 20;
        if (segments[i].p_type == PT_NOTE)
            segments[i].p_vaddr = outside[_i], segments[i].p_filesz = 64;
    }
    ck_assert(read_page(page));
    ck_assert_uint_eq(lgp_image_build_id(page, (uintptr_t)page, (uintptr_t)page + 4096, lgp_read_safely, id),
                      0);
}
END_TEST

int main(void) {
    lgp_modules_start();
    Suite *suite = suite_create("platform modules");
    TCase *cases = tcase_create("modules");
    tcase_set_timeout(cases, 60); /* on a busy machine a library comes and goes slowly */
    tcase_add_test(cases, own_code_and_data);
    tcase_add_test(cases, libraries);
    tcase_add_test(cases, memory_of_no_object);
    tcase_add_test(cases, mapped_files_are_no_objects);
    tcase_add_test(cases, of_mapped_files_nothing_is_kept);
    tcase_add_test(cases, libraries_that_come_and_go);
    tcase_add_test(cases, an_object_is_read_once_with_all_others);
    tcase_add_test(cases, a_library_whose_memory_is_gone);
    tcase_add_loop_test(cases, a_library_that_goes_while_it_is_looked_at, 2, WAYS);
    tcase_add_test(cases, damaged_headers_are_refused);
    tcase_add_loop_test(cases, notes_behind_the_limit_are_not_read, 0, sizeof(outside) / sizeof(outside[0]));
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
