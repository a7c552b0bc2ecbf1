#include "engine/thread_set.h"

#include "platform/memory.h"

bool lge_set_contains(const struct lge_thread_set *set, const struct lge_thread *thread) {
    for (size_t i = 0; i < set->count; i++)
        if (set->members[i].thread == thread)
            return true;
    return false;
}

static bool make_room(struct lge_thread_set *set) {
    if (set->count < set->room)
        return true;
    size_t room = set->room ? set->room * 2 : 32;
    struct lge_member *more = lgp_resize(set->members, set->room * sizeof *more, room * sizeof *more);
    if (more == NULL)
        return false;
    set->members = more;
    set->room = room;
    return true;
}

static bool append(struct lge_thread_set *set, struct lge_thread *thread) {
    uint32_t sequence = lge_wait_sequence(thread);
    if (!lge_waiting(sequence) || !make_room(set))
        return false;
    set->members[set->count++] = (struct lge_member){thread, sequence};
    return true;
}

bool lge_set_add(struct lge_thread_set *set, struct lge_thread *thread) {
    return thread != NULL && (lge_set_contains(set, thread) || append(set, thread));
}

bool lge_set_add_everybody(struct lge_thread_set *set) {
    bool all = true, fresh = set->count == 0;
    lge_threads_lock();
    for (struct lge_thread *t = lge_threads_first(); t != NULL && all; t = t->next_in_list)
        all = t->life == LGE_THREAD_ENDED || (fresh ? append(set, t) : lge_set_add(set, t));
    lge_threads_unlock();
    return all;
}

bool lge_set_unchanged(const struct lge_thread_set *set) {
    for (size_t i = 0; i < set->count; i++)
        if (!lge_wait_unchanged(set->members[i].thread, set->members[i].sequence))
            return false;
    return true;
}

void lge_set_free(struct lge_thread_set *set) { lgp_free(set->members, set->room * sizeof *set->members); }
