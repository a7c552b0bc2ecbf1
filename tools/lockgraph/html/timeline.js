/* Threads over time, as far as the evidence has times. */
const STATES = {held: "held", contended: "held while others wait", blocked: "waits"};

/* Spans of a lane that overlap are told one below the other. */
function stacked(spans, end) {
    const rows = [];
    for (const span of [...spans].sort((a, b) => a.start_us - b.start_us)) {
        let row = rows.find((one) => one.until <= span.start_us);
        if (!row) {
            rows.push(row = {until: 0, spans: []});
        }
        row.until = span.end_us === null ? end : span.end_us;
        row.spans.push(span);
    }
    return rows;
}

function spanWords(span) {
    const length = span.end_us === null ? "to the end" : `for at least ${duration((span.end_us - span.start_us) * 1000)}`;
    return `${span.text}, ${STATES[span.state]}, from ${duration(span.start_us * 1000)} on, ${length}`;
}

function spanBar(span, range) {
    const end = span.end_us === null ? range.to : span.end_us;
    const middle = ((span.start_us + end) / 2 - range.from) / (range.to - range.from);
    /* Where the words do not fit in, they stand beside it. */
    const beside = end - span.start_us > (range.to - range.from) * 0.22 ? "" : middle < 0.6 ? " right" : " left";
    const bar = make("li", {class: `span ${span.state}${beside}`, title: spanWords(span), "aria-label": spanWords(span), tabindex: "0"},
        make("span", {}, span.text));
    bar.style.left = `${(span.start_us - range.from) / (range.to - range.from) * 100}%`;
    bar.style.width = `${(end - span.start_us) / (range.to - range.from) * 100}%`;
    return bar;
}

function laneOf(lane, range) {
    const label = report.processes.length > 1 ? `${lane.process}: ${lane.thread}` : lane.thread;
    return make("div", {class: "lane"}, make("h3", {title: label}, label),
        make("div", {class: "tracks"}, stacked(lane.spans, range.to).map((row) =>
            make("ul", {class: "track"}, row.spans.map((span) => spanBar(span, range))))));
}

function axis(range) {
    const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => {
        const tick = make("span", {}, duration(Math.round((range.from + (range.to - range.from) * part) * 1000)));
        tick.style.left = `${part * 100}%`;
        return tick;
    });
    return make("div", {class: "lane axis", "aria-hidden": "true"}, make("span"), make("div", {class: "track"}, ticks));
}

/* What happened, with room before it; an open end gets a little, too. */
function rangeOf(timeline) {
    const spans = timeline.lanes.flatMap((lane) => lane.spans);
    const from = Math.min(...spans.map((span) => span.start_us));
    const last = Math.max(timeline.end_us, ...spans.map((span) => span.end_us || span.start_us));
    const room = Math.max((last - from) * 0.08, 1000);
    return {from: Math.max(0, from - room), to: last > from ? last : last + room * 10};
}

function startTimeline() {
    const {timeline} = report;
    if (timeline.lanes.length === 0) {
        replace(byId("timeline-body"), make("p", {class: "empty"},
            "No wait or hold of this run has a time of its own. Single waits and holds are recorded when they go over a limit: run with ",
            make("code", {}, "-O hold_limit=10ms:lock_timeout=1s"), ", and with ", make("code", {}, "-O profile=1"),
            " for the times of all holds in the table below."));
        return;
    }
    const range = rangeOf(timeline);
    replace(byId("timeline-body"),
        make("p", {class: "muted"}, "From the start of the first process; only what is recorded by itself: waits that had not ended, deadlocks, stalls, and waits and holds over their limit."),
        make("ul", {class: "legend", "aria-label": "Legend"}, Object.entries(STATES).map(([state, words]) => make("li", {class: state}, words))),
        make("div", {class: "lanes"}, timeline.lanes.map((lane) => laneOf(lane, range)), axis(range)));
}
