#include "platform/safe_read.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "platform/system.h"

/* The kernel reads from `address`, or answers EFAULT. */
static bool pass_through(const int ends[2], void *to, const void *address, size_t size) {
    return lgp_syscall(SYS_write, ends[1], (long)address, (long)size, 0, 0, 0) == (long)size &&
           lgp_syscall(SYS_read, ends[0], (long)to, (long)size, 0, 0, 0) == (long)size;
}

/* A pipe for each read: a descriptor that is kept may be closed by the program,
 * and its number become another file's.  As much as an empty pipe takes at once. */
bool lgp_read_by_pipe(void *to, const void *address, size_t size) {
    int ends[2];
    if (size > PIPE_BUF || lgp_syscall(SYS_pipe2, (long)ends, O_CLOEXEC | O_NONBLOCK, 0, 0, 0, 0) != 0)
        return false;
    bool whole = pass_through(ends, to, address, size);
    lgp_close(ends[0]);
    lgp_close(ends[1]);
    return whole;
}

/* By the thread, since the main one may have ended before us: the process has no memory by its
 * number then. */
long lgp_read_pieces(void *to, size_t room, const struct iovec *pieces, size_t count) {
    struct iovec local = {to, room};
    return lgp_syscall(SYS_process_vm_readv, (long)lgp_tid(), (long)&local, 1, (long)pieces, (long)count, 0);
}

bool lgp_read_safely(void *to, const void *address, size_t size) {
    struct iovec piece = {(void *)(uintptr_t)address, size};
    long got = lgp_read_pieces(to, size, &piece, 1);
    return got == (long)size || (got == -ENOSYS && lgp_read_by_pipe(to, address, size));
}

/* No piece crosses a page: the next one may be gone. */
bool lgp_read_text_safely(char *to, const char *from, size_t room) {
    enum { PIECE = 64 };
    while (room > 0) {
        size_t piece = PIECE - ((uintptr_t)from & (PIECE - 1));
        if (piece > room)
            piece = room;
        if (!lgp_read_safely(to, from, piece))
            return false;
        if (memchr(to, '\0', piece) != NULL)
            return true;
        to += piece;
        from += piece;
        room -= piece;
    }
    return false;
}
