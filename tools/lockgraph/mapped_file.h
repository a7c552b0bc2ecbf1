/* Files that processes have mapped, as proc(5) tells of them. */
#ifndef LOCKGRAPH_COMMAND_MAPPED_FILE_H
#define LOCKGRAPH_COMMAND_MAPPED_FILE_H

#include <stdbool.h>
#include <sys/types.h>

/* A file as a line of /proc/PID/maps names it. */
struct mapped_file {
    unsigned major, minor;
    unsigned long inode;
    bool shared;
    const char *path; /* in the line */
};

/* False: that line is not about a file. */
bool mapped_file_parse(const char *line, struct mapped_file *file);

/* As a line would name the file at `path`, without `path` and `shared`.  stat(2) is not asked:
 * of btrfs and overlayfs it may tell another device.  False: it cannot be mapped. */
bool mapped_file_of(const char *path, struct mapped_file *file);

bool mapped_file_same(const struct mapped_file *one, const struct mapped_file *other);

enum file_mapping { FILE_MAPPING_UNKNOWN, FILE_MAPPED, FILE_NOT_MAPPED };

/* Whether process `pid` has the file at `path` mapped and shared; unknown where its maps may
 * not be read, or the file not. */
enum file_mapping file_mapping(pid_t pid, const char *path);

#endif
