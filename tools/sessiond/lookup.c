#include "lookup.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lock_order.h"
#include "log.h"
#include "stream.h"
#include "text.h"
#include "threads.h"
#include "timed.h"
#include "wakeup.h"

enum { HOST = 256, PORT = 8, MOST_LATE = 8 };

/* Whoever waits for it owns it; one that is late belongs to the list. */
struct question {
    char host[HOST], port[PORT];
    int done;               /* wakeup */
    int result;             /* written before `done` is, as the next one */
    struct addrinfo *found; /* NULL: see result */
    struct sd_thread *thread;
    struct question *next;
};

static lg_mutex_t lock = LG_MUTEX_INITIALIZER("lookup.late", SD_LEVEL_LEAF);
static struct question *late; /* under lock, as the next one */
static int late_count;

static int ask(const char *host, const char *port, int flags, struct addrinfo **found) {
    const struct addrinfo wanted = {.ai_flags = flags | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    *found = NULL;
    return getaddrinfo(host, port, &wanted, found);
}

static void run(void *of) {
    struct question *question = of;
    question->result = ask(question->host, question->port, AI_ADDRCONFIG, &question->found);
    sd_wakeup_set(question->done);
}

static void free_question(struct question *question) {
    if (question->found != NULL)
        freeaddrinfo(question->found);
    sd_wakeup_close(&question->done);
    free(question);
}

/* Of those that are late one that came back, if any did. */
static struct question *take_returned(void) {
    struct question **link = &late;
    if (!sd_lock(&lock, NULL))
        return NULL;
    while (*link != NULL && !sd_thread_ended((*link)->thread))
        link = &(*link)->next;
    struct question *returned = *link;
    if (returned != NULL) {
        *link = returned->next;
        late_count--;
    }
    sd_unlock(&lock);
    return returned;
}

static void join_returned(void) {
    struct question *question;
    while ((question = take_returned()) != NULL) {
        sd_thread_join(question->thread);
        free_question(question);
    }
}

static void leave_behind(struct question *question) {
    sd_lock_surely(&lock);
    question->next = late;
    late = question;
    late_count++;
    sd_unlock(&lock);
    sd_log(SD_LOG_WARNING, "looking up %s takes long: left behind", question->host);
}

static bool may_begin(const char *host, struct sd_error *error) {
    join_returned();
    if (!sd_lock(&lock, error))
        return false;
    bool may = late_count < MOST_LATE;
    sd_unlock(&lock);
    return may || sd_fail_busy(error, "unreachable", 1, "%s: %d look-ups of names have not come back", host,
                               MOST_LATE);
}

static struct question *begin(const char *host, const char *port, struct sd_error *error) {
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL) {
        sd_fail_busy(error, "no_memory", 1, "no memory for looking up a name");
        return NULL;
    }
    sd_copy(question->host, sizeof question->host, host);
    sd_copy(question->port, sizeof question->port, port);
    question->done = -1;
    if (sd_wakeup_open(&question->done, error) &&
        (question->thread = sd_thread_start("lookup", run, question, error)) != NULL)
        return question;
    free_question(question);
    return NULL;
}

static struct addrinfo *take_answer(struct question *question, struct sd_error *error) {
    struct addrinfo *found = question->found;
    question->found = NULL;
    if (found == NULL)
        sd_fail_busy(error, "unreachable", 1, "%s: %s", question->host, gai_strerror(question->result));
    sd_thread_join(question->thread);
    free_question(question);
    return found;
}

struct addrinfo *sd_lookup(const char *host, int port, int64_t until_ms, const struct sd_cancel *cancel,
                           struct sd_error *error) {
    struct addrinfo *found;
    char number[PORT];
    snprintf(number, sizeof number, "%hu", (unsigned short)port);
    if (ask(host, number, AI_NUMERICHOST, &found) == 0)
        return found;
    struct question *question = may_begin(host, error) ? begin(host, number, error) : NULL;
    if (question == NULL)
        return NULL;
    if (sd_stream_wait(question->done, POLLIN, until_ms, cancel, error))
        return take_answer(question, error);
    leave_behind(question);
    return NULL;
}
