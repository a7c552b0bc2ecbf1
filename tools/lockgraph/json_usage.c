#include "json_usage.h"

#include "json_parts.h"

static json_t *times_object(const struct lgr_times *times) {
    json_t *buckets = json_array();
    for (unsigned i = 0; i < LGR_BUCKETS; i++) {
        uint64_t edge = lgr_bucket_edge(i);
        if (times->buckets[i])
            json_array_append_new(
                buckets, json_packed("{s:o, s:I}", "le_ns",
                                     edge == UINT64_MAX ? json_null() : json_integer((json_int_t)edge),
                                     "count", (json_int_t)times->buckets[i]));
    }
    return json_packed("{s:I, s:I, s:I, s:o}", "count", (json_int_t)lgr_times_count(times), "total_ns",
                       (json_int_t)times->total_ns, "max_ns", (json_int_t)times->max_ns, "buckets", buckets);
}

static json_t *waits_object(const struct lgr_figures *figures) {
    return json_packed("{s:I, s:I, s:I, s:o}", "contended", (json_int_t)figures->contended, "owner_changes",
                       (json_int_t)figures->owner_changes, "waiters_max", (json_int_t)figures->waiters_max,
                       "wait", times_object(&figures->wait));
}

json_t *json_usage(const struct model_class *class, const struct usages *usages) {
    json_t *object = NULL, *sites = json_array();
    for (size_t i = 0; i < usages->count; i++) {
        const struct usage *usage = &usages->list[i];
        if (usage->class != class)
            continue;
        json_t *waits = waits_object(&usage->figures);
        if (usage->at) {
            json_object_set_new(waits, "at", json_frame(usage->at));
            json_array_append_new(sites, waits);
        } else {
            json_object_set_new(waits, "hold",
                                lgr_times_count(&usage->figures.hold) ? times_object(&usage->figures.hold)
                                                                      : json_null());
            if (usage->figures.estimated)
                json_object_set_new(waits, "hold_untimed",
                                    json_integer((json_int_t)usage->figures.estimated));
            object = waits;
        }
    }
    if (object)
        json_object_set_new(object, "sites", sites);
    else
        json_decref(sites);
    return object;
}
