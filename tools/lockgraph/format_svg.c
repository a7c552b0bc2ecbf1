/* The order graph as a picture: Graphviz lays it out, as a program of its own. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "format.h"
#include "memory_file.h"

#define LAYOUT   "dot"
#define PATIENCE 120 /* seconds: it lays ten thousand locks out for hours */

/* Between the standard input and output of `dot`; it complains to ours. */
static pid_t start_layout(int input, int output) {
    pid_t child = fork();
    if (child != 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    alarm(PATIENCE);
    if (dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0)
        execlp(LAYOUT, LAYOUT, "-Tsvg", (char *)NULL);
    _exit(errno == ENOENT ? 127 : 126);
}

static bool write_all(int descriptor, const char *bytes, size_t length) {
    while (length) {
        ssize_t written = write(descriptor, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        length -= (size_t)written;
    }
    return true;
}

static bool read_all(int descriptor, struct text *out) {
    char bytes[16384];
    ssize_t length;
    if (lseek(descriptor, 0, SEEK_SET) != 0)
        return false;
    while ((length = read(descriptor, bytes, sizeof bytes)) != 0)
        if (length > 0)
            text_add_n(out, bytes, (size_t)length);
        else if (errno != EINTR)
            return false;
    return true;
}

/* The status as from waitpid; negative: it could not be started. */
static int lay_out(int input, int output) {
    int status;
    pid_t child = start_layout(input, output);
    if (child < 0)
        return -1;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return status;
}

static void explain(char *failure, int status) {
    if (status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 127)
        snprintf(failure, FORMAT_FAILURE,
                 "--format svg: Graphviz's \"" LAYOUT "\" is not in PATH: install the package graphviz, or "
                 "write --format dot and lay it out elsewhere");
    else if (status >= 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(failure, FORMAT_FAILURE,
                 "--format svg: the order is too large for Graphviz's \"" LAYOUT "\", which took more than "
                 "%d s: draw a part of it, --focus LOCK, or write --format html",
                 PATIENCE);
    else if (status >= 0 && WIFSIGNALED(status))
        snprintf(failure, FORMAT_FAILURE,
                 "--format svg: Graphviz's \"" LAYOUT "\" was ended by signal %d: draw a part of the graph, "
                 "--focus LOCK",
                 WTERMSIG(status));
    else if (status >= 0)
        snprintf(failure, FORMAT_FAILURE,
                 "--format svg: Graphviz's \"" LAYOUT "\" failed with status %d: draw a part of the graph, "
                 "--focus LOCK",
                 WEXITSTATUS(status));
    else
        snprintf(failure, FORMAT_FAILURE, "--format svg: \"" LAYOUT "\" could not be started: %s",
                 strerror(errno));
}

/* Files and not pipes, so that neither waits for the other. */
static void draw(struct text *out, const struct text *graph, char *failure) {
    int input = memory_file("lockgraph.dot", 0), output = memory_file("lockgraph.svg", 0), status = -1;
    if (input >= 0 && output >= 0 && write_all(input, text_string(graph), graph->length) &&
        lseek(input, 0, SEEK_SET) == 0)
        status = lay_out(input, output);
    if (status != 0 || !read_all(output, out))
        explain(failure, status);
    if (input >= 0)
        close(input);
    if (output >= 0)
        close(output);
}

void format_svg(struct text *out, struct model *model, const struct format_options *options) {
    struct text graph = {0};
    char ignored[FORMAT_FAILURE] = "", *failure = options->failure ? options->failure : ignored;
    format_dot(&graph, model, options);
    if (!failure[0])
        draw(out, &graph, failure);
    text_free(&graph);
}
