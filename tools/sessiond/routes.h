/* Routes: a table in each group's file, joined in routes.c, in the order of looking.
 * The server has checked method, token, rate and limits before it calls one.  No locks here. */
#ifndef SD_ROUTES_H
#define SD_ROUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http_context.h"
#include "http_reply.h"
#include "http_request.h"

enum sd_access {
    SD_OPEN,
    SD_USER,
    SD_ADMIN,
    SD_ADMIN_OR_PAGE /* as SD_ADMIN; but a browser is given the page, in which no figure is */
};

struct sd_route {
    const char *method;
    const char *path; /* with {id} or {name}; also the label in metrics */
    enum sd_access access;
    enum MHD_Result (*answer)(struct sd_request *request, const struct sd_http_context *context);
};
struct sd_route_group {
    const struct sd_route *routes;
    size_t count;
};
extern const struct sd_route_group sd_routes_health, sd_routes_sessions, sd_routes_tasks, sd_routes_me,
    sd_routes_events, sd_routes_monitoring;

struct sd_route_match {
    const struct sd_route *route;
    uint64_t id;   /* of {id} */
    char name[64]; /* of {name} */
};
/* false: 404 not_found, 405 where another method would do, or 400 where {id} is no number;
 * the match has the route whose path fits, for the metrics, or NULL. */
bool sd_route_find(const char *method, const char *path, struct sd_route_match *match,
                   struct sd_error *error);
/* "GET, POST": for the header Allow of 405. */
void sd_route_methods(const char *path, char *methods, size_t room);

#endif
