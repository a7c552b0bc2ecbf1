/* A coroutine's stack whose last return address leads nowhere, as some libraries make
 * them: whoever follows it there faults.
 *
 * silent
 * transcript
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 65536, REGISTERS = 6 };

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;

#if defined __x86_64__
static void *thread_stack, *coroutine_stack;

void switch_stack(void **save, void *to);
__asm__(".text\n"
        ".globl switch_stack\n"
        "switch_stack:\n"
        "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "mov %rsp, (%rdi)\n"
        "mov %rsi, %rsp\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\n"
        "ret\n");

static void body(void) {
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&outer);
        pthread_mutex_lock(&inner);
        pthread_mutex_unlock(&inner);
        pthread_mutex_unlock(&outer);
    }
    puts("locked");
    switch_stack(&coroutine_stack, thread_stack);
    abort();
}

static void run(void) {
    char *stack = aligned_alloc(64, SIZE);
    uintptr_t *top = (uintptr_t *)(void *)(stack + SIZE - 128);
    *--top = 0xdeaddeaddeaddead;
    *--top = (uintptr_t)body;
    top -= REGISTERS;
    memset(top, 0, REGISTERS * sizeof *top);
    switch_stack(&thread_stack, top);
}
#else
static void run(void) {
    pthread_mutex_lock(&outer);
    pthread_mutex_lock(&inner);
    pthread_mutex_unlock(&inner);
    pthread_mutex_unlock(&outer);
    puts("locked");
}
#endif

static void *worker(void *unused) {
    run();
    return unused;
}

int main(void) {
    pthread_t thread;
    run();
    pthread_create(&thread, NULL, worker, NULL);
    pthread_join(thread, NULL);
    puts("back");
    return 0;
}
