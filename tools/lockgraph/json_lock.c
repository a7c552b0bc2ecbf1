#include "json_lock.h"

#include "json_parts.h"

json_t *json_level(const struct model_class *class) {
    return class && class->level != NO_LEVEL ? json_integer(class->level) : json_null();
}

static json_t *stats_of(const struct model_lock *lock) {
    if (!lock->info)
        return json_null();
    const struct lgr_lock_stats *stats = lgr_stats_of_lock(lock->process->file, lock->raw);
    return json_packed("{s:I, s:I, s:I, s:I}", "contended", (json_int_t)stats->contended, "wait_total_ns",
                       (json_int_t)stats->wait_total_ns, "wait_max_ns", (json_int_t)stats->wait_max_ns,
                       "waiters_max", (json_int_t)stats->waiters_max);
}

void json_add_level_name(json_t *object, const struct model_class *class) {
    if (class && class->level_name)
        json_object_set_new(object, "level_name", json_text(class->level_name));
}

json_t *json_lock(const struct model_lock *lock) {
    const struct model_class *class = lock->class;
    json_t *object = json_packed("{s:s, s:o, s:s, s:s, s:o, s:o, s:o}", "id", lock->id, "class",
                                 json_text(class ? class->id : NULL), "name", lock->name, "kind", lock->kind,
                                 "level", json_level(class), "init_at",
                                 json_frame(class ? class->init_at : NULL), "stats", stats_of(lock));
    json_add_level_name(object, class);
    return object;
}
