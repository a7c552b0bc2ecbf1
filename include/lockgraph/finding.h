/* Findings as the program sees them, and findings of its own.
 *
 *     static void tell(const struct lg_finding *finding, void *user) { ... }
 *     lg_on_finding(tell, NULL);
 *
 *     if (balance < 0)
 *         lg_report(LG_ERROR, "account %d is overdrawn", number);
 *
 * In the text of lg_report the directives %s %d %u %x %p %c %% may stand, with l, ll
 * and z, and width and zeros; it is cut after some hundred bytes. */
#ifndef LOCKGRAPH_FINDING_H
#define LOCKGRAPH_FINDING_H

#include <lockgraph/declared.h>

enum lg_severity { LG_NOTE = 1, LG_WARNING = 2, LG_ERROR = 3 };

struct lg_finding {
    const char *kind; /* "deadlock", "level-violation", ...: lockgraph(1) */
    enum lg_severity severity;
    uint32_t problem; /* the same number again: it has become graver */
    const char *text; /* some lines, with modules and offsets for names */
};
/* Called once for each finding that is new or has become graver, on the thread that
 * found it, before its call goes on and with whatever locks it holds; the finding and
 * its text last until it returns, which it must.  Locks it takes itself are not
 * watched, and nothing is found meanwhile.  Of findings in a signal handler it hears
 * when that is over. */
typedef void lg_finding_callback(const struct lg_finding *finding, void *user);

#ifdef LOCKGRAPH_DISABLE
static __inline__ void lg_on_finding(lg_finding_callback *callback, void *user) {
    (void)callback, (void)user;
}
__attribute__((format(printf, 2, 3))) static __inline__ void lg_report(enum lg_severity severity,
                                                                       const char *format, ...) {
    (void)severity, (void)format;
}
#else
#ifdef __cplusplus
extern "C" {
#endif
/* NULL: nobody is called any more.  One at a time; what was found before is not told. */
void lg_on_finding(lg_finding_callback *callback, void *user);
/* A finding of kind `user`, with the stack of this call and what the calling thread
 * holds; once for each place, and counted after that. */
void lg_report(enum lg_severity severity, const char *format, ...) __attribute__((format(printf, 2, 3)));
#ifdef __cplusplus
}
#endif
#endif

#endif
