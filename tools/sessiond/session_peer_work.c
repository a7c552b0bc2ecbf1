/* Operations on the connection: scrape, send, monitor.  With locks.operation (40) held and
 * a line; storing takes a handle of the pool's (70). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "session_private.h"

enum { PAGE = 100, LOOK_MS = 100 };

static const char *after(const char *line, const char *word) {
    size_t length = strlen(word);
    return strncmp(line, word, length) == 0 ? line + length : NULL;
}

static bool not_understood(struct sd_work *work, struct sd_error *error) {
    sd_line_break(work->session->line);
    return sd_fail_busy(error, "peer", 1, "the peer's answer is not understood");
}

static bool read_line(struct sd_work *work, char line[SD_LINE], struct sd_error *error) {
    int32_t limit_ms = work->session->world->config->peer_read_timeout_ms;
    return sd_line_read(work->session->line, line, limit_ms, work->cancel, error);
}

/* ---- scrape ---- */

struct page {
    size_t count;
    int64_t next;
    struct sd_message messages[PAGE];
};

/* MESSAGE … MESSAGE … END <next>; `line` is the first one. */
static bool take_page(struct sd_work *work, char line[SD_LINE], struct page *page, struct sd_error *error) {
    const char *rest;
    page->count = 0;
    while ((rest = after(line, "MESSAGE ")) != NULL) {
        if (page->count == PAGE || !sd_message_parse(rest, &page->messages[page->count++]))
            return not_understood(work, error);
        if (!read_line(work, line, error))
            return false;
    }
    rest = after(line, "END ");
    return (rest != NULL && sd_parse_number(rest, 0, INT64_MAX, &page->next)) || not_understood(work, error);
}

static bool scrape_page(struct sd_work *work, int64_t from, struct page *page, struct sd_error *error) {
    char line[SD_LINE];
    snprintf(line, sizeof line, "PAGE %lld %d", (long long)from, PAGE);
    return sd_session_ask(work, line, line, error) && take_page(work, line, page, error);
}

/* Each page is stored before the next one is asked for: what is there stays. */
static bool scrape_pages(struct sd_work *work, struct page *page, struct sd_error *error) {
    int64_t from = work->operation->from, pages = 0, messages = 0, stored = 0, new;
    do {
        if (!sd_cancel_check(work->cancel, error) || !scrape_page(work, from, page, error) ||
            (page->count > 0 && !sd_session_store(work, page->messages, page->count, &new, error)))
            return false;
        stored += page->count > 0 ? new : 0;
        messages += (int64_t)page->count;
        from = page->next;
    } while (page->count > 0 && ++pages < work->operation->pages);
    sd_text_format(work->result, "{\"pages\":%lld,\"messages\":%lld,\"stored\":%lld,\"next\":%lld}",
                   (long long)pages, (long long)messages, (long long)stored, (long long)from);
    return true;
}

bool sd_work_scrape(struct sd_work *work, struct sd_error *error) {
    struct page *page = malloc(sizeof *page);
    if (page == NULL)
        return sd_fail_busy(error, "no_memory", 1, "no memory for a page");
    bool done = scrape_pages(work, page, error);
    free(page);
    return done;
}

/* ---- send ---- */

bool sd_work_send(struct sd_work *work, struct sd_error *error) {
    char line[SD_LINE];
    struct sd_message message;
    int64_t stored;
    snprintf(line, sizeof line, "SEND %s", work->operation->text);
    if (!sd_session_ask(work, line, line, error))
        return false;
    const char *number = after(line, "OK ");
    if (number == NULL || !sd_parse_number(number, 0, INT64_MAX, &message.number))
        return not_understood(work, error);
    sd_copy(message.sender, sizeof message.sender, work->session->name);
    sd_copy(message.text, sizeof message.text, work->operation->text);
    if (!sd_session_store(work, &message, 1, &stored, error))
        return false;
    sd_text_format(work->result, "{\"number\":%lld}", (long long)message.number);
    return true;
}

/* ---- monitor ---- */

/* true: it was an event, and was told to the handlers. */
static bool take_event(struct sd_work *work, const char *line) {
    struct sd_message message;
    const char *rest = after(line, "EVENT ");
    if (rest == NULL || !sd_message_parse(rest, &message))
        return false;
    sd_session_call_handlers(work->session, message.sender, message.text);
    return true;
}

static bool follow(struct sd_work *work, int64_t until_ms, int64_t *events, struct sd_error *error) {
    char line[SD_LINE];
    while (sd_left_ms(until_ms) > 0) {
        if (!sd_cancel_check(work->cancel, error))
            return false;
        if (!sd_line_wait(work->session->line, LOOK_MS, work->cancel))
            continue;
        if (!read_line(work, line, error))
            return false;
        if (!take_event(work, line))
            return not_understood(work, error);
        ++*events;
    }
    return true;
}

/* Events that were under way before STOP was heard count, too. */
static bool leave(struct sd_work *work, int64_t *events, struct sd_error *error) {
    char line[SD_LINE];
    int32_t limit_ms = work->session->world->config->peer_read_timeout_ms;
    if (!sd_line_write(work->session->line, "STOP", limit_ms, work->cancel, error))
        return false;
    for (;;) {
        if (!read_line(work, line, error))
            return false;
        if (after(line, "END ") != NULL)
            return true;
        if (!take_event(work, line))
            return not_understood(work, error);
        ++*events;
    }
}

bool sd_work_monitor(struct sd_work *work, struct sd_error *error) {
    struct sd_line *line = work->session->line;
    int64_t events = 0, until_ms = sd_now_ms() + work->operation->seconds * 1000;
    int32_t limit_ms = work->session->world->config->peer_read_timeout_ms;
    bool done = sd_line_write(line, "MONITOR", limit_ms, work->cancel, error) &&
                follow(work, until_ms, &events, error) && leave(work, &events, error);
    if (!done) /* events may still come */
        sd_line_break(line);
    else
        sd_text_format(work->result, "{\"events\":%lld,\"seconds\":%lld}", (long long)events,
                       (long long)work->operation->seconds);
    return done;
}
