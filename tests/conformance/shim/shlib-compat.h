/* Tests of symbol versions older than the library under test are left out: a
 * program built here cannot bind to them by glibc's own means. */
#define TEST_COMPAT(library, introduced, obsoleted) 0
#define SHLIB_COMPAT(library, introduced, obsoleted) 0
