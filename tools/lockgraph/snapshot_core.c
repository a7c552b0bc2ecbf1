/* The snapshot that a core file is: core(5), elf(5). */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/user.h>
#include <unistd.h>

#include "command.h"
#include "module_file.h"
#include "snapshot.h"
#include "text.h"

struct core {
    int descriptor;
    Elf *elf;
    size_t size;
    const uint8_t *bytes;
};

#if defined(__x86_64__)
#define MACHINE EM_X86_64
/* The arguments stand in their registers; where the first one is overwritten by the
 * result, as on aarch64, a core file does not tell. */
static struct futex_wait futex_in(const struct user_regs_struct *user) {
    return snapshot_futex((long)user->orig_rax, (uint64_t[]){user->rdi, user->rsi, user->rdx, user->r10});
}
#else
#define MACHINE EM_AARCH64
static struct futex_wait futex_in(const struct user_regs_struct *user) {
    (void)user;
    return (struct futex_wait){0};
}
#endif

static void add_thread(struct snapshot *snapshot, const void *description, size_t size) {
    struct elf_prstatus status;
    struct user_regs_struct user;
    if (size < sizeof status)
        return;
    memcpy(&status, description, sizeof status);
    memcpy(&user, &status.pr_reg, sizeof user);
    struct snapshot_thread thread = {
        .tid = (uint32_t)status.pr_pid, .inner_tid = (uint32_t)status.pr_pid, .name = ""};
    snapshot_set_registers(&thread, &user);
    if (snapshot_interrupted(&user))
        thread.futex = futex_in(&user);
    snapshot_add_thread(snapshot, &thread);
}

static void note_program(struct snapshot *snapshot, const void *description, size_t size) {
    struct elf_prpsinfo info;
    char name[sizeof info.pr_fname + 1] = "";
    if (size < sizeof info)
        return;
    memcpy(&info, description, sizeof info);
    memcpy(name, info.pr_fname, sizeof info.pr_fname);
    snapshot->program = text_clean(snapshot->pool, name);
    snapshot->pid = info.pr_pid;
}

static void read_notes(struct snapshot *snapshot, Elf *elf, const GElf_Phdr *header) {
    Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)header->p_offset, header->p_filesz,
                                          header->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
    GElf_Nhdr note;
    size_t name, description;
    for (size_t at = 0; data && (at = gelf_getnote(data, at, &note, &name, &description)) > 0;) {
        const char *bytes = data->d_buf;
        if (note.n_namesz < 4 || memcmp(bytes + name, "CORE", 4) != 0)
            continue;
        if (note.n_type == NT_PRSTATUS)
            add_thread(snapshot, bytes + description, note.n_descsz);
        else if (note.n_type == NT_PRPSINFO)
            note_program(snapshot, bytes + description, note.n_descsz);
    }
}

static void read_segments(struct snapshot *snapshot, const struct core *core) {
    size_t count = 0;
    if (elf_getphdrnum(core->elf, &count) != 0)
        return;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(core->elf, (int)i, &header) || header.p_offset > core->size)
            continue;
        size_t there = core->size - header.p_offset;
        size_t size = header.p_filesz < there ? header.p_filesz : there;
        if (header.p_type == PT_NOTE)
            read_notes(snapshot, core->elf, &header);
        else if (header.p_type == PT_LOAD && size != 0)
            snapshot_add_piece(snapshot, header.p_vaddr, core->bytes + header.p_offset, size);
    }
}

/* The main thread first: a core file begins with the one that was hit. */
static void put_main_first(struct snapshot *snapshot) {
    for (size_t i = 1; i < snapshot->thread_count; i++)
        if (snapshot->threads[i].tid == (uint32_t)snapshot->pid) {
            struct snapshot_thread main_thread = snapshot->threads[i];
            memmove(snapshot->threads + 1, snapshot->threads, i * sizeof main_thread);
            snapshot->threads[0] = main_thread;
        }
}

/* What ran in a container is below its root; libdwfl looks at the build id. */
static int find_elf(Dwfl_Module *module, void **user_data, const char *name, Dwarf_Addr base,
                    char **file_name, Elf **elf) {
    const struct symbol_paths *paths = command_symbol_paths();
    struct pool pool = {0};
    const char *found = NULL;
    int descriptor = paths->sysroot && name[0] == '/' ? module_file_open(&pool, paths, name, &found) : -1;
    if (descriptor >= 0)
        *file_name = strdup(found);
    pool_free(&pool);
    return descriptor >= 0 ? descriptor
                           : dwfl_build_id_find_elf(module, user_data, name, base, file_name, elf);
}

static const Dwfl_Callbacks callbacks = {
    .find_elf = find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
};

static bool open_core(struct core *core, const char *file) {
    GElf_Ehdr header;
    core->descriptor = open(file, O_RDONLY | O_CLOEXEC);
    if (core->descriptor < 0)
        return false;
    elf_version(EV_CURRENT);
    core->elf = elf_begin(core->descriptor, ELF_C_READ_MMAP, NULL);
    core->bytes = core->elf ? (const uint8_t *)elf_rawfile(core->elf, &core->size) : NULL;
    errno = 0;
    return core->bytes && elf_kind(core->elf) == ELF_K_ELF && gelf_getehdr(core->elf, &header) &&
           header.e_type == ET_CORE && header.e_machine == MACHINE;
}

static void close_core(struct core *core) {
    if (core->elf)
        elf_end(core->elf);
    if (core->descriptor >= 0)
        close(core->descriptor);
}

static bool find_modules(struct snapshot *snapshot, const struct core *core) {
    snapshot->dwfl = dwfl_begin(&callbacks);
    return snapshot->dwfl && dwfl_core_file_report(snapshot->dwfl, core->elf, NULL) >= 0 &&
           dwfl_report_end(snapshot->dwfl, NULL, NULL) == 0;
}

bool snapshot_core(struct snapshot *snapshot, const char *file, const char **error) {
    struct core *core = pool_alloc(snapshot->pool, sizeof *core);
    const char *name = text_clean(snapshot->pool, file);
    snapshot->core = core;
    snapshot->program = "";
    *error = NULL;
    if (!open_core(core, file)) {
        *error = errno ? pool_printf(snapshot->pool, "%s: %s", name, strerror(errno))
                       : pool_printf(snapshot->pool, "%s is not a core file of this kind of machine", name);
    } else {
        read_segments(snapshot, core);
        put_main_first(snapshot);
        if (snapshot->thread_count == 0 || !find_modules(snapshot, core))
            *error = pool_printf(snapshot->pool, "%s names no threads or modules: it may be cut short", name);
    }
    if (*error)
        snapshot_end(snapshot);
    return *error == NULL;
}

void snapshot_end(struct snapshot *snapshot) {
    if (snapshot->dwfl)
        dwfl_end(snapshot->dwfl);
    if (snapshot->core)
        close_core(snapshot->core);
    free(snapshot->threads);
    free(snapshot->pieces);
    *snapshot = (struct snapshot){.pool = snapshot->pool};
}
