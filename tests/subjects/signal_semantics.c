/* What the calls about signal handlers return, and how handlers run: the same
 * with and without the runtime.
 *
 * transcript
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sigjmp_buf out;
static volatile sig_atomic_t runs;
static char stack[65536];

static void one(int number) {
    runs++;
    errno = number;
}
static void two(int number) { runs += number; }
static void leave(int number) { siglongjmp(out, number); }
static void with_info(int number, siginfo_t *info, void *context) {
    char here;
    runs++;
    printf("info: signal %d, code %d, value %d, context %d, on other stack %d\n", number == info->si_signo,
           info->si_code, info->si_value.sival_int, context != NULL,
           &here >= stack && &here < stack + sizeof stack);
}

static const char *name_of(void (*handler)(int)) {
    if (handler == SIG_DFL)
        return "default";
    if (handler == SIG_IGN)
        return "ignore";
    if (handler == SIG_ERR)
        return "error";
    if (handler == SIG_HOLD)
        return "hold";
    if (handler == one)
        return "one";
    if (handler == two)
        return "two";
    if (handler == leave)
        return "leave";
    return handler == (void (*)(int))(void *)with_info ? "with_info" : "another";
}

static void show(int number) {
    struct sigaction now;
    int result = sigaction(number, NULL, &now);
    printf("  %d: %s flags %x", result, name_of(now.sa_handler), (unsigned)now.sa_flags & ~0x04000000u);
    for (int i = 1; i < 65; i++)
        if (sigismember(&now.sa_mask, i) == 1)
            printf(" %d", i);
    printf("\n");
}

static void actions(void) {
    struct sigaction action = {.sa_handler = one}, old;
    sigaddset(&action.sa_mask, SIGUSR2);
    printf("install %d\n", sigaction(SIGUSR1, &action, &old));
    printf("old %s\n", name_of(old.sa_handler));
    show(SIGUSR1);
    errno = 0;
    printf("raise %d\n", raise(SIGUSR1));
    printf("runs %d errno %d\n", (int)runs, errno);
    action.sa_handler = two;
    action.sa_flags = SA_RESETHAND | SA_NODEFER;
    printf("replace %d, old %s\n", sigaction(SIGUSR1, &action, &old), name_of(old.sa_handler));
    show(SIGUSR1);
    raise(SIGUSR1);
    show(SIGUSR1); /* default again */
    errno = 0;
    printf("bad %d", sigaction(SIGKILL, &action, NULL));
    printf(" errno %d\n", errno);
    errno = 0;
    printf("bad %d", sigaction(65, &action, NULL));
    printf(" errno %d\n", errno);
    errno = 0;
    printf("bad %d", sigaction(0, NULL, &old));
    printf(" errno %d\n", errno);
}

static void simple(void) {
    printf("signal %s\n", name_of(signal(SIGUSR1, one)));
    printf("signal %s\n", name_of(signal(SIGUSR1, two)));
    show(SIGUSR1);
    printf("signal %s\n", name_of(signal(SIGUSR1, SIG_IGN)));
    raise(SIGUSR1);
    printf("signal %s\n", name_of(signal(SIGUSR1, SIG_DFL)));
    errno = 0;
    printf("signal %s", name_of(signal(SIGKILL, one)));
    printf(" errno %d\n", errno);
    errno = 0;
    printf("signal %s", name_of(signal(SIGUSR1, SIG_ERR)));
    printf(" errno %d\n", errno);
    printf("sysv %s\n", name_of(__sysv_signal(SIGUSR1, one)));
    show(SIGUSR1);
    raise(SIGUSR1);
    show(SIGUSR1);
    printf("runs %d\n", (int)runs);
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    printf("sigset %s\n", name_of(sigset(SIGUSR2, two)));
    printf("sigset %s\n", name_of(sigset(SIGUSR2, SIG_HOLD)));
    printf("sigset %s\n", name_of(sigset(SIGUSR2, one)));
    show(SIGUSR2);
    printf("siginterrupt %d\n", siginterrupt(SIGUSR2, 1));
    show(SIGUSR2);
}

static void information(void) {
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&alternate, NULL);
    struct sigaction action = {.sa_sigaction = with_info, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGRTMIN, &action, NULL);
    show(SIGRTMIN);
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 42});
    pthread_kill(pthread_self(), SIGRTMIN);
}

static void jumps(void) {
    struct sigaction action = {.sa_handler = leave, .sa_flags = SA_ONSTACK};
    signal(SIGUSR1, leave);
    for (volatile int i = 0; i < 3; i++) {
        if (sigsetjmp(out, 1) == 0)
            raise(SIGUSR1);
        printf("left; lock %d unlock %d\n", pthread_mutex_lock(&mutex), pthread_mutex_unlock(&mutex));
    }
    sigaction(SIGUSR1, &action, NULL);
    for (volatile int i = 0; i < 3; i++) {
        if (sigsetjmp(out, 1) == 0)
            raise(SIGUSR1);
        printf("left; lock %d unlock %d\n", pthread_mutex_lock(&mutex), pthread_mutex_unlock(&mutex));
    }
}

static void children(const char *program) {
    int status;
    signal(SIGUSR1, one);
    signal(SIGUSR2, SIG_IGN);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        printf("forked\n");
        show(SIGUSR1);
        raise(SIGUSR1);
        execl(program, program, "executed", NULL);
        _exit(1);
    }
    waitpid(child, &status, 0);
    printf("status %d\n", status);
}

int main(int argc, char **argv) {
    alarm(60);
    if (argc > 1) {
        printf("%s\n", argv[1]);
        show(SIGUSR1);
        show(SIGUSR2);
        return 0;
    }
    actions();
    simple();
    information();
    jumps();
    children(argv[0]);
    return 0;
}
