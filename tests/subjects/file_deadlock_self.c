/* One thread that locks a file through two descriptions: the second waits for the
 * first.
 *
 * deadlock
 * expect: self-deadlock actual error
 * edge: HELD once -> WANTED again
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>

int main(void) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", memfd_create("first", 0));
    int one = open(path, O_RDWR), other = open(path, O_RDWR);
    flock(one, LOCK_SH);   /* HELD once */
    flock(other, LOCK_EX); /* WANTED again */
    return 0;
}
