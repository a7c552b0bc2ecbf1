/* What glibc's configure and its internal headers would have defined, as far as
 * the tests look at it. */
#define TIMEOUTFACTOR    1
#define PTHREAD_IN_LIBC  1
#define attribute_hidden __attribute__((visibility("hidden")))
