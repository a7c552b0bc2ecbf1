/* Is killed by its child as soon as it is traced: while somebody looks at it.
 *
 * helper
 */
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_traced(pid_t pid) {
    char text[2048];
    snprintf(text, sizeof text, "/proc/%d/status", (int)pid);
    int file = open(text, O_RDONLY);
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    text[length > 0 ? length : 0] = 0;
    const char *tracer = strstr(text, "TracerPid:\t");
    return tracer && atoi(tracer + strlen("TracerPid:\t")) != 0;
}

int main(void) {
    pid_t parent = getpid();
    sem_t never;
    sem_init(&never, 1, 0); /* somebody else may post it: no stall */
    if (fork() == 0) {
        while (!is_traced(parent) && getppid() == parent)
            continue;
        kill(parent, SIGKILL);
        return 0;
    }
    sem_wait(&never);
    return 0;
}
