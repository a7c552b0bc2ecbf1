#include "format.h"
#include "html_data.h"
#include "html_page.h"
#include "json_parts.h"

void format_html(struct text *out, struct model *model, const struct format_options *options) {
    struct text json = {0}, data = {0};
    json_write_as(&json, html_data(model, options), JSON_COMPACT);
    html_escape(&data, text_string(&json));
    text_free(&json);
    html_page(out, text_string(&data));
    text_free(&data);
}
