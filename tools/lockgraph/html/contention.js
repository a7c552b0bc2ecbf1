/* What the locks of each kind cost: sortable, filtered, in pages. */
const ROWS = 25;
const contention = {rows: [], shown: [], page: 0, by: "wait_total", down: true};

function part(times, field) {
    return times ? times[field] : null;
}

const COLUMNS = [
    {key: "name", title: "Lock", value: (one) => one.name, text: (value) => value},
    {key: "acquisitions", title: "Acquisitions", value: (one) => part(one.usage.hold, "count"), text: number},
    {key: "contended", title: "Contended", value: (one) => one.usage.contended, text: number},
    {key: "wait_total", title: "Wait total", value: (one) => part(one.usage.wait, "total_ns"), text: duration},
    {key: "wait_max", title: "Wait max", value: (one) => part(one.usage.wait, "max_ns"), text: duration},
    {key: "hold_total", title: "Hold total", value: (one) => part(one.usage.hold, "total_ns"), text: duration},
    {key: "hold_max", title: "Hold max", value: (one) => part(one.usage.hold, "max_ns"), text: duration},
    {key: "waiters", title: "Waiters", value: (one) => one.usage.waiters_max, text: number},
];

function column(key) {
    return COLUMNS.find((one) => one.key === key);
}

/* What is not known comes last in both directions. */
function compareBy(one, other) {
    const {value} = column(contention.by), a = value(one), b = value(other);
    if (a === null || b === null) {
        return (a === null) - (b === null);
    }
    const order = typeof a === "string" ? a.localeCompare(b) : a - b;
    return contention.down ? -order : order;
}

function heading(one) {
    const sorted = contention.by === one.key ? (contention.down ? "descending" : "ascending") : null;
    return make("th", {scope: "col", "aria-sort": sorted}, make("button", {type: "button", "data-key": one.key, onclick: () => {
        contention.down = contention.by === one.key ? !contention.down : one.key !== "name";
        contention.by = one.key;
        contention.page = 0;
        listContention();
        byId("contention-body").querySelector(`[data-key="${one.key}"]`).focus();
    }}, sorted === null ? null : make("span", {class: "arrow", "aria-hidden": "true"}, contention.down ? "↓" : "↑"), one.title));
}

function row(one) {
    return make("tr", {}, COLUMNS.map((cell, i) => {
        const value = cell.value(one);
        const text = value === null ? "–" : cell.text(value);
        return i === 0 ? make("th", {scope: "row", title: one.full}, text) : make("td", {}, text);
    }));
}

function pager(pages) {
    const step = (by, words) => make("button", {type: "button", disabled: contention.page + by < 0 || contention.page + by >= pages,
                                                onclick: () => {
                                                    contention.page += by;
                                                    listContention();
                                                }}, words);
    return pages < 2 ? [] : [step(-1, "Previous"), make("span", {class: "muted"}, `page ${contention.page + 1} of ${number(pages)}`), step(1, "Next")];
}

function listContention() {
    const text = byId("contention-text").value.trim().toLowerCase();
    contention.shown = contention.rows.filter((one) => one.full.toLowerCase().includes(text) || one.name.toLowerCase().includes(text));
    contention.shown.sort(compareBy);
    const from = contention.page * ROWS;
    replace(byId("contention-head"), make("tr", {}, COLUMNS.map(heading)));
    replace(byId("contention-rows"), ...contention.shown.slice(from, from + ROWS).map(row));
    replace(byId("contention-pages"), ...pager(Math.ceil(contention.shown.length / ROWS)));
    byId("contention-count").textContent = `${number(contention.shown.length)} of ${counted(contention.rows.length, "kind")} of locks`;
}

function startContention() {
    contention.rows = report.classes.filter((one) => one.usage);
    if (contention.rows.length === 0) {
        replace(byId("contention-body"), make("p", {class: "empty"}, "No thread had to wait for a lock. Record acquisitions and holds with ",
            make("code", {}, "lockgraph run -O profile=1"), "."));
        return;
    }
    replace(byId("contention-body"),
        report.holds_timed ? null : make("p", {class: "muted"}, "Acquisitions and holds were not counted: record them with ", make("code", {}, "lockgraph run -O profile=1"), "."),
        make("div", {class: "tools", role: "search", "aria-label": "Contention"},
            make("label", {class: "field"}, make("span", {}, "Filter"), make("input", {type: "search", id: "contention-text", placeholder: "lock", autocomplete: "off", oninput: () => {
                contention.page = 0;
                listContention();
            }})),
            make("p", {class: "count muted", id: "contention-count", role: "status", "aria-live": "polite"})),
        make("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": "Contention by kind of lock"},
            make("table", {}, make("caption", {class: "hidden"}, "Contention by kind of lock; the headings sort"),
                make("thead", {id: "contention-head"}), make("tbody", {id: "contention-rows"}))),
        make("div", {class: "pages", id: "contention-pages"}));
    listContention();
}
