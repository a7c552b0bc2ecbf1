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
