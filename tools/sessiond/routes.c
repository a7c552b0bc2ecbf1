#include "routes.h"

#include <string.h>

#include "text.h"

static const struct sd_route_group *const groups[] = {&sd_routes_health, &sd_routes_sessions,
                                                      &sd_routes_tasks,  &sd_routes_me,
                                                      &sd_routes_events, &sd_routes_monitoring};
enum { GROUPS = sizeof groups / sizeof groups[0] };

/* The segment between slashes: its end. */
static const char *segment_end(const char *at) { return at + strcspn(at, "/"); }

static bool take_name(const char *at, const char *end, struct sd_route_match *match) {
    size_t length = (size_t)(end - at);
    if (length == 0 || length >= sizeof match->name)
        return false;
    memcpy(match->name, at, length);
    match->name[length] = 0;
    return true;
}

static bool segment_fits(const char *pattern, const char *pattern_end, const char *at, const char *end,
                         struct sd_route_match *match) {
    if (*pattern == '{')
        return take_name(at, end, match);
    return pattern_end - pattern == end - at && memcmp(pattern, at, (size_t)(end - at)) == 0;
}

static bool path_fits(const char *pattern, const char *path, struct sd_route_match *match) {
    for (;;) {
        const char *pattern_end = segment_end(pattern), *end = segment_end(path);
        if (!segment_fits(pattern, pattern_end, path, end, match) || *pattern_end != *end)
            return false;
        if (*end == 0)
            return true;
        pattern = pattern_end + 1;
        path = end + 1;
    }
}

static bool method_fits(const struct sd_route *route, const char *method) {
    return strcmp(route->method, method) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

static bool read_id(struct sd_route_match *match, struct sd_error *error) {
    int64_t id;
    if (strstr(match->route->path, "{id}") == NULL)
        return true;
    if (!sd_parse_number(match->name, 1, INT64_MAX, &id))
        return sd_fail_field(error, "id", "give a number from 1 in the path");
    match->id = (uint64_t)id;
    return true;
}

bool sd_route_find(const char *method, const char *path, struct sd_route_match *match,
                   struct sd_error *error) {
    *match = (struct sd_route_match){0};
    for (size_t group = 0; group < GROUPS; group++)
        for (size_t i = 0; i < groups[group]->count; i++) {
            const struct sd_route *route = &groups[group]->routes[i];
            if (!path_fits(route->path, path, match))
                continue;
            match->route = route;
            if (method_fits(route, method))
                return read_id(match, error);
        }
    if (match->route != NULL)
        return sd_fail(error, 405, "bad_method", "%s is not for this path", method);
    return sd_fail(error, 404, "not_found", "there is nothing at this path");
}

void sd_route_methods(const char *path, char *methods, size_t room) {
    struct sd_route_match match;
    methods[0] = 0;
    for (size_t group = 0; group < GROUPS; group++)
        for (size_t i = 0; i < groups[group]->count; i++) {
            const struct sd_route *route = &groups[group]->routes[i];
            if (!path_fits(route->path, path, &match))
                continue;
            size_t length = strlen(methods);
            sd_copy(methods + length, room - length, length == 0 ? "" : ", ");
            length = strlen(methods);
            sd_copy(methods + length, room - length, route->method);
        }
}
