#include "dependencies.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "lock_order.h"
#include "model.h"
#include "results.h"
#include "search.h"
#include "timed.h"

enum outcome { OK, FAILED, REFUSED, DEGRADED, OUTCOMES };

struct sd_dependencies {
    const struct sd_config *config;
    struct sd_metrics *metrics;
    struct sd_search *search;
    struct sd_model *model;
    struct sd_blob *blob;
    struct sd_breaker *breakers[SD_DEPENDENCY_COUNT];
    _Atomic uint64_t untold[SD_DEPENDENCY_COUNT][OUTCOMES]; /* to the metrics */
    lg_mutex_t lock;                                        /* the results */
    struct sd_results results[SD_STORE];                    /* of search and model */
};

static const char *const names[] = {"search", "model", "store"};
static const char *const outcomes[] = {"ok", "failed", "refused", "degraded"};

static bool create_breakers(struct sd_dependencies *all, struct sd_error *error) {
    const struct sd_config *config = all->config;
    const struct {
        int32_t failures, open_ms, limit_ms;
    } settings[] = {{config->search_failures, config->search_open_ms, config->search_limit_ms},
                    {config->model_failures, config->model_open_ms, config->model_limit_ms},
                    {config->store_failures, config->store_open_ms, config->store_limit_ms}};
    for (int which = 0; which < SD_DEPENDENCY_COUNT; which++) {
        all->breakers[which] = sd_breaker_create(names[which], settings[which].failures,
                                                 settings[which].open_ms, settings[which].limit_ms, error);
        if (all->breakers[which] == NULL)
            return false;
    }
    return true;
}

struct sd_dependencies *sd_dependencies_create(const struct sd_config *config, struct sd_metrics *metrics,
                                               struct sd_error *error) {
    struct sd_dependencies *all = calloc(1, sizeof *all);
    if (all == NULL || lg_mutex_init(&all->lock, "dependencies.results", SD_LEVEL_LEAF) != 0) {
        free(all);
        sd_fail_busy(error, "no_memory", 1, "no memory for the dependencies");
        return NULL;
    }
    all->config = config;
    all->metrics = metrics;
    if ((all->search = sd_search_create(config, error)) != NULL &&
        (all->model = sd_model_create(config, error)) != NULL &&
        (all->blob = sd_blob_create(config, error)) != NULL && create_breakers(all, error))
        return all;
    sd_dependencies_destroy(all);
    return NULL;
}

void sd_dependencies_destroy(struct sd_dependencies *all) {
    if (all == NULL)
        return;
    for (int which = 0; which < SD_DEPENDENCY_COUNT; which++)
        sd_breaker_destroy(all->breakers[which]);
    sd_blob_destroy(all->blob);
    sd_model_destroy(all->model);
    sd_search_destroy(all->search);
    sd_results_free(&all->results[SD_SEARCH]);
    sd_results_free(&all->results[SD_MODEL]);
    lg_mutex_destroy(&all->lock);
    free(all);
}

/* ---- one call through its breaker ---- */

/* A question to a dependency, whichever it is. */
struct call {
    enum sd_dependency which;
    int64_t user;
    const char *text, *name; /* the query, the text or the bytes; the blob's name */
    size_t length;
    int32_t limit, limit_ms;
    struct sd_cancel *cancel;
};

static void count(struct sd_dependencies *all, enum sd_dependency which, enum outcome outcome) {
    atomic_fetch_add_explicit(&all->untold[which][outcome], 1, memory_order_relaxed);
}

static void tell(struct sd_dependencies *all, int which, int outcome) {
    char labels[64];
    _Atomic uint64_t *untold = &all->untold[which][outcome];
    if (atomic_load_explicit(untold, memory_order_relaxed) == 0)
        return;
    uint64_t calls = atomic_exchange_explicit(untold, 0, memory_order_relaxed);
    snprintf(labels, sizeof labels, "dependency=\"%s\",outcome=\"%s\"", names[which], outcomes[outcome]);
    if (calls > 0)
        sd_metrics_count(all->metrics, SD_SERIES_DEPENDENCY, labels, calls);
}

void sd_dependencies_tell_metrics(struct sd_dependencies *all) {
    for (int which = 0; which < SD_DEPENDENCY_COUNT; which++)
        for (int outcome = 0; outcome < OUTCOMES; outcome++)
            tell(all, which, outcome);
}

static bool ask(struct sd_dependencies *all, const struct call *call, struct sd_text *answer,
                struct sd_error *error) {
    switch (call->which) {
    case SD_SEARCH:
        return sd_search_query(all->search, call->user, call->text, call->limit, call->limit_ms, call->cancel,
                               answer, error);
    case SD_MODEL:
        return sd_model_score(all->model, call->text, call->limit_ms, call->cancel, answer, error);
    default:
        return sd_blob_put(all->blob, call->user, call->name, call->text, call->length, call->limit_ms,
                           call->cancel, answer, error);
    }
}

/* A client's mistake, or its leaving, says nothing about the dependency. */
static void leave(struct sd_dependencies *all, const struct call *call, uint64_t ticket, bool done,
                  const struct sd_error *error) {
    struct sd_breaker *breaker = all->breakers[call->which];
    if (!done && (error->status < 500 || sd_cancelled(call->cancel))) {
        sd_breaker_withdraw(breaker, ticket);
        return;
    }
    sd_breaker_leave(breaker, ticket, done);
    count(all, call->which, done ? OK : FAILED);
}

/* `refused`: the breaker is open, and nothing was asked. */
static bool call_through(struct sd_dependencies *all, struct call *call, struct sd_text *answer,
                         bool *refused, struct sd_error *error) {
    struct sd_breaker_figures settings;
    uint64_t ticket;
    *refused = !sd_breaker_enter(all->breakers[call->which], &ticket, error);
    if (*refused) {
        count(all, call->which, REFUSED);
        return false;
    }
    sd_breaker_figures(all->breakers[call->which], &settings);
    call->limit_ms = (int32_t)settings.limit_ms;
    bool done = ask(all, call, answer, error);
    leave(all, call, ticket, done, error);
    return done;
}

/* ---- good results ---- */

static bool finish(struct sd_text *answer, const char *object, bool degraded, struct sd_error *error) {
    size_t length = strlen(object);
    while (length > 0 && object[length - 1] != '}')
        length--;
    if (length < 2 || object[0] != '{')
        return sd_fail_busy(error, "bad_answer", 1, "a dependency's answer is no JSON object");
    sd_text_add_bytes(answer, object, length - 1);
    sd_text_format(answer, "%s\"degraded\":%s}", length == 2 ? "" : ",", degraded ? "true" : "false");
    return true;
}

static void keep(struct sd_dependencies *all, enum sd_dependency which, const char *key, const char *result) {
    if (!sd_lock(&all->lock, NULL))
        return;
    sd_results_keep(&all->results[which], key, result);
    sd_unlock(&all->lock);
}

static bool find(struct sd_dependencies *all, enum sd_dependency which, const char *key,
                 struct sd_text *result) {
    if (!sd_lock(&all->lock, NULL))
        return false;
    bool found = sd_results_find(&all->results[which], key, result);
    sd_unlock(&all->lock);
    return found;
}

static bool ask_or_remember(struct sd_dependencies *all, struct call *call, const char *key,
                            struct sd_text *answer, struct sd_error *error) {
    struct sd_error told = {0};
    struct sd_text object = {0};
    bool refused;
    bool done = call_through(all, call, &object, &refused, &told);
    if (done && object.bytes != NULL)
        keep(all, call->which, key, object.bytes);
    bool remembered = refused && find(all, call->which, key, &object);
    if (remembered)
        count(all, call->which, DEGRADED);
    bool answered =
        (done || remembered) && object.bytes != NULL && finish(answer, object.bytes, remembered, &told);
    if (!answered && error != NULL)
        *error = told;
    sd_text_free(&object);
    return answered;
}

/* ---- what operations call ---- */

bool sd_dependencies_check_query(struct sd_dependencies *all, const char *query, struct sd_error *error) {
    return sd_search_check(all->search, query, error);
}

bool sd_dependencies_search(struct sd_dependencies *all, int64_t user, const char *query, int32_t limit,
                            struct sd_cancel *cancel, struct sd_text *answer, struct sd_error *error) {
    struct call call = {.which = SD_SEARCH, .user = user, .text = query, .limit = limit, .cancel = cancel};
    struct sd_text key = {0};
    sd_text_format(&key, "%lld %d %s", (long long)user, limit, query);
    bool done = key.failed ? sd_fail_busy(error, "no_memory", 1, "no memory for a search")
                           : ask_or_remember(all, &call, key.bytes, answer, error);
    sd_text_free(&key);
    return done;
}

bool sd_dependencies_score(struct sd_dependencies *all, int64_t user, const char *text,
                           struct sd_cancel *cancel, struct sd_text *answer, struct sd_error *error) {
    struct call call = {.which = SD_MODEL, .user = user, .text = text, .cancel = cancel};
    return ask_or_remember(all, &call, text, answer, error);
}

bool sd_dependencies_put(struct sd_dependencies *all, int64_t user, const char *name, const void *bytes,
                         size_t length, struct sd_cancel *cancel, struct sd_text *answer,
                         struct sd_error *error) {
    struct call call = {
        .which = SD_STORE, .user = user, .text = bytes, .length = length, .name = name, .cancel = cancel};
    struct sd_error told = {0};
    struct sd_text object = {0};
    bool refused;
    bool done = call_through(all, &call, &object, &refused, &told) && object.bytes != NULL &&
                finish(answer, object.bytes, false, &told);
    if (!done && error != NULL)
        *error = told;
    sd_text_free(&object);
    return done;
}

struct sd_breaker *sd_dependencies_breaker(struct sd_dependencies *all, enum sd_dependency which) {
    return all->breakers[which];
}

struct sd_breaker *sd_dependencies_find(struct sd_dependencies *all, const char *name) {
    for (int which = 0; which < SD_DEPENDENCY_COUNT; which++)
        if (strcmp(names[which], name) == 0)
            return all->breakers[which];
    return NULL;
}

bool sd_dependencies_search_client(struct sd_dependencies *all, int32_t *users) {
    return sd_search_open(all->search, users);
}

void sd_dependencies_close_idle(struct sd_dependencies *all) { sd_search_close_idle(all->search); }

int sd_dependencies_sweep(const struct sd_dependencies *all) { return sd_blob_sweep(all->blob); }
