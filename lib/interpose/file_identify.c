#include "interpose/file_identify.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/system.h"

/* ---- which file ---- */

/* Kernels before 4.11, and sandboxes that know nothing of statx. */
static bool identify_by_fstat(int descriptor, struct lge_file_key *key) {
    struct stat status;
    if (lgp_syscall(SYS_fstat, descriptor, (long)&status, 0, 0, 0, 0) != 0)
        return false;
    key->device = status.st_dev;
    key->inode = status.st_ino;
    return true;
}

static uint64_t birth(const struct statx *status) {
    if ((status->stx_mask & STATX_BTIME) == 0)
        return 0;
    return (uint64_t)status->stx_btime.tv_sec * 1000000000 + status->stx_btime.tv_nsec;
}

bool lgi_file_identify(int descriptor, bool ranges, struct lge_file_key *key) {
    struct statx status;
    *key = (struct lge_file_key){.last = LGE_FILE_END, .ranges = ranges};
    if (lgp_syscall(SYS_statx, descriptor, (long)"", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, (long)&status,
                    0) != 0)
        return identify_by_fstat(descriptor, key);
    key->device = (uint64_t)status.stx_dev_major << 32 | status.stx_dev_minor;
    key->inode = status.stx_ino;
    key->birth = birth(&status);
    return true;
}

/* ---- which bytes ---- */

static bool size_of(int descriptor, int64_t *size) {
    struct stat status;
    long result = lgp_syscall(SYS_fstat, descriptor, (long)&status, 0, 0, 0, 0);
    *size = status.st_size;
    return result == 0;
}

static bool base_of(int descriptor, const struct flock *range, int64_t *base) {
    switch (range->l_whence) {
    case SEEK_SET:
        *base = 0;
        return true;
    case SEEK_CUR:
        *base = lgp_syscall(SYS_lseek, descriptor, 0, SEEK_CUR, 0, 0, 0);
        return *base >= 0;
    case SEEK_END:
        return size_of(descriptor, base);
    default:
        return false;
    }
}

/* fcntl(2): a negative length is what stands before the start, and none goes on
 * for ever. */
bool lgi_file_narrow(int descriptor, const struct flock *range, struct lge_file_key *key) {
    int64_t start, length = range->l_len;
    if (!base_of(descriptor, range, &start) || __builtin_add_overflow(start, range->l_start, &start))
        return false;
    if (length < 0) {
        start += length;
        length = -length;
    }
    if (start < 0)
        return false;
    key->first = (uint64_t)start;
    key->last = length == 0 ? LGE_FILE_END : (uint64_t)start + (uint64_t)length - 1;
    return true;
}

/* ---- its name ---- */

/* A file that was removed keeps the name it had. */
static long without_deleted(const char *path, long length) {
    static const char deleted[] = " (deleted)";
    const long end = (long)sizeof deleted - 1;
    bool gone = length > end && memcmp(path + length - end, deleted, (size_t)end) == 0;
    return gone ? length - end : length;
}

/* Straight into the text, which has room for it: a path on the stack of a thread
 * of the program would be much. */
static void put_path(int descriptor, const struct lge_file_key *key, struct lgp_text *name) {
    char link[64], *path = name->buffer + name->length;
    struct lgp_text at = {link, sizeof link, 0};
    lgp_format(&at, "/proc/self/fd/%d", descriptor);
    long room = (long)(name->size - name->length) - LGI_FILE_NAME_ROUND;
    long length = lgp_syscall(SYS_readlinkat, AT_FDCWD, (long)link, (long)path, room, 0, 0);
    if (length <= 0) {
        lgp_format(name, "inode %lu", (unsigned long)key->inode);
        return;
    }
    length = without_deleted(path, length);
    path[length] = '\0';
    name->length += (size_t)length;
}

void lgi_file_name(int descriptor, const struct lge_file_key *key, struct lgp_text *name) {
    lgp_format(name, key->ranges ? "fcntl " : "flock ");
    put_path(descriptor, key, name);
    if (key->last != LGE_FILE_END)
        lgp_format(name, " [%lu, %lu)", (unsigned long)key->first, (unsigned long)key->last + 1);
    else if (key->first != 0)
        lgp_format(name, " [%lu, end)", (unsigned long)key->first);
}

/* ---- what the kernel says ---- */

/* proc(5): one "lock:" line in /proc/self/fdinfo for each lock of this open file
 * description.  -1: it cannot be read. */
static long read_information(int descriptor, char *text, size_t size) {
    char name[64];
    struct lgp_text at = {name, sizeof name, 0};
    lgp_format(&at, "/proc/self/fdinfo/%d", descriptor);
    long file = lgp_open_to_read(name, 0);
    if (file < 0)
        return -1;
    long length = lgp_syscall(SYS_read, file, (long)text, (long)size - 1, 0, 0, 0);
    lgp_close(file);
    text[length > 0 ? length : 0] = '\0';
    return length;
}

bool lgi_file_lock_there(int descriptor, bool ranges) {
    char text[2048];
    if (read_information(descriptor, text, sizeof text) > 0)
        return strstr(text, ranges ? "OFDLCK" : "FLOCK") != NULL;
    /* Either there is no such descriptor any more, or no /proc. */
    return lgp_syscall(SYS_fcntl, descriptor, F_GETFD, 0, 0, 0, 0) >= 0;
}
