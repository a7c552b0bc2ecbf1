/* The page of an HTML report: the files of tools/lockgraph/html, which are part of the
 * command.  The template has a line for each of the others, <!-- style --> and so on. */
#ifndef LOCKGRAPH_COMMAND_HTML_PAGE_H
#define LOCKGRAPH_COMMAND_HTML_PAGE_H

#include "text.h"

/* Appends the page; `data` is JSON in which no string can end a script (html_escape). */
void html_page(struct text *out, const char *data);

/* A copy of JSON text in which <, >, &, U+2028 and U+2029, which stand in strings only, are
 * written as escapes. */
void html_escape(struct text *out, const char *json);

#endif
