/* The child gives the mutex up first; or it is shared, and the parent gives it up.
 *
 * silent
 * near: self-deadlock
 * processes: 2
 * arguments: back | shared
 */
#include "fork_relock.c"
