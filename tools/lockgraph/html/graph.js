/* The drawn hierarchy: which locks are in it, and what an edge shows. */
const MOST_DRAWN = 60, MOST_EDGES = 1200, HITS = 8;
const graph = {nodes: new Set(), edges: [], chosen: null, scope: "findings"};

function wrongs(edge) {
    return edge.findings.map((index) => report.findings[index]).filter((finding) => finding.severity !== "note");
}

function isWrong(edge) {
    return wrongs(edge).length > 0;
}

/* ---- what is drawn ---- */

function nestedLocks() {
    return new Set(report.edges.flatMap((edge) => [edge.from, edge.to]));
}

function addNeighbours(nodes) {
    const first = new Set(nodes);
    for (const edge of report.edges) {
        if (nodes.size >= MOST_DRAWN) {
            return;
        }
        if (first.has(edge.from) || first.has(edge.to)) {
            nodes.add(edge.from).add(edge.to);
        }
    }
}

function chooseNodes() {
    const all = nestedLocks();
    const wrong = new Set(report.edges.filter(isWrong).flatMap((edge) => [edge.from, edge.to]));
    if (graph.scope === "all" || all.size <= 24) {
        return all;
    }
    if (wrong.size === 0) {
        report.edges.flatMap((edge) => edge.findings.length ? [edge.from, edge.to] : []).forEach((node) => wrong.add(node));
    }
    if (wrong.size === 0 && report.edges.length) {
        wrong.add(report.edges[0].from);
    }
    addNeighbours(wrong);
    return wrong;
}

function drawnEdges() {
    const edges = report.edges.map((edge, index) => ({index, edge})).filter(({edge}) =>
        graph.nodes.has(edge.from) && graph.nodes.has(edge.to));
    edges.sort((a, b) => isWrong(b.edge) - isWrong(a.edge) || a.index - b.index);
    return edges.slice(0, MOST_EDGES);
}

/* ---- drawing ---- */

function nameOf(index) {
    return report.classes[index].name;
}

function levelOf(index) {
    const {level} = report.classes[index];
    return level === null ? "" : ` (level ${level})`;
}

function shortened(label) {
    return label.length > 30 ? `${label.slice(0, 14)}…${label.slice(-15)}` : label;
}

function arrow(id, kind) {
    return draw("marker", {id, viewBox: "0 0 8 8", refX: "6", refY: "4", markerWidth: "7", markerHeight: "7",
                           orient: "auto-start-reverse", class: kind}, draw("path", {d: "M 0 0.5 L 7.5 4 L 0 7.5 z"}));
}

function edgeWords({edge}) {
    const found = wrongs(edge);
    return `${nameOf(edge.to)} taken while ${nameOf(edge.from)} was held` +
           (found.length ? `, part of ${counted(found.length, "finding")}` : "");
}

function drawEdge(entry, plan, twoWays) {
    const {edge, index} = entry;
    const path = edgePath(plan.boxes.get(edge.from), plan.boxes.get(edge.to), twoWays, plan.all);
    const kind = isWrong(edge) ? "wrong" : "right";
    const group = draw("g", {class: `edge ${kind}`, role: "button", tabindex: "-1", "data-edge": index,
                             "aria-label": edgeWords(entry)},
        draw("path", {class: "hit", d: path}), draw("path", {class: "line", d: path, "marker-end": `url(#arrow-${kind})`}));
    group.addEventListener("mousemove", (event) => hover(event, edge));
    group.addEventListener("mouseleave", unhover);
    return pressable(group, () => {
        unhover();
        chooseEdge(index);
        byId("edge").scrollIntoView({block: "nearest"});
        byId("edge").focus({preventScroll: true});
    });
}

function drawNode(index, box) {
    const wrong = graph.edges.some(({edge}) => isWrong(edge) && (edge.from === index || edge.to === index));
    const group = draw("g", {class: `node${wrong ? " wrong" : ""}`, role: "button", tabindex: "-1", "data-node": index,
                             "aria-label": `${report.classes[index].full}${levelOf(index)}: draw what it is nested with`,
                             transform: `translate(${box.x} ${box.y})`},
        draw("title", {}, report.classes[index].full),
        draw("rect", {width: box.width, height: BOX_HEIGHT, rx: 6}),
        draw("text", {x: box.width / 2, y: BOX_HEIGHT / 2 + 4.5}, shortened(nameOf(index))));
    group.addEventListener("mouseenter", () => stress(index, true));
    group.addEventListener("mouseleave", () => stress(index, false));
    return pressable(group, () => {
        addAround(index);
        drawGraph();
        byId("graph").querySelector(`[data-node="${index}"]`).focus();
    });
}

/* What a box is joined to stands out while the pointer is on it. */
function stress(index, on) {
    for (const {edge, index: number} of graph.edges) {
        if (edge.from === index || edge.to === index) {
            byId("graph").querySelector(`[data-edge="${number}"]`).classList.toggle("stressed", on);
        }
    }
}

function drawRows(plan) {
    return plan.rows.map((row) => row.label ? [
        draw("text", {class: "level", x: 12, y: row.y + BOX_HEIGHT / 2 + 4}, row.label),
        draw("line", {class: "level", x1: LABEL_WIDTH, x2: plan.width, y1: row.y + BOX_HEIGHT / 2, y2: row.y + BOX_HEIGHT / 2}),
    ] : []).flat();
}

function drawGraph() {
    graph.edges = drawnEdges();
    const nodes = [...graph.nodes].sort((a, b) => a - b).map((id) => ({id, label: shortened(nameOf(id)), level: report.classes[id].level}));
    if (nodes.length === 0) {
        replace(byId("graph"), make("p", {class: "empty"}, "No lock was taken while another one was held."));
        return;
    }
    const plan = layOut(nodes, graph.edges.map(({edge}) => edge));
    const pairs = new Set(graph.edges.map(({edge}) => `${edge.from} ${edge.to}`));
    const lines = [...graph.edges].reverse().map((entry) =>
        drawEdge(entry, plan, pairs.has(`${entry.edge.to} ${entry.edge.from}`)));
    const picture = draw("svg", {width: plan.width, height: plan.height, viewBox: `0 0 ${plan.width} ${plan.height}`, role: "group",
                                 "aria-label": `${counted(nodes.length, "lock")}, ${counted(lines.length, "order")}; arrow keys go through them, Enter shows the stacks`},
        draw("defs", {}, arrow("arrow-right", "right"), arrow("arrow-wrong", "wrong")),
        drawRows(plan), lines, nodes.map((node) => drawNode(node.id, plan.boxes.get(node.id))));
    replace(byId("graph"), picture);
    const items = [...picture.querySelectorAll("[data-edge], [data-node]")];
    reachable(items, items.find((item) => item.classList.contains("wrong")) || items[0]);
    markChosen();
    const all = nestedLocks().size;
    byId("graph-count").textContent = `${number(nodes.length)} of ${counted(all, "nested lock")} drawn`;
}

function markChosen() {
    for (const item of byId("graph").querySelectorAll("[data-edge]")) {
        item.classList.toggle("chosen", Number(item.dataset.edge) === graph.chosen);
    }
}

/* ---- an edge ---- */

function siteStacks(edge, site) {
    const from = nameOf(edge.from), to = nameOf(edge.to);
    return sideBySide([
        {label: `${from}${site.shared_from ? " (shared)" : ""} was taken`, stack: site.held},
        {label: `${to}${site.shared_to ? " (shared)" : ""} was requested${site.timed ? " with a time limit" : ""}`, stack: site.requested},
    ]);
}

function moreSites(edge) {
    const more = edge.sightings - edge.sites.length;
    if (edge.sites.length === 0) {
        return make("p", {class: "muted"}, `Recorded ${counted(edge.sightings, "time")}. A page of so many orders has no places of this one: ask for them with `,
            make("code", {}, "lockgraph why"), ".");
    }
    return more > 0 ? make("p", {class: "muted"}, `Recorded ${counted(more, "more time")}, from other places or threads.`) : null;
}

function edgeFindings(edge) {
    const found = edge.findings.map((index) => report.findings[index]);
    return found.length === 0 ? null : make("ul", {class: "plain"}, found.slice(0, 12).map((finding) =>
        make("li", {}, badge(finding), " ", make("a", {href: `#${finding.id}`}, finding.title))));
}

function chooseEdge(index) {
    const edge = report.edges[index];
    graph.chosen = index;
    markChosen();
    replace(byId("edge"),
        make("h3", {}, nameOf(edge.from), make("span", {class: "muted"}, " → "), nameOf(edge.to)),
        make("p", {class: "muted"}, `${report.classes[edge.to].full}${levelOf(edge.to)} is taken while ${report.classes[edge.from].full}${levelOf(edge.from)} is held.`),
        edgeFindings(edge),
        ...edge.sites.map((site) => make("section", {class: "thread"}, make("h4", {}, site.thread), siteStacks(edge, site))),
        moreSites(edge));
}

/* From a finding: into the drawing, and chosen. */
function showEdge(index) {
    const edge = report.edges[index];
    if (!graph.nodes.has(edge.from) || !graph.nodes.has(edge.to)) {
        graph.nodes.add(edge.from).add(edge.to);
        drawGraph();
    }
    chooseEdge(index);
}

function hover(event, edge) {
    const box = byId("hover");
    if (box.hidden || box.edge !== edge) {
        box.edge = edge;
        replace(box, make("p", {class: "head"}, make("b", {}, `${nameOf(edge.from)} → ${nameOf(edge.to)}`),
            make("span", {class: "muted"}, ` ${edge.sites.length ? edge.sites[0].thread : ""}`)),
            ...edge.sites.slice(0, 1).map((site) => siteStacks(edge, site)));
        box.hidden = false;
    }
    const wide = box.offsetWidth, high = box.offsetHeight;
    box.style.left = `${Math.max(8, Math.min(event.clientX + 16, window.innerWidth - wide - 16))}px`;
    box.style.top = `${event.clientY + high + 28 > window.innerHeight ? Math.max(8, event.clientY - high - 16) : event.clientY + 18}px`;
}

function unhover() {
    byId("hover").hidden = true;
}

/* ---- search ---- */

function addAround(index) {
    graph.nodes.add(index);
    let added = 0;
    for (const edge of report.edges) {
        if ((edge.from === index || edge.to === index) && added < MOST_DRAWN) {
            added += !graph.nodes.has(edge.from) + !graph.nodes.has(edge.to);
            graph.nodes.add(edge.from).add(edge.to);
        }
    }
}

function searchLocks() {
    const text = byId("graph-text").value.trim().toLowerCase();
    const hits = text === "" ? [] : [...nestedLocks()].filter((index) => nameOf(index).toLowerCase().includes(text));
    replace(byId("graph-hits"), ...hits.slice(0, HITS).map((index) => make("button", {type: "button", onclick: () => {
        addAround(index);
        drawGraph();
        stress(index, true);
        byId("graph").querySelector(`[data-node="${index}"]`).scrollIntoView({block: "nearest", inline: "center"});
    }}, shortened(nameOf(index)))), hits.length > HITS ? make("span", {class: "muted"}, `and ${number(hits.length - HITS)} more`) : null,
    text && hits.length === 0 ? make("span", {class: "muted"}, "No nested lock has that in its name.") : null);
}

function startGraph() {
    const all = nestedLocks().size;
    const levels = report.classes.some((one) => one.level !== null);
    byId("graph-words").textContent = (levels ? "By declared level, outermost first" : "Outermost first, by what is taken under what") +
        ". An arrow leads from a lock to one that is taken while it is held.";
    byId("graph-legend").append(make("li", {class: "wrong"}, "part of an error or warning"), make("li", {class: "right"}, "any other order"));
    byId("graph-scope").append(make("option", {value: "findings"}, "findings and their neighbours"),
        make("option", {value: "all", disabled: all > 300}, all > 300 ? `all ${number(all)}: too many to draw` : `all ${number(all)}`));
    byId("graph-scope").addEventListener("change", (event) => {
        graph.scope = event.target.value;
        graph.nodes = chooseNodes();
        drawGraph();
    });
    byId("graph-text").addEventListener("input", searchLocks);
    rove(byId("graph"), "[data-edge], [data-node]");
    graph.nodes = chooseNodes();
    drawGraph();
    replace(byId("edge"), report.edges.length ? make("p", {class: "muted"}, "Choose an arrow to see where both locks were taken.") : null);
}
