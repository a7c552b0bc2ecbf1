/* What local_static_plugin loads.
 *
 * helper
 */
#include <unistd.h>

#include "turns.h"

extern "C" {
int use_first();
int use_second();
int use_thrower();
int use_itself();
}

struct First {
    First() {
        next_turn();
        await_turn(2);
        value = use_second();
    }
    int value;
};

struct Second {
    Second() {
        next_turn();
        await_turn(2);
        value = use_first();
    }
    int value;
};

struct Thrower {
    Thrower() {
        static int tries; /* one thread at a time */
        usleep(1000);
        if (++tries < 50)
            throw tries;
        value = tries;
    }
    int value;
};

struct Itself {
    Itself() { value = use_itself(); }
    int value;
};

int use_first() {
    static First variable;
    return variable.value;
}

int use_second() {
    static Second variable;
    return variable.value;
}

int use_thrower() {
    for (;;) {
        try {
            static Thrower variable;
            return variable.value;
        } catch (int) {
        }
    }
}

int use_itself() {
    static Itself variable;
    return variable.value;
}

int main() { return 0; }
