/* In the place of the system's: lockgraph/pthread.h. */
#include_next <pthread.h>
#include <lockgraph/pthread.h>
