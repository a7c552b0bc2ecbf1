/* In the place of the system's: lockgraph/pthread.h. */
#include_next <semaphore.h>
#include <lockgraph/pthread.h>
