/* Growth of the evidence file: descriptor checks, disk space, mappings. */
#include "record/writer_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "platform/system.h"
#include "record/format.h"

static bool refers_to_file(const struct lgr_output *output, long descriptor) {
    struct stat status;
    if (lgp_syscall(SYS_fstat, descriptor, (long)&status, 0, 0, 0, 0) != 0)
        return false;
    /* A file somebody cut short would answer our next store with SIGBUS. */
    return (uint64_t)status.st_dev == output->device && (uint64_t)status.st_ino == output->inode &&
           (uint64_t)status.st_size >= output->allocated;
}

/* The program closed our descriptor, perhaps to use its number: that one is
 * the program's now and stays untouched. */
static long reopen(struct lgr_output *output) {
    output->descriptor = -1;
    if (!output->named)
        return -EBADF;
    long descriptor =
        lgp_syscall(SYS_openat, AT_FDCWD, (long)output->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0, 0, 0);
    if (descriptor < 0)
        return -EBADF;
    if (!refers_to_file(output, descriptor)) {
        lgp_close(descriptor);
        return -EBADF;
    }
    output->descriptor = lgp_high_descriptor((int)descriptor);
    return 0;
}

/* Past RLIMIT_FSIZE even an allocation raises SIGXFSZ, which kills. */
static bool size_allowed(uint64_t size) {
    struct rlimit limit;
    if (lgp_syscall(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, (long)&limit, 0, 0) != 0)
        return true;
    return limit.rlim_cur == RLIM_INFINITY || size <= (uint64_t)limit.rlim_cur;
}

static long write_zeros(int descriptor, uint64_t offset, uint64_t end) {
    static const char zeros[4096];
    while (offset < end) {
        size_t part = end - offset < sizeof zeros ? (size_t)(end - offset) : sizeof zeros;
        long result = lgp_syscall(SYS_pwrite64, descriptor, (long)zeros, (long)part, (long)offset, 0, 0);
        if (result == -EINTR)
            continue;
        if (result <= 0)
            return result < 0 ? result : -ENOSPC;
        offset += (uint64_t)result;
    }
    return 0;
}

static long allocate_blocks(int descriptor, uint64_t offset, uint64_t end) {
    long result;
    do
        result = lgp_syscall(SYS_fallocate, descriptor, 0, (long)offset, (long)(end - offset), 0, 0);
    while (result == -EINTR);
    if (result == -EOPNOTSUPP || result == -ENOSYS)
        return write_zeros(descriptor, offset, end);
    return result;
}

/* Blocks on disk first, so that no store to the mapping can meet a full disk. */
static long allocate_to(struct lgr_output *output, uint64_t end) {
    if (!refers_to_file(output, output->descriptor)) {
        long found = reopen(output);
        if (found != 0)
            return found;
    }
    if (!size_allowed(end))
        return -EFBIG;
    long result = allocate_blocks(output->descriptor, output->allocated, end);
    if (result == 0)
        output->allocated = end;
    return result;
}

static long reserve_segment(struct lgr_output *output, unsigned index) {
    size_t size = (size_t)LGR_SEGMENT_CHUNKS * LGR_CHUNK << index;
    long address =
        lgp_syscall(SYS_mmap, 0, (long)size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (lgp_is_error(address))
        return address;
    output->segments[index] = (char *)address;
    return 0;
}

static long map_chunk(struct lgr_output *output, char **chunk) {
    uint64_t number = output->mapped / LGR_CHUNK;
    unsigned index = 63u - (unsigned)__builtin_clzll(number / LGR_SEGMENT_CHUNKS + 1);
    uint64_t first = LGR_SEGMENT_CHUNKS * ((UINT64_C(1) << index) - 1);
    if (index >= LGR_SEGMENTS)
        return -EFBIG;
    long result = output->segments[index] ? 0 : reserve_segment(output, index);
    if (result != 0)
        return result;
    char *place = output->segments[index] + (number - first) * LGR_CHUNK;
    long address = lgp_syscall(SYS_mmap, (long)place, LGR_CHUNK, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_FIXED, output->descriptor, (long)output->mapped);
    if (lgp_is_error(address))
        return address;
    *chunk = place;
    return 0;
}

long lgr_output_grow(struct lgr_output *output, size_t size, char **chunk) {
    long result = allocate_to(output, output->mapped + size);
    if (result == 0)
        result = map_chunk(output, chunk);
    if (result == 0)
        output->mapped += LGR_CHUNK;
    return result;
}

long lgr_output_complete(struct lgr_output *output) {
    return output->allocated < output->mapped ? allocate_to(output, output->mapped) : 0;
}

void lgr_output_drop(struct lgr_output *output) {
    for (unsigned i = 0; i < LGR_SEGMENTS; i++) {
        if (output->segments[i])
            lgp_syscall(SYS_munmap, (long)output->segments[i],
                        (long)((size_t)LGR_SEGMENT_CHUNKS * LGR_CHUNK << i), 0, 0, 0, 0);
        output->segments[i] = NULL;
    }
    if (output->descriptor >= 0 && refers_to_file(output, output->descriptor))
        lgp_close(output->descriptor);
    output->descriptor = -1;
    output->allocated = 0;
    output->mapped = 0;
}
