#include "pause.h"

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

static void note_end(int number) {
    (void)number;
    asked_to_end = 1;
}

/* A second one ends the command at once, however long a look takes.  What is ignored, as
 * behind nohup(1), stays so. */
static void catch_endings(void) {
    for (size_t i = 0; i < ENDING_COUNT; i++) {
        struct sigaction action = {.sa_handler = note_end, .sa_flags = (int)SA_RESETHAND}, before;
        if (sigaction(ending[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(ending[i], &action, NULL);
    }
}

void pauses_begin(bool keys) {
    asked_to_end = 0;
    with_keys = keys && isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &as_it_was) == 0;
    catch_endings();
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
    if (changed && tcgetpgrp(STDIN_FILENO) == getpgrp())
        tcsetattr(STDIN_FILENO, TCSANOW, &as_it_was);
    changed = false;
}
