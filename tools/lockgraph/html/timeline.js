/* Threads over time, as far as the evidence has times. */
const STATES = {held: "held", contended: "held while others wait", blocked: "waits"};
const LANES_AT_ONCE = 24, BAR_LEAST = 3, BAR_NARROW = 6, LETTER = 7.2;
const timeline = {lanes: [], whole: null, view: null, limit: LANES_AT_ONCE};

/* ---- rows ---- */

/* Spans of a lane that overlap are told one below the other. */
function stacked(spans, end) {
    const rows = [];
    for (const span of [...spans].sort((a, b) => a.start_us - b.start_us || (b.end_us ?? end) - (a.end_us ?? end))) {
        let row = rows.find((one) => one.until <= span.start_us);
        if (!row) {
            rows.push(row = {until: 0, spans: []});
        }
        row.until = span.end_us ?? end;
        row.spans.push(span);
    }
    return rows;
}

function laneRows(lane, text) {
    const all = lane.label.toLowerCase().includes(text);
    const spans = lane.spans.filter((span) => all || span.text.toLowerCase().includes(text));
    return {label: lane.label, rows: stacked(spans, timeline.whole.to)};
}

/* ---- bars: what is too short to be told apart is one ---- */

function barsOf(row, width) {
    const {from, to} = timeline.view, scale = width / (to - from), bars = [];
    for (const span of row.spans) {
        const end = span.end_us ?? timeline.whole.to;
        if (end < from || span.start_us > to) {
            continue;
        }
        const left = (Math.max(span.start_us, from) - from) * scale, right = (Math.min(end, to) - from) * scale;
        const last = bars[bars.length - 1], touches = last && left < last.right + 1;
        if (touches && right - left < BAR_NARROW && (last.spans.length > 1 || last.right - last.left < BAR_NARROW)) {
            last.spans.push(span);
            last.right = Math.max(last.right, right);
        } else {
            const start = touches ? last.right + 1 : left;
            bars.push({spans: [span], left: start, right: Math.max(right, start + BAR_LEAST)});
        }
    }
    return bars;
}

function sum(values) {
    return values.reduce((total, value) => total + value, 0);
}

function waitedTime(span) {
    return sum((span.waited || []).map(([from, to]) => to - from));
}

/* Of several in one bar: how much of their time was what, from top to bottom. */
function sharesOf(bar) {
    const time = {held: 0, contended: 0, blocked: 0};
    for (const span of bar.spans) {
        const waited = waitedTime(span);
        time[span.state] += (span.end_us ?? timeline.whole.to) - span.start_us - waited;
        time.contended += waited;
    }
    const all = time.held + time.contended + time.blocked || 1;
    const first = time.blocked / all * 100, second = first + time.contended / all * 100;
    return `linear-gradient(to bottom, var(--blocked) ${first}%, var(--contended) ${first}% ${second}%, var(--held) ${second}%)`;
}

/* ---- words ---- */

function spanWords(span) {
    const about = span.at ? "" : "at least ";
    const length = span.end_us === null ? "to the end" : `for ${about}${duration((span.end_us - span.start_us) * 1000)}`;
    const waited = span.waited ? `; others wait for ${duration(waitedTime(span) * 1000)} of it` : "";
    const place = span.at ? `; ${span.state === "blocked" ? "at" : "taken at"} ${span.at}` : "";
    const holder = span.holder ? `; held by ${span.holder}` : "";
    return `${span.text}, ${STATES[span.state]}, from ${duration(span.start_us * 1000)} on, ${length}${waited}${place}${holder}`;
}

function barLabel(bar) {
    const waits = bar.spans.filter((span) => span.state === "blocked").length, holds = bar.spans.length - waits;
    const parts = [holds ? counted(holds, "hold") : "", waits ? counted(waits, "wait") : ""].filter(Boolean);
    return bar.spans.length === 1 ? bar.spans[0].text : parts.join(" and ");
}

function barWords(bar) {
    return bar.spans.length === 1 ? spanWords(bar.spans[0]) : `${barLabel(bar)}, close together: choose this to look closer`;
}

/* ---- drawing ---- */

function waitedParts(bar) {
    const [span] = bar.spans, end = span.end_us ?? timeline.whole.to;
    const from = Math.max(span.start_us, timeline.view.from), to = Math.min(end, timeline.view.to);
    return (bar.spans.length > 1 || !span.waited ? [] : span.waited).filter(([start, until]) => until >= from && start <= to).map(([start, until]) => {
        const part = make("i", {class: "waited"});
        part.style.left = `${(Math.max(start, from) - from) / (to - from) * 100}%`;
        part.style.width = `max(1px, ${(Math.min(until, to) - Math.max(start, from)) / (to - from) * 100}%)`;
        return part;
    });
}

/* Where the words do not fit in, they stand beside it, if there is room. */
function besideOf(bar, previous, next, width) {
    const needed = barLabel(bar).length * LETTER + 20, own = bar.right - bar.left;
    if (own >= Math.min(needed, 72)) {
        return "";
    }
    if (bar.spans.length > 1) {
        return " silent";
    }
    if ((next ? next.left : width) - bar.right > needed) {
        return " right";
    }
    return bar.left - (previous ? previous.right : 0) > needed * (previous ? 2 : 1) ? " left" : " silent";
}

function drawBar(bar, previous, next, width) {
    const words = barWords(bar), beside = besideOf(bar, previous, next, width), state = bar.spans.length > 1 ? "several" : bar.spans[0].state;
    const button = make("button", {type: "button", class: `span ${state}${beside}`, "aria-label": words, tabindex: "-1",
                                   "data-words": words, onclick: () => lookCloser(bar)},
        waitedParts(bar), beside === " silent" ? null : make("span", {}, barLabel(bar)));
    if (state === "several") {
        button.style.background = sharesOf(bar);
    }
    button.style.left = `${bar.left / width * 100}%`;
    button.style.width = `max(${BAR_LEAST}px, ${(bar.right - bar.left) / width * 100}%)`;
    return make("li", {}, button);
}

function drawLane(lane, width) {
    const tracks = lane.rows.map((row) => {
        const bars = barsOf(row, width);
        return make("ul", {class: "track"}, bars.map((bar, i) => drawBar(bar, bars[i - 1], bars[i + 1], width)));
    });
    return make("div", {class: "lane"}, make("h3", {title: lane.label}, lane.label), make("div", {class: "tracks"}, tracks));
}

/* A moment, with as many digits as tell the ticks apart. */
function moment(us, step) {
    const [unit, size] = us >= 1e6 || step >= 1e6 ? ["s", 1e6] : us >= 1e3 ? ["ms", 1e3] : ["µs", 1];
    return `${(us / size).toFixed(Math.max(0, Math.min(6, Math.ceil(Math.log10(size / step)) + 1)))} ${unit}`;
}

function axis() {
    const {from, to} = timeline.view;
    const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => {
        const tick = make("span", {}, moment(from + (to - from) * part, (to - from) / 4));
        tick.style.left = `${part * 100}%`;
        return tick;
    });
    return make("div", {class: "lane axis", "aria-hidden": "true"}, make("span"), make("div", {class: "track"}, ticks));
}

function timelineWidth() {
    const width = byId("timeline-body").clientWidth;
    return Math.max(120, window.innerWidth > 860 ? width - 266 : width - 30);
}

function drawTimeline() {
    const text = byId("timeline-text").value.trim().toLowerCase(), width = timelineWidth();
    const lanes = timeline.lanes.map((lane) => laneRows(lane, text)).filter((lane) => lane.rows.length);
    const shown = lanes.slice(0, timeline.limit), {view, whole} = timeline;
    replace(byId("timeline-lanes"), ...shown.map((lane) => drawLane(lane, width)),
        shown.length ? axis() : make("p", {class: "muted"}, "No hold or wait has that in its name."));
    const bars = [...byId("timeline-lanes").querySelectorAll(".span")];
    reachable(bars, bars[0]);
    byId("timeline-more").hidden = lanes.length <= timeline.limit;
    byId("timeline-more").textContent = `Show all ${number(lanes.length)} threads`;
    byId("timeline-count").textContent = `${duration(Math.round(view.to - view.from) * 1000)} of ${duration(Math.round(whole.to - whole.from) * 1000)}, ${counted(lanes.length, "thread")}`;
    for (const [id, off] of [["timeline-out", view.to - view.from >= whole.to - whole.from], ["timeline-whole", view.to - view.from >= whole.to - whole.from],
                             ["timeline-earlier", view.from <= whole.from], ["timeline-later", view.to >= whole.to], ["timeline-in", view.to - view.from <= 10]]) {
        byId(id).disabled = off;
    }
}

/* ---- closer and further ---- */

function look(from, to) {
    const {whole} = timeline, length = Math.min(Math.max(to - from, 10), whole.to - whole.from);
    const start = Math.min(Math.max(from, whole.from), whole.to - length);
    timeline.view = {from: start, to: start + length};
    drawTimeline();
}

function zoom(factor) {
    const {from, to} = timeline.view, middle = (from + to) / 2, half = (to - from) / 2 * factor;
    look(middle - half, middle + half);
}

function move(part) {
    const {from, to} = timeline.view;
    look(from + (to - from) * part, to + (to - from) * part);
}

/* One takes a third of the width, several all of it.  The focus stays on what was chosen. */
function lookCloser(bar) {
    const first = Math.min(...bar.spans.map((span) => span.start_us)), last = Math.max(...bar.spans.map((span) => span.end_us ?? timeline.whole.to));
    const room = (last - first) * (bar.spans.length === 1 ? 1 : 0.02) + 1;
    look(first - room, last + room);
    const words = barWords({spans: [bar.spans[0]]});
    const bars = [...byId("timeline-lanes").querySelectorAll(".span")];
    const same = bars.find((one) => one.dataset.words === words) || bars[0];
    reachable(bars, same);
    same.focus({preventScroll: true});
}

/* What happened, with room before it; an open end gets a little, too. */
function rangeOf(lanes, end) {
    let from = Infinity, last = end;
    for (const span of lanes.flatMap((lane) => lane.spans)) {
        from = Math.min(from, span.start_us);
        last = Math.max(last, span.end_us ?? span.start_us);
    }
    const room = Math.max((last - from) * 0.02, 10), open = lanes.some((lane) => lane.spans.some((span) => span.end_us === null));
    return {from: Math.max(0, from - room), to: open ? last + room * 4 : Math.max(last, from + room)};
}

/* ---- the whole ---- */

function timelineAbout() {
    const {least_ns: least} = report.timeline;
    return make("p", {class: "muted"}, "From the start of the first process. ", least === null
        ? "Only what is recorded by itself: waits that had not ended, deadlocks, stalls, and waits and holds over their limit. For single holds and waits run with "
        : `Every hold and wait of ${duration(least)} or more that was over; deadlocks, and waits that were not. Shorter ones are not recorded. Choose a bar to look closer.`,
    least === null ? make("code", {}, "-O timeline=100us") : null, least === null ? "." : null);
}

function timelineTools() {
    const step = (id, words, action) => make("button", {type: "button", id, onclick: action}, words);
    return make("div", {class: "tools", role: "search", "aria-label": "Timeline"},
        make("label", {class: "field"}, make("span", {}, "Filter"), make("input", {type: "search", id: "timeline-text", placeholder: "lock or thread", autocomplete: "off", oninput: drawTimeline})),
        make("div", {class: "steps-of-time", role: "group", "aria-label": "What is shown of the time"},
            step("timeline-in", "Closer", () => zoom(0.4)), step("timeline-out", "Further", () => zoom(2.5)),
            step("timeline-earlier", "Earlier", () => move(-0.6)), step("timeline-later", "Later", () => move(0.6)),
            step("timeline-whole", "Whole run", () => look(timeline.whole.from, timeline.whole.to))),
        make("p", {class: "count muted", id: "timeline-count", role: "status", "aria-live": "polite"}));
}

function tellBar(event) {
    const bar = event.target.closest(".span");
    byId("timeline-words").textContent = bar ? bar.dataset.words : "";
}

function startTimeline() {
    if (report.timeline.lanes.length === 0) {
        replace(byId("timeline-body"), make("p", {class: "empty"},
            "No wait or hold of this run has a time of its own. Single ones are recorded by ", make("code", {}, "lockgraph run -O timeline=100us"),
            ", from that length on; ", make("code", {}, "-O profile=1"), " adds the times of all holds to the table below."));
        return;
    }
    timeline.lanes = report.timeline.lanes.map((lane) => ({...lane, label: report.processes.length > 1 ? `${lane.process}: ${lane.thread}` : lane.thread}));
    timeline.view = timeline.whole = rangeOf(timeline.lanes, report.timeline.end_us);
    const lanes = make("div", {id: "timeline-lanes", class: "lanes", onmouseover: tellBar, onfocusin: tellBar});
    rove(lanes, ".span");
    replace(byId("timeline-body"), timelineAbout(),
        make("ul", {class: "legend", "aria-label": "Legend"}, Object.entries(STATES).map(([state, words]) => make("li", {class: state}, words))),
        timelineTools(), lanes, make("p", {class: "muted words", id: "timeline-words", "aria-hidden": "true"}),
        make("button", {type: "button", id: "timeline-more", onclick: () => {
            timeline.limit = Infinity;
            drawTimeline();
        }}));
    drawTimeline();
    window.addEventListener("resize", drawTimeline);
}
