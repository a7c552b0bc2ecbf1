/* The six tiers of a session manager, written with the drop-in locks: the right order
 * is silent, and each single reversal is told at the very call.

   arguments: right | 11 | 20 | 21 | 30 | 40 | 50 | 60 | unkeyed | descending | held-dump
   case: right
   silent
   case: 11
   expect: level-violation none error
   call: TAKE the wrong one
   earlier: HOLD the one in the way
   lock: manager.global_task
   says: (level 10), (level 11), manager.metrics was taken at
   case: 20
   expect: level-violation none error
   call: TAKE the wrong one
   earlier: HOLD the one in the way
   lock: manager.metrics
   case: 21
   expect: level-violation none error
   call: TAKE the wrong one
   earlier: HOLD the one in the way
   lock: manager.scrape_slots
   case: 30
   expect: level-violation none error
   call: TAKE the wrong one
   earlier: HOLD the one in the way
   lock: manager.operation_slots
   case: 40
   expect: level-violation none error
   call: TAKE the wrong one
   earlier: HOLD the one in the way
   lock: manager.session_locks
   case: 50
   expect: level-violation none error
   call: TAKE the wrong one
   earlier: HOLD the one in the way
   lock: session.operation
   case: 60
   expect: level-violation none error
   call: TAKE the wrong one
   earlier: HOLD the one in the way
   lock: session.task
   case: unkeyed
   expect: level-violation none error
   call: NEST without a key
   earlier: OUTER of one level
   case: descending
   expect: level-violation none error
   call: NEST in descending order
   earlier: OUTER with the greater key
   case: held-dump
   silent
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lockgraph/lockgraph.h>

enum {
    LEVEL_GLOBAL_TASK = 10,
    LEVEL_METRICS = 11,
    LEVEL_SCRAPE_SLOTS = 20,
    LEVEL_OPERATION_SLOTS = 21,
    LEVEL_SESSION_LOCKS = 30,
    LEVEL_OPERATION = 40,
    LEVEL_TASK = 50,
    LEVEL_HANDLER = 60,
};

static lg_mutex_t global_task = LG_MUTEX_INITIALIZER("manager.global_task", LEVEL_GLOBAL_TASK);
static lg_mutex_t metrics = LG_MUTEX_INITIALIZER("manager.metrics", LEVEL_METRICS);
static lg_sem_t scrape_slots, operation_slots;
static lg_mutex_t sessions[3] = {
    LG_MUTEX_INITIALIZER_KEYED("manager.session_locks", LEVEL_SESSION_LOCKS, 1),
    LG_MUTEX_INITIALIZER_KEYED("manager.session_locks", LEVEL_SESSION_LOCKS, 2),
    LG_MUTEX_INITIALIZER_KEYED("manager.session_locks", LEVEL_SESSION_LOCKS, 3),
};
static lg_mutex_t operation = LG_MUTEX_INITIALIZER("session.operation", LEVEL_OPERATION);
static lg_mutex_t operation_of_other = LG_MUTEX_INITIALIZER("session.operation", LEVEL_OPERATION);
static lg_mutex_t task = LG_MUTEX_INITIALIZER("session.task", LEVEL_TASK);
static lg_mutex_t handler = LG_MUTEX_INITIALIZER("session.handler", LEVEL_HANDLER);

static void expect(int result) {
    if (result != 0) {
        printf("%s\n", strerror(result));
        exit(1);
    }
}

static void in_order(void) {
    expect(lg_mutex_lock(&global_task));
    expect(lg_mutex_lock(&metrics));
    expect(lg_sem_wait(&scrape_slots));
    expect(lg_sem_wait(&operation_slots));
    for (int i = 0; i < 3; i++)
        expect(lg_mutex_lock(&sessions[i]));
    expect(lg_mutex_lock(&operation));
    expect(lg_mutex_lock(&task));
    expect(lg_mutex_lock(&handler));
    expect(lg_mutex_unlock(&handler));
    expect(lg_mutex_unlock(&task));
    expect(lg_mutex_unlock(&operation));
    for (int i = 0; i < 3; i++)
        expect(lg_mutex_unlock(&sessions[i]));
    expect(lg_sem_post(&operation_slots));
    expect(lg_sem_post(&scrape_slots));
    expect(lg_mutex_unlock(&metrics));
    expect(lg_mutex_unlock(&global_task));
}

struct tier {
    int level;
    lg_mutex_t *lock; /* or */
    lg_sem_t *slots;
};
static int take(const struct tier *tier) {
    return tier->lock ? lg_mutex_lock(tier->lock) : lg_sem_wait(tier->slots);
}
static void give(const struct tier *tier) {
    expect(tier->lock ? lg_mutex_unlock(tier->lock) : lg_sem_post(tier->slots));
}

/* Each tier under the next one.  Where that is refused nothing was taken. */
static void reversed(int level) {
    static const struct tier tiers[] = {{LEVEL_GLOBAL_TASK, &global_task, NULL},
                                        {LEVEL_METRICS, &metrics, NULL},
                                        {LEVEL_SCRAPE_SLOTS, NULL, &scrape_slots},
                                        {LEVEL_OPERATION_SLOTS, NULL, &operation_slots},
                                        {LEVEL_SESSION_LOCKS, &sessions[0], NULL},
                                        {LEVEL_OPERATION, &operation, NULL},
                                        {LEVEL_TASK, &task, NULL},
                                        {LEVEL_HANDLER, &handler, NULL}};
    for (int i = 1; i < 8; i++) {
        if (tiers[i].level != level)
            continue;
        expect(take(&tiers[i]));          /* HOLD the one in the way */
        int result = take(&tiers[i - 1]); /* TAKE the wrong one */
        printf("%s\n", strerror(result));
        if (result == 0)
            give(&tiers[i - 1]);
        give(&tiers[i]);
    }
}

static void unkeyed(void) {
    expect(lg_mutex_lock(&operation));          /* OUTER of one level */
    expect(lg_mutex_lock(&operation_of_other)); /* NEST without a key */
    expect(lg_mutex_unlock(&operation_of_other));
    expect(lg_mutex_unlock(&operation));
}

static void descending(void) {
    expect(lg_mutex_lock(&sessions[1])); /* OUTER with the greater key */
    expect(lg_mutex_lock(&sessions[0])); /* NEST in descending order */
    expect(lg_mutex_unlock(&sessions[0]));
    expect(lg_mutex_unlock(&sessions[1]));
}

static void dump(void) {
    LG_WITH(&global_task) {
        lg_assert_held(&global_task);
        lg_assert_not_held(&metrics);
        lg_held_dump();
    }
}

int main(int count, char **arguments) {
    const char *what = count > 1 ? arguments[1] : "right";
    expect(lg_sem_init(&scrape_slots, "manager.scrape_slots", LEVEL_SCRAPE_SLOTS, 4));
    expect(lg_sem_init(&operation_slots, "manager.operation_slots", LEVEL_OPERATION_SLOTS, 4));
    if (strcmp(what, "unkeyed") == 0)
        unkeyed();
    else if (strcmp(what, "descending") == 0)
        descending();
    else if (strcmp(what, "held-dump") == 0)
        dump();
    else if (strcmp(what, "right") != 0)
        reversed(atoi(what));
    else
        for (int i = 0; i < 1000; i++)
            in_order();
    return 0;
}
