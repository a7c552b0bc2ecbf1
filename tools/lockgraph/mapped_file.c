#include "mapped_file.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* proc(5): "00400000-00452000 rw-s 00000000 08:02 173521  /path". */
bool mapped_file_parse(const char *line, struct mapped_file *file) {
    char permissions[5] = "";
    int at = 0;
    if (sscanf(line, "%*x-%*x %4s %*x %x:%x %lu %n", permissions, &file->major, &file->minor, &file->inode,
               &at) != 4 ||
        at == 0 || line[at] != '/')
        return false;
    file->shared = permissions[3] == 's';
    file->path = line + at;
    return true;
}

bool mapped_file_same(const struct mapped_file *one, const struct mapped_file *other) {
    return one->inode == other->inode && one->major == other->major && one->minor == other->minor;
}

/* ---- one of our own ---- */

static bool find_address(const void *address, struct mapped_file *file) {
    FILE *maps = fopen("/proc/self/maps", "re");
    char *line = NULL;
    size_t size = 0;
    bool found = false;
    while (maps && !found && getline(&line, &size, maps) > 0)
        found = strtoul(line, NULL, 16) == (uintptr_t)address && mapped_file_parse(line, file);
    free(line);
    if (maps)
        fclose(maps);
    file->path = NULL;
    return found;
}

bool mapped_file_of(const char *path, struct mapped_file *file) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0)
        return false;
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_NONE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (page == MAP_FAILED)
        return false;
    bool found = find_address(page, file);
    munmap(page, size);
    return found;
}

/* ---- those of another process ---- */

static bool has_mapped(FILE *maps, const struct mapped_file *wanted) {
    struct mapped_file file;
    char *line = NULL;
    size_t size = 0;
    bool found = false;
    while (!found && getline(&line, &size, maps) > 0)
        found = mapped_file_parse(line, &file) && file.shared && mapped_file_same(&file, wanted);
    free(line);
    return found;
}

enum file_mapping file_mapping(pid_t pid, const char *path) {
    char name[32];
    struct mapped_file wanted;
    snprintf(name, sizeof name, "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(name, "re");
    if (!maps)
        return FILE_MAPPING_UNKNOWN;
    enum file_mapping mapping = FILE_MAPPING_UNKNOWN;
    if (mapped_file_of(path, &wanted))
        mapping = has_mapped(maps, &wanted) ? FILE_MAPPED : FILE_NOT_MAPPED;
    fclose(maps);
    return mapping;
}
