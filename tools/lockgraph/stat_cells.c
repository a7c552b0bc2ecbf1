#include "stat_cells.h"

const char *stat_time(struct pool *pool, uint64_t ns) {
    static const char *const units[] = {"ns", "µs", "ms", "s"};
    double value = (double)ns;
    size_t unit = 0;
    while (unit + 1 < sizeof units / sizeof *units && value >= 999.5) {
        value /= 1000;
        unit++;
    }
    int digits = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    return pool_printf(pool, "%.*f %s", digits, value, units[unit]);
}

void add_cell(struct text *out, const char *cell) {
    size_t width = text_width(cell);
    text_fill(out, ' ', width < CELL_WIDTH ? CELL_WIDTH - width : 1);
    text_add(out, cell);
}

void add_number(struct text *out, struct pool *pool, uint64_t number) {
    add_cell(out, pool_printf(pool, "%lu", (unsigned long)number));
}

void add_time(struct text *out, struct pool *pool, uint64_t ns) { add_cell(out, stat_time(pool, ns)); }
