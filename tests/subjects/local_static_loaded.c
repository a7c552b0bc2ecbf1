/* The static variables of a C++ library that nobody else can see, in a program that is
 * not C++ (__cxa_guard_acquire, __cxa_guard_release are the runtime's own there): tried again after
 * exceptions by two threads, and one that needs itself.
 *
 * transcript
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "local_static.h"

/* C++ ends a program in which one thread asks for what it is at; before GCC 11 its library waits for ever. */
static void ask_for_itself(void) {
    static char name[] = "use_itself";
    int status;
    fflush(stdout);
    if (fork() == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        alarm(5);
        call(name);
        _exit(0);
    }
    wait(&status);
    printf("ended by signal %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

int main(void) {
    static char thrower[] = "use_thrower";
    if (!load())
        return 1;
    ask_for_itself();
    in_two_threads(thrower, thrower);
    return 0;
}
