/* Threads that wait for files: one that a thread of this process has locked, which
 * sleeps; and one that another process has locked, of which nobody knows here.
 *
 * helper
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

static int ours[2], childs;

static void *wait_for_thread(void *unused) {
    flock(ours[1], LOCK_EX); /* WAITS here */
    return unused;
}

static void *wait_for_process(void *unused) {
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    fcntl(childs, F_SETLKW, &range); /* WAITS there */
    return unused;
}

/* Said through the pipe: the child has it. */
static void lock_in_child(void) {
    int said[2];
    char word = 0;
    if (pipe(said) != 0 || fork() != 0) {
        if (read(said[0], &word, 1) != 1)
            perror("read");
        return;
    }
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    fcntl(childs, F_SETLK, &range);
    if (write(said[1], &word, 1) != 1)
        perror("write");
    for (;;)
        pause();
}

int main(void) {
    pthread_t thread;
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", memfd_create("ours", 0));
    for (int i = 0; i < 2; i++)
        ours[i] = open(path, O_RDWR);
    childs = memfd_create("childs", 0);
    lock_in_child();
    flock(ours[0], LOCK_EX); /* LOCKED here */
    pthread_create(&thread, NULL, wait_for_thread, NULL);
    pthread_create(&thread, NULL, wait_for_process, NULL);
    for (;;)
        pause();
}
