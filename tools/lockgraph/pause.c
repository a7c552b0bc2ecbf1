#include "pause.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t asked_to_end;
static bool with_keys, changed;
static struct termios as_it_was;

static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
#define ENDING_COUNT (sizeof ending / sizeof *ending)

/* Not from the background, where it would stop us. */
static void give_keys_back(void) {
    if (changed && tcgetpgrp(STDIN_FILENO) == getpgrp())
        tcsetattr(STDIN_FILENO, TCSANOW, &as_it_was);
}

/* What the signal does to whoever does not catch it, once the terminal is as it was. */
static void yield_to(int number) {
    struct sigaction plain = {.sa_handler = SIG_DFL}, ours;
    sigset_t set, before;
    int error = errno;
    give_keys_back();
    sigemptyset(&set);
    sigaddset(&set, number);
    sigaction(number, &plain, &ours);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &set, &before); /* it comes here */
    sigprocmask(SIG_SETMASK, &before, NULL); /* continued */
    sigaction(number, &ours, NULL);
    errno = error;
}

/* What is ignored, as behind nohup(1), stays so. */
static void catch_one(int number, void (*handler)(int), int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags}, before;
    sigemptyset(&action.sa_mask);
    if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(number, &action, NULL);
}

/* A second one ends the command at once, however long a look takes. */
static void note_end(int number) {
    asked_to_end = 1;
    catch_one(number, yield_to, SA_RESTART);
}

static void catch_signals(void) {
    for (size_t i = 0; i < ENDING_COUNT; i++)
        catch_one(ending[i], note_end, 0);
    if (!with_keys)
        return;
    catch_one(SIGQUIT, yield_to, SA_RESTART);
    catch_one(SIGTSTP, yield_to, SA_RESTART);
}

void pauses_begin(bool keys) {
    asked_to_end = 0;
    with_keys = keys && isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &as_it_was) == 0;
    catch_signals();
}

/* Also after we were stopped and continued; not while in the background, where it would
 * stop us. */
static bool listen_to_keys(void) {
    if (!with_keys || tcgetpgrp(STDIN_FILENO) != getpgrp())
        return false;
    struct termios keys = as_it_was;
    keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    keys.c_cc[VMIN] = 0;
    keys.c_cc[VTIME] = 0;
    changed = true;
    return tcsetattr(STDIN_FILENO, TCSANOW, &keys) == 0;
}

static void take_key(void) {
    char key = 'q'; /* the terminal is gone */
    if (read(STDIN_FILENO, &key, 1) < 0)
        key = 'q';
    asked_to_end |= key == 'q' || key == 'Q';
}

/* The signals come in here, or are waited for in ppoll: none is lost between the two. */
static void wait_once(const struct timespec *time, bool keys) {
    sigset_t set, before;
    sigemptyset(&set);
    for (size_t i = 0; i < ENDING_COUNT; i++)
        sigaddset(&set, ending[i]);
    sigprocmask(SIG_BLOCK, &set, &before);
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    bool pressed = !asked_to_end && ppoll(&input, keys ? 1 : 0, time, &before) > 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (pressed)
        take_key();
}

bool pause_for(double seconds) {
    time_t whole = (time_t)seconds;
    struct timespec time = {.tv_sec = whole, .tv_nsec = (long)((seconds - (double)whole) * 1e9)};
    bool keys = listen_to_keys();
    wait_once(&time, keys);
    return !asked_to_end;
}

void pauses_end(void) {
    give_keys_back();
    changed = false;
}
