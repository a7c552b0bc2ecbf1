#include "platform/options.h"

#define FIELD(name)  offsetof(struct lgp_options, name)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const unwinders[] = {"gcc", "fp", "libunwind", "none", NULL};
static const char *const identities[] = {"tag", "table", NULL};
static const char *const deadlock_actions[] = {"leave", "kill", "abort", NULL};
static const char *const check_levels[] = {"default", "off", "note", "warning", "error", NULL};

enum { KIB = 1024, MAXIMUM_NUMBER = INT_MAX };
#define TIB ((uint64_t)1 << 40)

#define CHECK(index, kind, meaning)                                                                          \
    {                                                                                                        \
        .name = "check." kind, .type = LGP_OPTION_CHOICE, .offset = FIELD(check[index]),                     \
        .default_value = "default", .choices = check_levels, .help = meaning                                 \
    }

const struct lgp_option lgp_option_table[] = {
    {.name = "data",
     .type = LGP_OPTION_TEXT,
     .offset = FIELD(data),
     .default_value = "lockgraph.data",
     .help = "directory the evidence is written to"},
    {.name = "max_data",
     .type = LGP_OPTION_SIZE,
     .offset = FIELD(max_data),
     .default_value = "256m",
     .minimum = 64 * KIB,
     .maximum = TIB,
     .help = "size of one evidence file after which only findings are added"},
    {.name = "max_memory",
     .type = LGP_OPTION_SIZE,
     .offset = FIELD(max_memory),
     .default_value = "1g",
     .minimum = 64 * KIB,
     .maximum = TIB,
     .help = "private memory after which the oldest dead evidence is dropped"},
    {.name = "unwinder",
     .type = LGP_OPTION_CHOICE,
     .offset = FIELD(unwinder),
     .default_value = "gcc",
     .choices = unwinders,
     .help = "how call stacks are read; fp needs frame pointers in the whole program"},
    {.name = "stack_depth",
     .type = LGP_OPTION_NUMBER,
     .offset = FIELD(stack_depth),
     .default_value = "24",
     .minimum = 1,
     .maximum = 64,
     .help = "frames kept of a call stack"},
    {.name = "identity",
     .type = LGP_OPTION_CHOICE,
     .offset = FIELD(identity),
     .default_value = "tag",
     .choices = identities,
     .help = "whether a lock is known by a tag inside it or by a table of addresses"},
    {.name = "on_deadlock",
     .type = LGP_OPTION_CHOICE,
     .offset = FIELD(on_deadlock),
     .default_value = "leave",
     .choices = deadlock_actions,
     .help = "what happens to the program once it is deadlocked and that is recorded"},
    {.name = "exitcode",
     .type = LGP_OPTION_NUMBER,
     .offset = FIELD(exitcode),
     .default_value = "0",
     .maximum = 255,
     .help = "exit status of a program with findings of severity error; 0 leaves its own"},
    {.name = "verdict",
     .type = LGP_OPTION_SWITCH,
     .offset = FIELD(verdict),
     .default_value = "1",
     .help = "print the verdict to the standard error at exit"},
    {.name = "search_budget",
     .type = LGP_OPTION_NUMBER,
     .offset = FIELD(search_budget),
     .default_value = "100000",
     .minimum = 1,
     .maximum = MAXIMUM_NUMBER,
     .help = "steps of one search for a cycle until it is put off"},
    {.name = "wait_slice",
     .type = LGP_OPTION_NUMBER,
     .offset = FIELD(wait_slice),
     .default_value = "2",
     .maximum = 3600000,
     .help = "milliseconds after which a waiting thread records its stack"},
    CHECK(LGP_CHECK_ORDER_CYCLE, "order-cycle", "severity of possible deadlocks, by verdict unless set"),
    CHECK(LGP_CHECK_DEADLOCK, "deadlock", "severity of deadlocks that happened"),
    CHECK(LGP_CHECK_SELF_DEADLOCK, "self-deadlock", "severity of a thread that waits for itself"),
    CHECK(LGP_CHECK_UNLOCK_UNHELD, "unlock-unheld", "severity of giving up a lock that nobody holds"),
    CHECK(LGP_CHECK_UNLOCK_FOREIGN, "unlock-foreign",
          "severity of giving up a lock that another thread holds"),
    CHECK(LGP_CHECK_DESTROY_HELD, "destroy-held", "severity of destroying a lock that is held"),
    CHECK(LGP_CHECK_DESTROY_WAITED, "destroy-waited", "severity of destroying a lock that threads wait for"),
    CHECK(LGP_CHECK_USE_DESTROYED, "use-destroyed", "severity of using a lock after it was destroyed"),
    CHECK(LGP_CHECK_REINIT_HELD, "reinit-held", "severity of initialising a lock that is held"),
    CHECK(LGP_CHECK_FREE_HELD, "free-held", "severity of memory that goes away with a held lock in it"),
    CHECK(LGP_CHECK_THREAD_EXIT_HELD, "thread-exit-held", "severity of a thread that ends holding a lock"),
    CHECK(LGP_CHECK_COND_WAIT_UNHELD, "cond-wait-unheld",
          "severity of waiting for a condition with a mutex that is not held"),
    CHECK(LGP_CHECK_COND_TWO_MUTEXES, "cond-two-mutexes",
          "severity of waiting for one condition with two mutexes at once"),
    CHECK(LGP_CHECK_COND_DESTROY_WAITED, "cond-destroy-waited",
          "severity of destroying a condition that threads wait for"),
    CHECK(LGP_CHECK_SIGNAL_UNSAFE, "signal-unsafe", "severity of a lock that a signal handler takes too"),
    CHECK(LGP_CHECK_WRONG_TYPE, "wrong-type", "severity of a call on an object that is of another kind"),
    CHECK(LGP_CHECK_JOIN_SELF, "join-self", "severity of a thread that joins itself"),
    CHECK(LGP_CHECK_SEM_MISUSE, "sem-misuse", "severity of wrong calls on semaphores"),
    CHECK(LGP_CHECK_BARRIER_MISUSE, "barrier-misuse", "severity of wrong calls on barriers"),
    CHECK(LGP_CHECK_ASSERT_FAILED, "assert-failed", "severity of a failed assertion about who holds a lock"),
    CHECK(LGP_CHECK_STALL, "stall", "severity of a process all of whose threads wait for ever"),
    CHECK(LGP_CHECK_LEVEL_VIOLATION, "level-violation",
          "severity of taking a lock against the declared levels"),
    CHECK(LGP_CHECK_WAIT_TIMEOUT, "wait-timeout",
          "severity of a lock wait that takes longer than lock_timeout"),
    CHECK(LGP_CHECK_HOLD_TOO_LONG, "hold-too-long",
          "severity of a lock that is held for longer than allowed"),
    CHECK(LGP_CHECK_BLOCKED_UNDER_LOCK, "blocked-under-lock",
          "severity of blocking calls made with a lock held"),
    CHECK(LGP_CHECK_HEARTBEAT_MISSED, "heartbeat-missed", "severity of a missed heartbeat"),
    CHECK(LGP_CHECK_CANCEL_UNSAFE, "cancel-unsafe", "severity of a cancelled thread that leaves a lock held"),
    CHECK(LGP_CHECK_API_ERROR, "api-error", "severity of calls that fail with an error worth knowing"),
    CHECK(LGP_CHECK_COND_WAIT_HOLDING, "cond-wait-holding",
          "severity of waiting for a condition with another lock held"),
    CHECK(LGP_CHECK_FORK_HELD, "fork-held", "severity of forking while another thread holds a lock"),
    CHECK(LGP_CHECK_USER, "user", "severity of what the program reports itself"),
    {.name = "help",
     .type = LGP_OPTION_SWITCH,
     .offset = FIELD(help),
     .default_value = "0",
     .help = "list the options with their values at start"},
    {.name = "launcher",
     .type = LGP_OPTION_SWITCH,
     .offset = FIELD(launcher),
     .default_value = "0",
     .help = "started by `lockgraph run`",
     .internal = true},
};
const size_t lgp_option_count = COUNT(lgp_option_table);

const char *lgp_check_name(enum lgp_check check) {
    for (size_t i = 0; i < lgp_option_count; i++)
        if (lgp_option_table[i].offset == FIELD(check) + check * sizeof(enum lgp_check_level))
            return lgp_option_table[i].name + sizeof("check.") - 1;
    return "?";
}
