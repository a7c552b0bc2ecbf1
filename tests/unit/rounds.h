/* How often a test with random steps goes round: a sanitizer makes each round five times
 * as long, and looks for other faults than one more round would find. */
#ifndef TESTS_ROUNDS_H
#define TESTS_ROUNDS_H

#if defined(__has_feature)
#define ROUNDS_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ROUNDS_SANITIZED 1
#else
#define ROUNDS_SANITIZED 0
#endif

static inline int rounds(int plain) { return ROUNDS_SANITIZED ? plain / 4 : plain; }

#endif
