/* A program that is not C++ loads a library that is, and which nobody else can see: two
 * static variables there need each other.
 *
 * deadlock
 * expect: deadlock actual error
 * threads: 2
 * says: to finish its one-time initialisation, use_first, use_second
 */
#include "local_static.h"

int main(void) {
    static char first[] = "use_first", second[] = "use_second";
    if (!load())
        return 1;
    in_two_threads(first, second);
    return 0;
}
