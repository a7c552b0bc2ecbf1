/* Tests include glibc's internal header for the names of its own signals and to
 * know which thread library they are in. */
#include <internal-signals.h>
#include <pthread.h>

#define __PTHREAD_NPTL 1
