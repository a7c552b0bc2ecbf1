/* Symbol versions older than the library under test. The linker binds to them
 * where the machine's oldest version is known; elsewhere those tests are left out. */
#define SHLIB_COMPAT(library, introduced, obsoleted) 0
#ifdef __x86_64__
#define TEST_COMPAT(library, introduced, obsoleted) 1
#define compat_symbol_reference(library, local, symbol, version)                                             \
    __asm__(".symver " #local ", " #symbol "@GLIBC_2.2.5")
#else
#define TEST_COMPAT(library, introduced, obsoleted) 0
#endif
