/* In the place of the system's: lockgraph/pthread.h. */
#include_next <semaphore.h>

/* After it: it calls what is declared there. */
#include <lockgraph/pthread.h>
