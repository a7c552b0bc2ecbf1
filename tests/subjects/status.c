/* Ends as it is told: `exit N` or `signal N`, after `sleep MS`; `plain` locks
 * once and ends.
 *
 * helper
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

int main(int argc, char **argv) {
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    for (int i = 1; i + 1 < argc; i += 2) {
        int number = atoi(argv[i + 1]);
        if (strcmp(argv[i], "sleep") == 0)
            usleep((unsigned)number * 1000);
        else if (strcmp(argv[i], "exit") == 0)
            return number;
        else if (strcmp(argv[i], "signal") == 0)
            raise(number);
    }
    return 0;
}
