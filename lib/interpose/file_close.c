/* close(2) and its kin: what ends a lock without unlocking.  A description is
 * gone with its last descriptor; of a record lock any descriptor of the file is
 * enough.
 *
 * Only descriptors that something was locked through are looked at, and all
 * while the process holds record locks: otherwise it costs two loads. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "interpose/file.h"
#include "interpose/file_descriptors.h"
#include "interpose/file_identify.h"
#include "interpose/real.h"
#include "interpose/self.h"
#include "platform/system.h"

static inline bool matters(int descriptor) {
    return lgi_descriptor_marked(descriptor) || lge_file_holds_of_process() != 0;
}

static void end_record_locks(struct lge_thread *thread, int descriptor) {
    struct lge_file_key key;
    const struct lge_file_owner process = {.descriptor = descriptor};
    if (lge_file_holds_of_process() != 0 && lgi_file_identify(descriptor, true, &key))
        lge_file_hold_end(thread, &key, &process);
}

/* Before it is closed: afterwards another thread may get the same number. */
static void closing(int descriptor) {
    if (!lgi_files_followed())
        return;
    struct lge_thread *thread = lgi_enter();
    if (thread == NULL) { /* a handler interrupted the runtime */
        lge_file_locks_doubt();
        lge_file_holds_end_all();
        return;
    }
    uint64_t description = lgi_descriptor_gone(descriptor);
    if (description != 0)
        lge_file_hold_end_description(thread, description);
    end_record_locks(thread, descriptor);
    lgi_leave(thread);
}

LGI_EXPORT int close(int descriptor) {
    if (LGI_UNLIKELY(matters(descriptor)))
        closing(descriptor);
    return lgi_real.close(descriptor);
}

LGI_EXPORT int fclose(FILE *stream) {
    if (atomic_load_explicit(&lgi_descriptors_known, memory_order_relaxed) != 0 ||
        lge_file_holds_of_process() != 0) {
        int saved = errno, descriptor = fileno(stream);
        errno = saved;
        if (descriptor >= 0 && matters(descriptor))
            closing(descriptor);
    }
    return lgi_real.fclose(stream);
}

/* ---- dup2 ---- */

/* It closes what had the number, unless it fails, or does nothing. */
static void replacing(int from, int to) {
    if (from != to && matters(to) && lgp_syscall(SYS_fcntl, from, F_GETFD, 0, 0, 0, 0) >= 0)
        closing(to);
}

LGI_EXPORT int dup2(int from, int to) {
    replacing(from, to);
    return lgi_real.dup2(from, to);
}

LGI_EXPORT int dup3(int from, int to, int flags) {
    if ((flags & ~O_CLOEXEC) == 0)
        replacing(from, to);
    return lgi_real.dup3(from, to, flags);
}

/* ---- many at once ---- */

enum { UNSHARE = 2 }; /* CLOSE_RANGE_UNSHARE; with any other flag nothing is closed now */

/* Which of them are files of record locks would be a question for each. */
static void closing_range(unsigned first, unsigned last) {
    if (atomic_load_explicit(&lgi_descriptors_known, memory_order_relaxed) == 0 &&
        lge_file_holds_of_process() == 0)
        return;
    if (!lgi_files_followed() || first > last)
        return;
    if (lge_file_holds_of_process() != 0)
        lge_file_holds_end_all();
    for (int known; (known = lgi_descriptor_within(first, last)) >= 0; first = (unsigned)known + 1)
        closing(known);
}

/* glibc has both since 2.34. */
LGI_EXPORT int close_range(unsigned first, unsigned last, int flags) {
    if (lgi_real.close_range == NULL)
        lgi_real_start();
    if (lgi_real.close_range == NULL) {
        errno = ENOSYS;
        return -1;
    }
    if ((flags & ~UNSHARE) == 0)
        closing_range(first, last);
    return lgi_real.close_range(first, last, flags);
}

/* Linux 5.9, the same on every machine; glibc 2.31 has no name for it. */
enum { NR_CLOSE_RANGE = 436 };

LGI_EXPORT void closefrom(int first) {
    if (lgi_real.closefrom == NULL)
        lgi_real_start();
    closing_range(first < 0 ? 0 : (unsigned)first, UINT_MAX);
    if (lgi_real.closefrom != NULL)
        lgi_real.closefrom(first);
    else
        lgp_syscall(NR_CLOSE_RANGE, first < 0 ? 0 : first, UINT_MAX, 0, 0, 0, 0);
}
