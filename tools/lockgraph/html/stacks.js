/* Call stacks, side by side, with the source line that each is named by. */
const LONGEST_STACK = 14;

function framePlace(frame) {
    if (frame.file) {
        return `${baseName(frame.file)}:${frame.line}`;
    }
    return frame.function && frame.module ? `in ${baseName(frame.module)}` : "";
}

function frameTitle(frame) {
    const where = frame.file ? `${frame.file}:${frame.line}` : "";
    return [frame.function, where, frame.module].filter(Boolean).join("\n");
}

function excerpt(frame) {
    const lines = frame.source.lines.map((line, i) => {
        const at = frame.source.first + i;
        const marked = at === frame.line;
        return make("span", {class: marked ? "line marked" : "line"},
            make("span", {class: "mark", "aria-hidden": "true"}, marked ? ">" : " "),
            make("span", {class: "nr"}, String(at)), line || " ");
    });
    return make("pre", {class: "source", tabindex: "0", "aria-label": `Source, ${framePlace(frame)}`}, lines);
}

function frameItem(frame, isSite, isShared) {
    const name = frame.function ? `${frame.name}()` : frame.name;
    return make("li", {class: `frame${isSite ? " site" : ""}${isShared ? " shared" : ""}`, title: frameTitle(frame)},
        make("div", {class: "call"}, make("span", {class: "function"}, name),
            make("span", {class: "place"}, framePlace(frame), frame.inlined ? " (inlined)" : "")),
        isSite && frame.source ? excerpt(frame) : null);
}

/* Frames at the outer end that both stacks have. */
function sharedTail(one, other) {
    let shared = 0;
    while (one && other && shared < one.frames.length && shared < other.frames.length &&
           one.frames[one.frames.length - 1 - shared] === other.frames[other.frames.length - 1 - shared]) {
        shared++;
    }
    return shared;
}

/* The middle of a long stack is there when it is asked for. */
function foldMiddle(list) {
    const items = [...list.children];
    const skipped = items.slice(Math.round(LONGEST_STACK * 3 / 4), items.length - Math.round(LONGEST_STACK / 4));
    if (items.length <= LONGEST_STACK) {
        return;
    }
    const more = make("li", {class: "frame"}, make("button", {type: "button", class: "quiet", onclick: () => {
        more.replaceWith(...skipped);
    }}, `${counted(skipped.length, "more frame")}`));
    skipped[0].replaceWith(more);
    skipped.forEach((item) => item.remove());
}

function frameList(stack, shared) {
    const list = make("ol", {class: "frames"});
    stack.frames.forEach((index, i) => {
        if (i >= stack.first) {
            list.append(frameItem(report.frames[index], i === stack.site, i >= stack.frames.length - shared));
        }
    });
    foldMiddle(list);
    return list;
}

/* `labelled`: {label, stack}, the stack by its number, -1: not recorded. */
function oneStack(labelled, shared) {
    const stack = report.stacks[labelled.stack];
    const through = stack && stack.first ? report.frames[stack.frames[stack.first - 1]].name : null;
    return make("div", {class: "stack"},
        make("h5", {}, labelled.label, make("span", {class: "muted"}, " at")),
        stack ? null : make("p", {class: "muted"}, "The stack was not recorded."),
        through ? make("p", {class: "muted through"}, `through ${through}()`) : null,
        stack ? frameList(stack, shared) : null,
        stack && stack.partial ? make("p", {class: "muted"}, "Only this frame is known.") : null);
}

function sideBySide(stacks) {
    const found = stacks.map((labelled) => report.stacks[labelled.stack]);
    const shared = found.length === 2 ? sharedTail(found[0], found[1]) : 0;
    return make("div", {class: "pair"}, stacks.map((labelled) => oneStack(labelled, shared)));
}

/* "post() ledger.c:32" */
function sitePlace(number) {
    const stack = report.stacks[number];
    if (!stack) {
        return "a place not recorded";
    }
    const frame = report.frames[stack.frames[stack.site]];
    return `${frame.name}${frame.function ? "()" : ""} ${framePlace(frame)}`.trim();
}
