/* Elements, words for numbers, and keys that go through a list.  Data from the program only
 * ever becomes text nodes and attribute values. */
const report = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";

function byId(id) {
    return document.getElementById(id);
}

function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
        if (name.startsWith("on")) {
            element.addEventListener(name.slice(2), value);
        } else if (value !== null && value !== undefined && value !== false) {
            element.setAttribute(name, value === true ? "" : value);
        }
    }
    for (const child of children.flat()) {
        if (child !== null && child !== undefined && child !== false) {
            element.append(child);
        }
    }
    return element;
}

/* make("a", {href: "#x"}, "text", element, …) */
function make(tag, attributes, ...children) {
    return fill(document.createElement(tag), attributes, children);
}

function draw(tag, attributes, ...children) {
    return fill(document.createElementNS(SVG, tag), attributes, children);
}

function replace(element, ...children) {
    element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));
}

/* ---- words ---- */

const GROUPED = new Intl.NumberFormat("en-US");

function number(value) {
    return GROUPED.format(value);
}

function counted(value, thing) {
    return `${number(value)} ${thing}${value === 1 ? "" : "s"}`;
}

/* 1234567 as "1.23 ms". */
function duration(ns) {
    const units = [["s", 1e9], ["ms", 1e6], ["µs", 1e3]];
    for (const [unit, size] of units) {
        if (ns >= size) {
            const value = ns / size;
            return `${value >= 1000 ? number(Math.round(value)) : value.toPrecision(3)} ${unit}`;
        }
    }
    return `${ns} ns`;
}

function baseName(path) {
    return path.slice(path.lastIndexOf("/") + 1);
}

/* A clause as a sentence; what is no plain word may be a name, and stays as it is. */
function sentence(text) {
    const begun = /^[a-z]+ /.test(text) ? text[0].toUpperCase() + text.slice(1) : text;
    return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/* ---- keys ---- */

/* One element of those that `select` finds takes part in the tab order; arrow keys, Home and
 * End go to the others. */
function rove(container, select) {
    container.addEventListener("keydown", (event) => {
        const items = [...container.querySelectorAll(select)];
        const at = items.indexOf(document.activeElement);
        const target = {
            ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: items.length - 1,
        }[event.key];
        if (at < 0 || target === undefined || event.ctrlKey || event.metaKey || event.altKey) {
            return;
        }
        event.preventDefault();
        const next = items[Math.min(Math.max(target, 0), items.length - 1)];
        reachable(items, next);
        next.focus();
    });
}

function reachable(items, chosen) {
    for (const item of items) {
        item.setAttribute("tabindex", item === chosen ? "0" : "-1");
    }
}

/* Enter and the space bar do what a click does, on what is no button by itself. */
function pressable(element, action) {
    element.addEventListener("click", action);
    element.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") {
            event.preventDefault();
            action(event);
        }
    });
    return element;
}
