/* Defined by the compiler's start files in every program and library. */
extern void *__dso_handle __attribute__((visibility("hidden")));
