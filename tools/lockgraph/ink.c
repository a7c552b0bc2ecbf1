#include "ink.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "record/format.h"

static const char *const codes[] = {
    [INK_ERROR] = "1;31", [INK_WARNING] = "1;33", [INK_NOTE] = "36",
    [INK_GOOD] = "1;32",  [INK_BOLD] = "1",       [INK_DIM] = "2",
};

void ink_add(struct text *out, bool color, enum ink ink, const char *string) {
    if (color && ink != INK_NONE)
        text_printf(out, "\033[%sm%s\033[0m", codes[ink], string);
    else
        text_add(out, string);
}

enum ink ink_of_severity(unsigned severity) {
    return severity == LGR_NOTE ? INK_NOTE : severity == LGR_WARNING ? INK_WARNING : INK_ERROR;
}

bool ink_wanted(FILE *stream) {
    const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
    if ((no_color && no_color[0]) || (terminal && strcmp(terminal, "dumb") == 0))
        return false;
    return isatty(fileno(stream)) == 1;
}

size_t ink_columns(FILE *stream) {
    struct winsize size = {0};
    return ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
