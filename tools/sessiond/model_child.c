/* The model itself, the child's side: how friendly a text is, by counting words.  Alone
 * in its process; no locks. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "model.h"

static bool one_of(const char *word, const char *const *list) {
    for (; *list != NULL; list++)
        if (strcasecmp(*list, word) == 0)
            return true;
    return false;
}

struct counts {
    unsigned words, good, bad;
};

static void count(struct counts *counts, const char *word) {
    static const char *const good[] = {"good", "great", "thanks", "fine",  "well", "works",
                                       "fast", "nice",  "fixed",  "clear", "love", NULL};
    static const char *const bad[] = {"bad",    "slow", "broken", "hang", "hangs", "error",
                                      "failed", "lost", "stuck",  "hate", "worse", NULL};
    counts->words++;
    counts->good += one_of(word, good);
    counts->bad += one_of(word, bad);
}

/* Half where nothing speaks for either side. */
static double score(const struct counts *counts) {
    return (counts->good + 1.0) / (counts->good + counts->bad + 2.0);
}

static void answer(char *line) {
    struct counts counts = {0};
    char *rest = NULL;
    static const char between[] = " \t\r\n.,;:!?\"'()";
    for (char *word = strtok_r(line, between, &rest); word != NULL; word = strtok_r(NULL, between, &rest))
        count(&counts, word);
    printf("{\"score\":%.2f,\"words\":%u}\n", score(&counts), counts.words);
    fflush(stdout);
}

int sd_model_main(void) {
    char line[8192];
    while (fgets(line, sizeof line, stdin) != NULL)
        answer(line);
    return 0;
}
