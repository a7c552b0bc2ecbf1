/* A thread spins for what it holds itself.
 *
 * deadlock
 * expect: self-deadlock actual error
 * thread: HELD once, WANTS it again
 */
#include <pthread.h>
#include <unistd.h>

static pthread_spinlock_t spin;

int main(void) {
    alarm(60);
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    pthread_spin_lock(&spin); /* HELD once */
    pthread_spin_lock(&spin); /* WANTS it again */
    return 0;
}
