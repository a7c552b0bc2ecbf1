/* A handler installed by any of the names that libc has for that is the
 * program's own again when it asks, and is called as that name promises: once
 * or each time, with or without the signal blocked.
 *
 * transcript
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

typedef void handler_function(int);
extern handler_function *bsd_signal(int number, handler_function *handler);
extern handler_function *__sysv_signal(int number, handler_function *handler);
extern int __sigaction(int number, const struct sigaction *action, struct sigaction *old);

static volatile int calls, blocked;

static void handler(int number) {
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    blocked = sigismember(&mask, number);
    calls++;
}

static const char *name_of(handler_function *found) {
    return found == handler   ? "handler"
           : found == SIG_DFL ? "default"
           : found == SIG_IGN ? "ignored"
                              : "other";
}

static int by_real_name(int number, const struct sigaction *action, struct sigaction *old) {
    return sigaction(number, action, old);
}

static void show(const char *name, handler_function *(*set)(int, handler_function *)) {
    struct sigaction now;
    calls = blocked = 0;
    signal(SIGURG, SIG_IGN);
    printf("%s: was %s", name, name_of(set(SIGURG, handler)));
    sigaction(SIGURG, NULL, &now);
    printf(", is %s with %x", name_of(now.sa_handler), (unsigned)now.sa_flags & ~0x04000000u);
    raise(SIGURG);
    raise(SIGURG);
    printf(", called %d, blocked %d", calls, blocked);
    printf(", then %s", name_of(set(SIGURG, SIG_DFL)));
    errno = 0;
    int refused = set(SIGKILL, handler) == SIG_ERR;
    printf(", refused %d %d\n", refused, errno);
}

static void show_action(const char *name, int (*set)(int, const struct sigaction *, struct sigaction *)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_NODEFER | SA_RESTART}, old;
    calls = blocked = 0;
    signal(SIGURG, SIG_IGN);
    printf("%s: %d, was ", name, set(SIGURG, &action, &old));
    printf("%s", name_of(old.sa_handler));
    raise(SIGURG);
    raise(SIGURG);
    printf(", called %d, blocked %d", calls, blocked);
    set(SIGURG, NULL, &old);
    printf(", is %s with %x\n", name_of(old.sa_handler), (unsigned)old.sa_flags & ~0x04000000u);
}

int main(void) {
    show("signal", signal);
    show("bsd_signal", bsd_signal);
    show("ssignal", ssignal);
    show("sysv_signal", sysv_signal);
    show("__sysv_signal", __sysv_signal);
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    show("sigset", sigset);
    show_action("sigaction", by_real_name);
    show_action("__sigaction", __sigaction);
    return 0;
}
