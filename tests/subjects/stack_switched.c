/* A coroutine locks through the wrapper its thread uses, too: small stacks, with
 * nothing mapped above them, just below the thread's own one.  What was seen of the
 * wrapper's large frame there must not be looked for beyond their end.
 *
 * arguments: thread | main
 * silent
 * transcript
 */
#include <alloca.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { ROUNDS = 500, SMALL = 32768, BEYOND = 1 << 20, LARGE_FRAME = 400000, SMALL_FRAME = 16 };

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;
static ucontext_t thread_context, coroutine;

__attribute__((noinline)) static void lock_with_frame(pthread_mutex_t *mutex, size_t size) {
    volatile char *frame = alloca(size);
    frame[0] = 0;
    pthread_mutex_lock(mutex);
    frame[0] = 1;
}

static void work(size_t size) {
    lock_with_frame(&outer, size);
    lock_with_frame(&inner, size);
    pthread_mutex_unlock(&inner);
    pthread_mutex_unlock(&outer);
}

static void routine(void) {
    for (;;) {
        work(SMALL_FRAME);
        swapcontext(&coroutine, &thread_context);
    }
}

static void *run(void *unused) {
    char *stack = mmap(NULL, SMALL + BEYOND, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(stack, SMALL, PROT_READ | PROT_WRITE);
    getcontext(&coroutine);
    coroutine.uc_stack.ss_sp = stack;
    coroutine.uc_stack.ss_size = SMALL;
    makecontext(&coroutine, routine, 0);
    for (int i = 0; i < ROUNDS; i++) {
        work(LARGE_FRAME);
        swapcontext(&thread_context, &coroutine);
    }
    return unused;
}

int main(int count, char **arguments) {
    pthread_t thread;
    if (count > 1 && strcmp(arguments[1], "main") == 0) {
        run(NULL);
    } else {
        pthread_create(&thread, NULL, run, NULL);
        pthread_join(thread, NULL);
    }
    puts("done");
    return 0;
}
