/* A signal handler that locks, at any instant of the program's own locking: what it holds must never
 * be mixed up with what the program holds.  The true orders are b, a, c; a hold of c written over
 * the program's own would be an inversion.
 *
 * silent
 * seconds: 20
 */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t c = PTHREAD_MUTEX_INITIALIZER;
static volatile sig_atomic_t signals;

static void handler(int number) {
    (void)number;
    pthread_mutex_lock(&c);
    signals++;
    pthread_mutex_unlock(&c);
}

static void *other(void *unused) {
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&c);
    pthread_mutex_unlock(&c);
    pthread_mutex_unlock(&a);
    return unused;
}

int main(void) {
    sigset_t alarm_only; /* for the main thread */
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm_only, NULL);
    pthread_t thread;
    pthread_create(&thread, NULL, other, NULL);
    pthread_sigmask(SIG_UNBLOCK, &alarm_only, NULL);
    signal(SIGALRM, handler);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 100}, {0, 100}}, NULL);
    for (time_t end = time(NULL) + 3; time(NULL) < end;)
        for (int i = 0; i < 1000; i++) {
            pthread_mutex_lock(&b);
            pthread_mutex_lock(&a);
            pthread_mutex_unlock(&a);
            pthread_mutex_unlock(&b);
        }
    pthread_join(thread, NULL);
    return 0;
}
