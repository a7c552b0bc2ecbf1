/* A lock in memory that both processes see stays the parent's: the child, whose stack says
 * that it holds it, asks for it, and later the other way round.
 *
 * silent
 * near: order-cycle, self-deadlock
 * processes: 2
 * arguments: mutex | robust | rwlock | rdlock | spin | sem
 */
#define SHARED 1
#include "fork_inherited.c"
