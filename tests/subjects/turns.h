/* Puts the steps of a subject in an order that no lock tool can take for
 * synchronisation: a plain atomic counter, polled.  The threads stay alive and,
 * for every observer, unordered. */
#ifndef SUBJECT_TURNS_H
#define SUBJECT_TURNS_H

#ifdef __cplusplus
#include <atomic>
using std::atomic_int;
#else
#include <stdatomic.h>
#endif
#include <unistd.h>

static atomic_int turn;

__attribute__((unused)) static void await_turn(int number) {
    for (unsigned delay = 100; turn < number; delay = delay < 5000 ? delay * 2 : delay)
        usleep(delay); /* ever longer, so that hundreds of waiting threads leave time to the others */
}
__attribute__((unused)) static void next_turn(void) { turn++; }

#endif
