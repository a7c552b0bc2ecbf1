/* A library of order_loaded.cpp, loaded at run time.
 *
 * helper
 */
#include <pthread.h>

static pthread_mutex_t *own;
static pthread_mutex_t storage;

#ifdef PLUGIN
static void make_lock(void) {
    own = &storage;
    pthread_mutex_init(own, 0);
}

void plugin_enter(void) {
    if (!own)
        make_lock();
    pthread_mutex_lock(own);
}
void plugin_leave(void) { pthread_mutex_unlock(own); }
#else
/* As a program it only shows that the same names mean nothing elsewhere. */
int main(void) {
    own = &storage;
    pthread_mutex_init(own, 0);
    pthread_mutex_lock(own);
    pthread_mutex_unlock(own);
    return 0;
}
#endif
