#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "http_client.h"
#include "lock_order.h"
#include "log.h"
#include "stream.h"
#include "timed.h"

enum { TEXT = 4096, ANSWER = 256 };

struct sd_model {
    const struct sd_config *config;
    lg_mutex_t client; /* what follows; held over a request */
    pid_t child;       /* 0: none */
    int to, from;      /* its pipes' ends */
};

struct sd_model *sd_model_create(const struct sd_config *config, struct sd_error *error) {
    struct sd_model *model = calloc(1, sizeof *model);
    if (model == NULL || lg_mutex_init(&model->client, "model.client", SD_LEVEL_CLIENT) != 0) {
        free(model);
        sd_fail_busy(error, "no_memory", 1, "no memory for the model's client");
        return NULL;
    }
    lg_mutex_set_group(&model->client, &sd_held_over_io);
    model->config = config;
    return model;
}

/* Under the client's lock.  The end of its input ends it; one that is late is killed. */
static void end_child(struct sd_model *model, bool at_once) {
    if (model->child == 0)
        return;
    close(model->to);
    close(model->from);
    if (at_once)
        kill(model->child, SIGKILL);
    while (waitpid(model->child, NULL, 0) < 0 && errno == EINTR)
        continue;
    model->child = 0;
}

void sd_model_destroy(struct sd_model *model) {
    if (model == NULL)
        return;
    end_child(model, true);
    lg_mutex_destroy(&model->client);
    free(model);
}

/* Our threads block all signals; the child begins as if a shell had started it. */
static int spawn(pid_t *child, int input, int output) {
    static char name[] = "sessiond", mode[] = "--model";
    char *const arguments[] = {name, mode, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int result = posix_spawn(child, "/proc/self/exe", &files, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return result;
}

static bool start_child(struct sd_model *model, struct sd_error *error) {
    int to[2], from[2];
    if (model->child != 0)
        return true;
    if (pipe2(to, O_CLOEXEC) != 0)
        return sd_fail_busy(error, "model", 1, "the model's pipe: %s", strerror(errno));
    if (pipe2(from, O_CLOEXEC) != 0) {
        close(to[0]);
        close(to[1]);
        return sd_fail_busy(error, "model", 1, "the model's pipe: %s", strerror(errno));
    }
    int result = spawn(&model->child, to[0], from[1]);
    close(to[0]);
    close(from[1]);
    model->to = to[1];
    model->from = from[0];
    if (result == 0) {
        fcntl(model->to, F_SETFL, O_NONBLOCK);
        fcntl(model->from, F_SETFL, O_NONBLOCK);
        return true;
    }
    model->child = 0;
    close(model->to);
    close(model->from);
    return sd_fail_busy(error, "model", 1, "the model's process: %s", strerror(result));
}

/* One line: what would end it is a blank to the model anyway. */
static bool send_line(struct sd_model *model, const char *text, int64_t until_ms, struct sd_cancel *cancel,
                      struct sd_error *error) {
    char line[TEXT + 1];
    size_t length = 0;
    for (; length < TEXT && text[length] != 0; length++)
        line[length] = text[length] == '\n' ? ' ' : text[length];
    line[length++] = '\n';
    return sd_stream_write(model->to, line, length, until_ms, cancel, error);
}

static bool receive_line(struct sd_model *model, int64_t until_ms, struct sd_cancel *cancel,
                         struct sd_text *answer, struct sd_error *error) {
    char line[ANSWER];
    size_t length = 0;
    do {
        long got = sd_stream_read(model->from, line + length, sizeof line - length, until_ms, cancel, error);
        if (got < 0)
            return false;
        if (got == 0)
            return sd_fail_busy(error, "model", 1, "the model's process ended");
        length += (size_t)got;
    } while (line[length - 1] != '\n' && length < sizeof line);
    if (line[length - 1] != '\n')
        return sd_fail_busy(error, "bad_answer", 1, "the model's answer is too long");
    sd_text_add_bytes(answer, line, length - 1);
    return true;
}

/* Under the client's lock.  A child that an answer is still to come from is of no use. */
static bool ask_child(struct sd_model *model, const char *text, int64_t until_ms, struct sd_cancel *cancel,
                      struct sd_text *answer, struct sd_error *error) {
    if (!start_child(model, error))
        return false;
    if (send_line(model, text, until_ms, cancel, error) &&
        receive_line(model, until_ms, cancel, answer, error))
        return true;
    sd_log(SD_LOG_WARNING, "the model's process %d is ended and will be started anew", (int)model->child);
    end_child(model, true);
    return false;
}

static bool ask_url(const char *url, const char *text, int32_t limit_ms, struct sd_cancel *cancel,
                    struct sd_text *answer, struct sd_error *error) {
    struct sd_text request = {0};
    sd_text_add(&request, "{\"text\":");
    sd_text_json(&request, text);
    sd_text_add(&request, "}");
    bool done = request.failed ? sd_fail_busy(error, "no_memory", 1, "no memory for a request")
                               : sd_http_post(url, request.bytes, limit_ms, cancel, answer, error);
    sd_text_free(&request);
    return done;
}

bool sd_model_score(struct sd_model *model, const char *text, int32_t limit_ms, struct sd_cancel *cancel,
                    struct sd_text *answer, struct sd_error *error) {
    int64_t until_ms = sd_now_ms() + limit_ms;
    if (strlen(text) > TEXT)
        return sd_fail_field(error, "text", "at most %d bytes", TEXT);
    if (model->config->model_url[0] != 0)
        return ask_url(model->config->model_url, text, limit_ms, cancel, answer, error);
    if (!sd_lock_within(&model->client, sd_cancel_left_ms(cancel, limit_ms), error))
        return false;
    bool done = ask_child(model, text, until_ms, cancel, answer, error);
    sd_unlock(&model->client);
    return done;
}
