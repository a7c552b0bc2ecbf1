/* Random programs in the scenario language. */
#include <stdio.h>

#include "oracle.h"

static void print_kinds(const struct program *program) {
    for (unsigned i = 0; i < LOCKS; i++) {
        bool used = false;
        for (size_t j = 0; j < program->count; j++) {
            used = used || (program->steps[j].kind <= RANDOM_UNLOCK && program->steps[j].object == i);
        }
        const char *kind = program->kinds[i] == LGR_LOCK_RWLOCK      ? "rwlock"
                           : program->kinds[i] == LGR_LOCK_SPIN      ? "spin"
                           : program->kinds[i] == LGR_LOCK_SEMAPHORE ? "semaphore"
                                                                     : "mutex";
        if (used) {
            printf("%s %c%s\n", kind, 'A' + (int)i, program->prefer_writer[i] ? " prefer-writer" : "");
        }
    }
}

static void print_barriers(const struct program *program) {
    for (size_t i = 0; i < program->count; i++) {
        if (program->steps[i].kind == RANDOM_BARRIER) {
            printf("barrier X%zu 2\n", i);
        }
    }
}

static void print_step(const struct program *program, size_t i) {
    static const char *const words[] = {
        [RANDOM_LOCK] = "",         [RANDOM_TIMED] = "timed", [RANDOM_TRY] = "try",
        [RANDOM_UNLOCK] = "unlock", [RANDOM_POST] = "post",   [RANDOM_WAIT] = "wait",
        [RANDOM_CREATE] = "create", [RANDOM_JOIN] = "join"};
    const struct random_step *step = &program->steps[i];
    char lock = (char)('A' + step->object);
    printf("T%u: ", step->thread + 1);
    switch (step->kind) {
    case RANDOM_LOCK:
    case RANDOM_TIMED:
    case RANDOM_TRY:
        printf("%s%slock %c\n", words[step->kind],
               step->shared                                      ? "rd"
               : program->kinds[step->object] == LGR_LOCK_RWLOCK ? "wr"
                                                                 : "",
               lock);
        break;
    case RANDOM_UNLOCK:
        printf("unlock %c\n", lock);
        break;
    case RANDOM_BARRIER:
        printf("barrier X%zu\nT%u: barrier X%zu\n", i, step->object + 1, i);
        break;
    case RANDOM_POST:
    case RANDOM_WAIT:
        printf("%s S%u\n", words[step->kind], step->object + 1);
        break;
    case RANDOM_CREATE:
    case RANDOM_JOIN:
        printf("%s T%u\n", words[step->kind], step->object + 1);
        break;
    }
}

void program_print(const struct program *program) {
    printf("case random program\n");
    print_kinds(program);
    print_barriers(program);
    for (size_t i = 0; i < program->count; i++) {
        print_step(program, i);
    }
}
