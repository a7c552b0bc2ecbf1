/* Every name that exec has, from a child of fork and of vfork, and posix_spawn:
 * arguments, environment and errors are those of libc.
 *
 * transcript
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *program;
extern char **environ;

/* The environment to give on: ours has what `lockgraph run` set. */
static char **with(char *more) {
    size_t count = 0;
    while (environ[count] != NULL)
        count++;
    char **copy = calloc(count + 2, sizeof *copy);
    memcpy(copy, environ, count * sizeof *copy);
    copy[count] = more;
    return copy;
}

/* glibc has it since 2.34. */
static int exec_at(char **arguments, char **environment) {
#if __GLIBC_PREREQ(2, 34)
    return execveat(AT_FDCWD, program, arguments, environment, 0);
#else
    return (int)syscall(SYS_execveat, AT_FDCWD, program, arguments, environment, 0);
#endif
}

static int call(int which) {
    char *arguments[] = {(char *)"program", (char *)"shown", (char *)"in an array", NULL};
    char **more = with((char *)"GIVEN=yes");
    switch (which) {
    case 0:
        return execve(program, arguments, more);
    case 1:
        return execv(program, arguments);
    case 2:
        return execvp(program, arguments);
    case 3:
        return execvpe(program, arguments, more);
    case 4:
        return fexecve(open(program, O_RDONLY | O_CLOEXEC), arguments, more);
    case 5:
        return exec_at(arguments, more);
    case 6:
        return execl(program, "program", "shown", "a", "b", "c", (char *)NULL);
    case 7:
        return execlp(program, "program", "shown", "one", (char *)NULL);
    case 8:
        return execle(program, "program", "shown", (char *)NULL, more);
    case 9:
        return execl("/nowhere/at all", "program", (char *)NULL);
    case 10:
        return execlp("no program of that name", "program", (char *)NULL);
    default:
        return execve("/", arguments, more);
    }
}

static void show(pid_t pid) {
    int status = -1;
    waitpid(pid, &status, 0);
    printf("  ended %d\n", WEXITSTATUS(status));
    fflush(stdout);
}

static void each(int which) {
    printf("%d\n", which);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        int result = call(which);
        printf("  failed %d %d\n", result, errno);
        fflush(stdout);
        _exit(3);
    }
    show(pid);
}

static void from_vfork(void) {
    char *arguments[] = {(char *)"program", (char *)"shown", (char *)"vfork", NULL};
    pid_t pid = vfork();
    if (pid == 0) {
        execve("/nowhere/at all", arguments, environ);
        execve(program, arguments, environ);
        _exit(4);
    }
    show(pid);
}

static void spawned(void) {
    char *arguments[] = {(char *)"program", (char *)"shown", (char *)"spawn", NULL};
    pid_t pid = -1;
    printf("spawn %d\n", posix_spawn(&pid, program, NULL, NULL, arguments, environ));
    show(pid);
    printf("system %d\n", system("exit 5") >> 8);
}

int main(int argc, char **argv) {
    alarm(60);
    if (argc > 1) {
        for (int i = 0; i < argc; i++)
            printf("  [%s]", argv[i]);
        printf(" given %s\n", getenv("GIVEN") == NULL ? "no" : getenv("GIVEN"));
        return 7;
    }
    program = argv[0];
    for (int which = 0; which < 12; which++)
        each(which);
    from_vfork();
    spawned();
    return 0;
}
