/* Options that a program carries in itself.
 *
 * The runtime calls lg_default_options(), where the program defines it, once at
 * start, before any other code of the program runs: it must return a string
 * that lives as long as the process, in the form of LOCKGRAPH_OPTIONS
 * ("key=value:key=value"; LOCKGRAPH_OPTIONS=help=1 lists the keys), or NULL.
 * The environment is applied after it and wins.  A mistake in it is told once on
 * the standard error; the keys that are right still count.
 *
 * The definition must be visible to the dynamic linker: in an executable link
 * with -rdynamic, or name it in --dynamic-list. */
#ifndef LOCKGRAPH_OPTIONS_H
#define LOCKGRAPH_OPTIONS_H

#ifdef __cplusplus
extern "C" {
#endif

__attribute__((weak, visibility("default"))) const char *lg_default_options(void);

#ifdef __cplusplus
}
#endif

#endif
