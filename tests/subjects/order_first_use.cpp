/* std::mutex members of heap objects, which no call initialises: the order file beside it
 * knows them by the function that takes them first, behind whatever guards stand between.
 *
 * arguments: right | elsewhere | guard | unique | known
 * order: order_first_use.order
 * case: right
 * silent
 * near: level-violation
 * case: elsewhere
 * silent
 * near: level-violation
 * case: guard
 * expect: level-violation none error
 * call: INNER by a guard
 * earlier: OUTER by a guard
 * lock: table
 * says: row (level 20), table (level 10)
 * case: unique
 * expect: level-violation none error
 * call: INNER by a unique lock
 * earlier: OUTER by a unique lock
 * lock: table
 * case: known
 * expect: level-violation none error
 * call: INNER by a guard
 * earlier: OUTER by a guard
 * lock: table
 */
#include <cstring>
#include <memory>
#include <mutex>

struct Table {
    std::mutex lock;
    void add() { std::lock_guard<std::mutex> guard(lock); }           /* INNER by a guard */
    void add_uniquely() { std::unique_lock<std::mutex> guard(lock); } /* INNER by a unique lock */
};

struct Row {
    std::mutex lock;
    template <class Then> void change(Then then) {
        std::lock_guard<std::mutex> guard(lock); /* OUTER by a guard */
        then();
    }
    template <class Then> void change_uniquely(Then then) {
        std::unique_lock<std::mutex> guard(lock); /* OUTER by a unique lock */
        then();
    }
};

int main(int count, char **arguments) {
    const char *what = count > 1 ? arguments[1] : "right";
    auto table = std::make_unique<Table>(), other = std::make_unique<Table>();
    auto row = std::make_unique<Row>();
    if (std::strcmp(what, "right") == 0) {
        table->add();
        std::lock_guard<std::mutex> guard(table->lock);
        row->change([] {});
    } else if (std::strcmp(what, "elsewhere") == 0) {
        { std::lock_guard<std::mutex> guard(other->lock); }
        row->change([&] { other->add(); }); /* main took it first, which the file does not name */
    } else if (std::strcmp(what, "guard") == 0) {
        row->change([&] { table->add(); });
    } else if (std::strcmp(what, "unique") == 0) {
        row->change_uniquely([&] { table->add_uniquely(); });
    } else {
        table->add();
        row->change([] {});
        row->change([&] { table->add(); });
    }
    return 0;
}
