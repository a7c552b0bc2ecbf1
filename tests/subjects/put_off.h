/* Handlers that the runtime can put off while it is at work on their thread: all, but on
 * aarch64 only those with SA_SIGINFO (docs/decisions.md), as which they are called there. */
#ifndef SUBJECT_PUT_OFF_H
#define SUBJECT_PUT_OFF_H

#include <signal.h>

#ifdef __aarch64__
enum { CAN_BE_PUT_OFF = SA_SIGINFO };
#else
enum { CAN_BE_PUT_OFF = 0 };
#endif

#endif
