#include "boot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEXADECIMAL = 16 };

static bool failed(const char *what, struct sd_error *error) {
    return sd_fail(error, 500, "boots", "%s: %s; choose another data_dir", what, strerror(errno));
}

static bool choose_name(struct sd_boot *boot, struct sd_error *error) {
    uint64_t number;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        return sd_fail(error, 500, "no_random", "getrandom: %s", strerror(errno));
    snprintf(boot->name, sizeof boot->name, "%016" PRIx64, number);
    return true;
}

/* It gets its name when it is locked: who finds it unlocked knows that its process is gone. */
static bool make_file(struct sd_boot *boot, const char *directory, struct sd_error *error) {
    char beside[SD_PATH + 64];
    snprintf(boot->path, sizeof boot->path, "%s/%s", directory, boot->name);
    snprintf(beside, sizeof beside, "%s/.%s", directory, boot->name);
    boot->fd = open(beside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (boot->fd < 0)
        return failed(beside, error);
    if (flock(boot->fd, LOCK_EX | LOCK_NB) == 0 && rename(beside, boot->path) == 0)
        return true;
    failed(beside, error);
    unlink(beside);
    close(boot->fd);
    boot->fd = -1;
    return false;
}

/* Only what has such a name is one of ours. */
static bool is_name(const char *name) {
    return strlen(name) == HEXADECIMAL && strspn(name, "0123456789abcdef") == HEXADECIMAL;
}

static void sweep(const char *data_dir, const char *directory) {
    DIR *all = opendir(directory);
    const struct dirent *one;
    while (all != NULL && (one = readdir(all)) != NULL)
        if (is_name(one->d_name))
            sd_boot_lives(data_dir, one->d_name);
    if (all != NULL)
        closedir(all);
}

bool sd_boot_open(struct sd_boot *boot, const char *data_dir, struct sd_error *error) {
    char directory[SD_PATH + 16];
    boot->fd = -1;
    snprintf(directory, sizeof directory, "%s/boots", data_dir);
    if (mkdir(directory, 0750) != 0 && errno != EEXIST)
        return failed(directory, error);
    sweep(data_dir, directory);
    return choose_name(boot, error) && make_file(boot, directory, error);
}

void sd_boot_close(struct sd_boot *boot) {
    if (boot->fd < 0)
        return;
    unlink(boot->path);
    close(boot->fd);
    boot->fd = -1;
}

/* Of one that is gone the file goes, too; its name is never used again. */
bool sd_boot_lives(const char *data_dir, const char *name) {
    char path[SD_PATH + 64];
    if (!is_name(name))
        return false;
    snprintf(path, sizeof path, "%s/boots/%s", data_dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno != ENOENT;
    bool gone = flock(fd, LOCK_SH | LOCK_NB) == 0;
    if (gone)
        unlink(path);
    close(fd);
    return !gone;
}
