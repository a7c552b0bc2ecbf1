/* One look of `lockgraph top` as text. */
#ifndef LOCKGRAPH_COMMAND_TOP_TEXT_H
#define LOCKGRAPH_COMMAND_TOP_TEXT_H

#include <stdbool.h>

#include "text.h"
#include "top_rows.h"

struct top_page {
    size_t lines, columns; /* of the terminal; 0: no end */
    size_t locks, threads; /* rows at most */
    bool color;
};

/* Lines, each with its end. */
void top_text(struct text *out, struct model *model, const struct top_view *view, uint64_t now_ns,
              const struct top_page *page);

#endif
