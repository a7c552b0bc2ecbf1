/* The list of findings, its filters, and one finding in full. */
const FINDINGS_AT_ONCE = 100;
const SEVERITIES = ["error", "warning", "note"];
const findingList = {shown: [], limit: FINDINGS_AT_ONCE, severities: new Set(), current: null};

/* Everything a search should find it by, in lower case. */
function searchText(finding) {
    const stacks = finding.sides.flatMap((side) => side.stacks.map((labelled) => report.stacks[labelled.stack]));
    const frames = new Set(stacks.flatMap((stack) => (stack ? stack.frames : [])));
    const places = [...frames].map((index) => {
        const frame = report.frames[index];
        return `${frame.name} ${framePlace(frame)}`;
    });
    const sides = finding.participants.map((one) => `${one.thread} ${one.text}`);
    return [finding.id, finding.kind, finding.verdict, finding.title, ...sides, ...finding.steps, ...places]
        .join("\n").toLowerCase();
}

function matches(finding) {
    const words = byId("find-text").value.toLowerCase().split(/\s+/).filter(Boolean);
    const kind = byId("find-kind").value;
    if (finding.suppressed_by || !findingList.severities.has(finding.severity) || (kind && finding.kind !== kind)) {
        return false;
    }
    finding.searchText = finding.searchText || searchText(finding);
    return words.every((word) => finding.searchText.includes(word));
}

/* ---- one finding ---- */

function badge(finding) {
    return make("span", {class: `badge ${finding.severity}`}, finding.severity);
}

function facts(finding) {
    const words = [finding.kind, finding.verdict];
    if (finding.count > 1 && finding.verdict !== "actual") {
        words.push(`seen ${number(finding.count)} times`);
    }
    if (report.processes.length > 1) {
        words.push(`in ${finding.processes} ${finding.processes === 1 ? "process" : "processes"}`);
    }
    return words.filter(Boolean).join(" · ");
}

function participants(finding) {
    return make("dl", {class: "participants"}, finding.participants.flatMap((one) =>
        [make("div", {}, make("dt", {}, one.thread), make("dd", {}, one.text))]));
}

function reasons(finding) {
    const paragraph = (heading, text, kind) =>
        text ? make("div", {class: `reason ${kind}`}, make("h4", {}, heading), make("p", {}, sentence(text))) : null;
    return [paragraph(finding.why_heading, finding.why, "why"),
            paragraph(finding.cure_heading, finding.cure, "cure")];
}

function steps(finding) {
    return finding.steps.length === 0 ? null : make("div", {class: "reason"},
        make("h4", {}, finding.steps_heading),
        make("ol", {class: "steps"}, finding.steps.map((step) => make("li", {}, step))));
}

function lockNames(finding) {
    return finding.names.length === 0 ? null : make("dl", {class: "names"}, finding.names.map((lock) =>
        make("div", {}, make("dt", {}, lock.label), make("dd", {}, lock.name))));
}

function side(one) {
    return make("section", {class: "thread"},
        make("h4", {}, one.thread, one.edge < 0 ? null : make("a", {href: "#hierarchy", class: "aside", onclick: () => {
            showEdge(one.edge);
        }}, "in the hierarchy")),
        sideBySide(one.stacks),
        one.also_held.map((text) => make("p", {class: "muted"}, `Also held: ${text}`)));
}

function wholeFinding(finding) {
    return [
        make("p", {class: "facts"}, badge(finding), make("span", {}, facts(finding)),
            make("a", {class: "permalink", href: `#${finding.id}`, title: "Link to this finding"}, `#${finding.id}`)),
        make("h3", {id: "finding-title"}, finding.title),
        participants(finding),
        make("div", {class: "reasons"}, steps(finding), make("div", {}, reasons(finding))),
        lockNames(finding),
        finding.sides.length ? make("div", {class: "threads"}, finding.sides.map(side)) : null,
    ];
}

/* ---- the list ---- */

function listItem(finding) {
    const current = finding === findingList.current;
    return make("li", {}, make("a", {href: `#${finding.id}`, class: "item", "aria-current": current ? "true" : null,
                                     tabindex: current ? "0" : "-1", "data-id": finding.id},
        make("span", {class: "head"}, badge(finding), make("span", {class: "muted"}, finding.verdict || finding.kind)),
        make("span", {class: "title"}, finding.title)));
}

function markCurrent() {
    const items = [...byId("find-list").querySelectorAll("a")];
    for (const item of items) {
        const current = findingList.current && item.dataset.id === findingList.current.id;
        if (current) {
            item.setAttribute("aria-current", "true");
        } else {
            item.removeAttribute("aria-current");
        }
    }
    reachable(items, items.find((item) => item.hasAttribute("aria-current")) || items[0]);
}

function showFinding(finding) {
    findingList.current = finding;
    const article = byId("finding");
    article.removeAttribute("aria-labelledby");
    if (finding) {
        replace(article, wholeFinding(finding));
        article.setAttribute("aria-labelledby", "finding-title");
    } else {
        replace(article, make("p", {class: "empty"}, nothingToShow()));
    }
    markCurrent();
}

function nothingToShow() {
    if (report.findings.length === 0) {
        return report.verdict.seen ? "Nothing was found." : "Nothing was seen: no process took a lock that can be followed.";
    }
    return "No finding fits these filters.";
}

function listFindings() {
    const {shown, limit} = findingList;
    replace(byId("find-list"), shown.slice(0, limit).map(listItem));
    byId("find-more").hidden = shown.length <= limit;
    const all = report.findings.filter((finding) => !finding.suppressed_by).length;
    byId("find-count").textContent = `${number(shown.length)} of ${counted(all, "finding")}`;
    markCurrent();
}

function filterFindings() {
    findingList.shown = report.findings.filter(matches);
    findingList.limit = FINDINGS_AT_ONCE;
    if (!findingList.shown.includes(findingList.current)) {
        showFinding(findingList.shown[0] || null);
    }
    listFindings();
}

/* Its beginning, unless that is in sight. */
function bringUp(element) {
    const {top} = element.getBoundingClientRect();
    if (top < 56 || top > window.innerHeight * 0.6) {
        element.scrollIntoView({block: "start"});
    }
}

/* A link from outside may name what the filters leave out. */
function followFinding(id) {
    const finding = report.findings.find((one) => one.id === id);
    if (!finding) {
        return false;
    }
    if (!findingList.shown.includes(finding) && !finding.suppressed_by) {
        byId("find-text").value = "";
        byId("find-kind").value = "";
        findingList.severities.add(finding.severity);
        for (const box of byId("find-severity").querySelectorAll("input")) {
            box.checked = findingList.severities.has(box.value);
        }
        findingList.current = finding;
        filterFindings();
    }
    showFinding(finding);
    byId("find-said").textContent = `Shown: ${finding.title}`;
    bringUp(byId("finding"));
    return true;
}

/* ---- the filters ---- */

function severityBox(severity) {
    const count = report.verdict[severity];
    const only = SEVERITIES.every((other) => other === severity || report.verdict[other] === 0);
    const wanted = severity !== "note" || report.show_notes || only;
    if (wanted) {
        findingList.severities.add(severity);
    }
    const box = make("input", {type: "checkbox", value: severity, checked: wanted, onchange: () => {
        findingList.severities[box.checked ? "add" : "delete"](severity);
        filterFindings();
    }});
    return make("label", {class: `chip ${severity}`}, box, make("span", {}, `${severity} `, make("b", {}, number(count))));
}

function startFindings() {
    const kinds = [...new Set(report.findings.filter((one) => !one.suppressed_by).map((one) => one.kind))].sort();
    byId("find-severity").append(...SEVERITIES.map(severityBox));
    byId("find-kind").append(make("option", {value: ""}, "every kind"),
        ...kinds.map((kind) => make("option", {value: kind}, kind)));
    byId("find-text").addEventListener("input", filterFindings);
    byId("find-kind").addEventListener("change", filterFindings);
    byId("find-more").addEventListener("click", () => {
        findingList.limit += FINDINGS_AT_ONCE;
        listFindings();
    });
    rove(byId("find-list"), "a");
    filterFindings();
    showFinding(findingList.shown[0] || null);
}
