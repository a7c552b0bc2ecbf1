#include <jansson.h>
#include <stdlib.h>

#include "exit_code.h"
#include "format.h"
#include "html_data.h"
#include "html_page.h"

void format_html(struct text *out, struct model *model, const struct format_options *options) {
    json_t *root = html_data(model, options);
    char *dump = root ? json_dumps(root, JSON_COMPACT) : NULL;
    if (!dump) {
        fputs("lockgraph: out of memory\n", stderr);
        exit(EXIT_INTERNAL);
    }
    struct text data = {0};
    html_escape(&data, dump);
    html_page(out, text_string(&data));
    text_free(&data);
    free(dump);
    json_decref(root);
}
