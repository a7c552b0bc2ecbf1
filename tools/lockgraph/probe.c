#include "probe.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "symbols.h"
#include "text.h"

#define SCRIPT_DEPTH 5 /* as the kernel follows them */

static bool is_program(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static const char *in_path(struct pool *pool, const char *command) {
    if (strchr(command, '/'))
        return access(command, F_OK) == 0 ? command : NULL;
    const char *variable = getenv("PATH");
    char *copy = pool_string(pool, variable ? variable : "/bin:/usr/bin"), *next = copy;
    for (char *directory; (directory = strsep(&next, ":"));) {
        const char *path = pool_printf(pool, "%s/%s", directory[0] ? directory : ".", command);
        if (is_program(path))
            return path;
    }
    return NULL;
}

/* The loader drops LD_PRELOAD for programs that gain rights. */
static const char *gains_rights(struct pool *pool, const char *path) {
    struct stat status;
    if (stat(path, &status) != 0)
        return NULL;
    bool set_user = (status.st_mode & S_ISUID) && status.st_uid != getuid();
    bool set_group = (status.st_mode & S_ISGID) && status.st_gid != getgid();
    if (set_user || set_group)
        return pool_printf(pool, "%s is set%cid: the loader ignores LD_PRELOAD for it", path,
                           set_user ? 'u' : 'g');
    if (getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0)
        return pool_printf(pool, "%s has file capabilities: the loader ignores LD_PRELOAD for it", path);
    return NULL;
}

/* ---- ELF ---- */

static const char *interpreter(struct pool *pool, Elf *elf) {
    size_t count = 0, size = 0;
    const char *image = elf_rawfile(elf, &size);
    elf_getphdrnum(elf, &count);
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_INTERP)
            continue;
        if (image && header.p_filesz && header.p_offset < size && header.p_filesz <= size - header.p_offset)
            return pool_string_n(pool, image + header.p_offset, header.p_filesz - 1);
    }
    return NULL;
}

static const char *blind_elf(struct pool *pool, const char *path, Elf *elf) {
    GElf_Ehdr header;
    if (!gelf_getehdr(elf, &header))
        return NULL;
    if (header.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32))
        return pool_printf(pool, "%s is a %s-bit program, the runtime is not", path,
                           header.e_ident[EI_CLASS] == ELFCLASS32 ? "32" : "64");
    const char *loader = interpreter(pool, elf);
    if (!loader)
        return pool_printf(pool, "%s is statically linked: nothing can be loaded into it", path);
    if (!strstr(base_name(loader), "ld-linux"))
        return pool_printf(pool, "%s uses another libc than glibc (%s)", path, text_clean(pool, loader));
    return NULL;
}

/* Only AddressSanitizer refuses to run when it is not first. */
static const char *sanitizer_needed(struct pool *pool, Elf *elf) {
    Elf_Scn *section = NULL;
    while ((section = elf_nextscn(elf, section))) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_DYNAMIC)
            continue;
        Elf_Data *data = elf_getdata(section, NULL);
        GElf_Dyn entry;
        for (int i = 0; data && gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++) {
            const char *name =
                entry.d_tag == DT_NEEDED ? elf_strptr(elf, header.sh_link, entry.d_un.d_val) : NULL;
            if (name && strncmp(name, "libasan.so", 10) == 0)
                return text_clean(pool, name);
        }
    }
    return NULL;
}

static void probe_elf(struct pool *pool, int descriptor, struct probe *probe) {
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(descriptor, ELF_C_READ, NULL);
    if (elf && elf_kind(elf) == ELF_K_ELF) {
        probe->blind = blind_elf(pool, probe->path, elf);
        probe->sanitizer = sanitizer_needed(pool, elf);
    }
    elf_end(elf);
}

const char *probe_loader(struct pool *pool, const char *path) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return NULL;
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(descriptor, ELF_C_READ, NULL);
    const char *loader = elf && elf_kind(elf) == ELF_K_ELF ? interpreter(pool, elf) : NULL;
    elf_end(elf);
    close(descriptor);
    return loader;
}

/* "#!/usr/bin/env python3" is python3: what env will start. */
static const char *script_interpreter(struct pool *pool, char *line) {
    char *next = NULL;
    const char *first = strtok_r(line + 2, " \t\n", &next);
    const char *second = first ? strtok_r(NULL, " \t\n", &next) : NULL;
    if (first && second && strcmp(base_name(first), "env") == 0 && second[0] != '-')
        return in_path(pool, second);
    return first ? pool_string(pool, first) : NULL;
}

struct probe probe_program(struct pool *pool, const char *command) {
    struct probe probe = {.path = in_path(pool, command)};
    for (int depth = 0; probe.path && depth < SCRIPT_DEPTH; depth++) {
        char start[256] = "";
        probe.blind = gains_rights(pool, probe.path);
        int descriptor = probe.blind ? -1 : open(probe.path, O_RDONLY | O_CLOEXEC);
        if (descriptor < 0)
            return probe;
        ssize_t length = pread(descriptor, start, sizeof start - 1, 0);
        bool script = length > 2 && start[0] == '#' && start[1] == '!';
        if (!script)
            probe_elf(pool, descriptor, &probe);
        close(descriptor);
        const char *next = script ? script_interpreter(pool, start) : NULL;
        if (!next)
            return probe;
        probe.path = next;
    }
    return probe;
}
