#include "xml_text.h"

#include <string.h>

static const char *escape_of(unsigned char character) {
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    default:
        return NULL;
    }
}

static void add(struct text *out, const char *string, const char *newline) {
    for (; *string; string++) {
        unsigned char character = (unsigned char)*string;
        const char *escape = escape_of(character);
        if (escape) {
            text_add(out, escape);
        } else if (strncmp(string, "\xef\xbf\xbe", 3) == 0 || strncmp(string, "\xef\xbf\xbf", 3) == 0) {
            text_printf(out, "\\u{fff%c}", string[2] == '\xbe' ? 'e' : 'f');
            string += 2;
        } else if (character == '\n') {
            text_add(out, newline);
        } else if (character >= 0x20) {
            text_add_n(out, string, 1);
        } else {
            text_printf(out, "\\x%02x", character);
        }
    }
}

void xml_add(struct text *out, const char *string) { add(out, string, "\n"); }

/* A bare newline would be read back as a space. */
void xml_attribute(struct text *out, const char *name, const char *value) {
    text_printf(out, " %s=\"", name);
    add(out, value, "&#10;");
    text_add(out, "\"");
}
