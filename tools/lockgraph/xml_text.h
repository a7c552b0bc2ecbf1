/* Text within XML. */
#ifndef LOCKGRAPH_COMMAND_XML_TEXT_H
#define LOCKGRAPH_COMMAND_XML_TEXT_H

#include "text.h"

/* Appends valid UTF-8 so that it is read back the same between tags.  What no XML may hold
 * (https://www.w3.org/TR/xml/#charsets), as U+FFFF, is written like \u{ffff}. */
void xml_add(struct text *out, const char *string);

/* Appends ` name="value"`, of which the same holds. */
void xml_attribute(struct text *out, const char *name, const char *value);

#endif
