/* The head and the foot of the page, its colours, and links within it. */
function verdictWords() {
    const {verdict} = report;
    const words = SEVERITIES.filter((severity) => verdict[severity]).map((severity) =>
        make("span", {class: severity}, counted(verdict[severity], severity)));
    if (!verdict.seen) {
        return [make("span", {class: "warning"}, "Nothing was seen")];
    }
    if (verdict.error + verdict.warning === 0) {
        words.unshift(make("span", {class: "good"}, "No problem found"));
    }
    if (verdict.suppressed) {
        words.push(make("span", {class: "suppressed"}, `${number(verdict.suppressed)} suppressed`));
    }
    return words.flatMap((word, i) => (i ? [make("span", {class: "comma"}, ", "), word] : [word]));
}

function startHead() {
    const shown = report.processes.slice(0, 5), more = report.processes.length - shown.length, others = report.processes.length - 1;
    document.body.classList.toggle("no-findings", report.findings.length === 0);
    document.body.classList.toggle("no-orders", report.edges.length === 0);
    document.title = `${report.program}: Lockgraph report`;
    byId("program").textContent = report.program + (others > 0 ? ` and ${others} more ${others === 1 ? "process" : "processes"}` : "");
    replace(byId("verdict-title"), ...verdictWords());
    replace(byId("processes"), ...shown.map((line) => make("li", {}, line)), more > 0 ? make("li", {class: "muted"}, `and ${number(more)} more`) : null);
    byId("coverage-line").textContent = report.coverage[0] || "";
    replace(byId("coverage-lines"), ...[...report.coverage, ...report.remarks].map((line) => make("li", {}, line)));
    byId("version").textContent = `Written by lockgraph ${report.version}. This page holds all of the report and loads nothing.`;
}

/* ---- light and dark ---- */

const darkWanted = window.matchMedia("(prefers-color-scheme: dark)");

function setTheme(theme) {
    const other = theme === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    byId("theme").textContent = other === "dark" ? "Dark" : "Light";
    byId("theme").setAttribute("aria-label", `Use ${other} colours`);
}

/* A page from disk may have no storage. */
function remembered(theme) {
    try {
        if (theme) {
            window.localStorage.setItem("lockgraph-theme", theme);
        }
        return window.localStorage.getItem("lockgraph-theme");
    } catch {
        return null;
    }
}

function startTheme() {
    const known = remembered();
    setTheme(known === "dark" || known === "light" ? known : darkWanted.matches ? "dark" : "light");
    darkWanted.addEventListener("change", () => remembered() || setTheme(darkWanted.matches ? "dark" : "light"));
    byId("theme").addEventListener("click", () => {
        const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
        remembered(theme);
        setTheme(theme);
    });
}

/* ---- links ---- */

function follow() {
    followFinding(window.location.hash.slice(1));
}

startTheme();
startHead();
startFindings();
startGraph();
startTimeline();
startContention();
window.addEventListener("hashchange", follow);
document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
        unhover();
    } else if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
        event.preventDefault();
        byId("find-text").focus();
    }
});
follow();
