/* What glibc has from 2.34 on, for the subjects where it is older: nothing of it is
 * looked at there, so that calls which are will do. */
#ifndef SUBJECT_NEWER_LIBC_H
#define SUBJECT_NEWER_LIBC_H

#include <errno.h>
#include <features.h>
#include <unistd.h>

#if !__GLIBC_PREREQ(2, 34)
__attribute__((unused)) static int close_range(unsigned first, unsigned last, int flags) {
    if (first > last || flags != 0) {
        errno = EINVAL;
        return -1;
    }
    for (unsigned descriptor = first; descriptor <= last && descriptor < 1024; descriptor++)
        close((int)descriptor);
    return 0;
}
__attribute__((unused)) static void closefrom(int first) { close_range((unsigned)first, 1023, 0); }
__attribute__((unused)) static pid_t _Fork(void) { return fork(); }
#endif

#endif
