/* Locks of C++ and of a library that is loaded later, for an order file: static members,
 * function statics, and what a plugin has for itself.
 *
 * helper
 */
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <mutex>

namespace store {
struct Table {
    static std::mutex rows;
    std::mutex columns[2];
};
std::mutex Table::rows;
static Table table;
} // namespace store

static std::mutex &journal() {
    static std::mutex lock;
    return lock;
}

static void both(std::mutex &outer, std::mutex &inner) {
    std::lock_guard<std::mutex> first(outer);
    std::lock_guard<std::mutex> second(inner);
}

/* The plugin's lock, and this one under it or around it. */
static int with_plugin(const char *path, bool right) {
    void *plugin = dlopen(path, RTLD_NOW);
    auto enter = plugin ? reinterpret_cast<void (*)()>(dlsym(plugin, "plugin_enter")) : nullptr;
    auto leave = plugin ? reinterpret_cast<void (*)()>(dlsym(plugin, "plugin_leave")) : nullptr;
    if (!enter || !leave)
        return 1;
    if (right)
        store::Table::rows.lock();
    enter();
    if (!right) {
        store::Table::rows.lock();
        store::Table::rows.unlock();
    }
    leave();
    if (right)
        store::Table::rows.unlock();
    return 0;
}

int main(int count, char **arguments) {
    const char *what = count > 1 ? arguments[1] : "right";
    both(store::Table::rows, store::table.columns[0]);
    both(store::table.columns[0], journal());
    if (std::strcmp(what, "statics") == 0)
        both(store::table.columns[1], store::Table::rows);
    if (std::strcmp(what, "local") == 0)
        both(journal(), store::table.columns[1]);
    if (count > 2)
        return with_plugin(arguments[2], std::strcmp(what, "plugin") != 0);
    return 0;
}
