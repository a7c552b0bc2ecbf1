#include "html_page.h"

#include <string.h>

/* HTML_FILES is the directory, from CMake, which also knows that this depends on them. */
#define EMBED(name, file)                                                                                    \
    __asm__(".pushsection .rodata\n"                                                                         \
            "html_" #name ":\n"                                                                              \
            ".incbin \"" HTML_FILES "/" file "\"\n"                                                          \
            ".byte 0\n"                                                                                      \
            ".popsection\n");                                                                                \
    extern const char name[] __asm__("html_" #name) __attribute__((visibility("hidden")))

EMBED(template_text, "page.html");
EMBED(style_text, "page.css");
EMBED(basics_text, "basics.js");
EMBED(stacks_text, "stacks.js");
EMBED(findings_text, "findings.js");
EMBED(layout_text, "layout.js");
EMBED(graph_text, "graph.js");
EMBED(timeline_text, "timeline.js");
EMBED(contention_text, "contention.js");
EMBED(page_text, "page.js");

static void add_style(struct text *out, const char *data) {
    (void)data;
    text_add(out, style_text);
}

static void add_data(struct text *out, const char *data) { text_add(out, data); }

static void add_script(struct text *out, const char *data) {
    (void)data;
    const char *const files[] = {basics_text, stacks_text,   findings_text,   layout_text,
                                 graph_text,  timeline_text, contention_text, page_text};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        text_add(out, files[i]);
}

static const struct {
    const char *line;
    void (*add)(struct text *out, const char *data);
} places[] = {{"<!-- style -->", add_style}, {"<!-- data -->", add_data}, {"<!-- script -->", add_script}};

static void add_line(struct text *out, const char *line, size_t length, const char *data) {
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (strncmp(line, places[i].line, length) == 0 && places[i].line[length] == 0) {
            places[i].add(out, data);
            return;
        }
    text_add_n(out, line, length);
}

void html_page(struct text *out, const char *data) {
    for (const char *at = template_text; *at;) {
        size_t length = strcspn(at, "\n");
        if (length)
            add_line(out, at, length, data);
        text_add(out, "\n");
        at += length + (at[length] == '\n');
    }
}

/* Bytes of the character at `at` that must not be left as they are; 0: it may. */
static size_t harmful(const char *at) {
    if (*at == '<' || *at == '>' || *at == '&')
        return 1;
    return strncmp(at, "\xe2\x80\xa8", 3) == 0 || strncmp(at, "\xe2\x80\xa9", 3) == 0 ? 3 : 0;
}

void html_escape(struct text *out, const char *json) {
    const char *clean = json;
    for (size_t length; *json; json += length ? length : 1) {
        length = harmful(json);
        if (length == 0)
            continue;
        text_add_n(out, clean, (size_t)(json - clean));
        unsigned code = length == 1 ? (unsigned)*json : 0x2028u + (json[2] == '\xa9');
        text_printf(out, "\\u%04x", code);
        clean = json + length;
    }
    text_add(out, clean);
}
