/* Where the boxes and lines of a layered drawing go.  Layers are the declared levels where
 * there are any, else the longest path from an outermost lock; nothing here knows the page. */
const BOX_HEIGHT = 34, BOX_GAP = 28, LAYER_GAP = 64, LAYER_WIDTH = 1080, MARGIN = 24, LABEL_WIDTH = 84;

function boxWidth(label) {
    return Math.min(label.length, 30) * 7.3 + 28;
}

/* Edges that agree with one order: the others, which close a cycle, point against it.  Edges
 * seen most often are asked first. */
function agreeing(nodes, edges) {
    const after = new Map(nodes.map((node) => [node.id, []]));
    const reaches = (from, to) => {
        const todo = [from], seen = new Set(todo);
        while (todo.length) {
            const at = todo.pop();
            if (at === to) {
                return true;
            }
            for (const next of after.get(at)) {
                if (!seen.has(next)) {
                    seen.add(next);
                    todo.push(next);
                }
            }
        }
        return false;
    };
    const kept = [];
    for (const edge of [...edges].sort((a, b) => b.sightings - a.sightings)) {
        if (!reaches(edge.to, edge.from)) {
            after.get(edge.from).push(edge.to);
            kept.push(edge);
        }
    }
    return kept;
}

/* Layers by the longest path; `edges` have no cycle. */
function depths(nodes, edges) {
    const depth = new Map(nodes.map((node) => [node.id, 0]));
    const before = new Map(nodes.map((node) => [node.id, 0])), after = new Map(nodes.map((node) => [node.id, []]));
    for (const edge of edges) {
        before.set(edge.to, before.get(edge.to) + 1);
        after.get(edge.from).push(edge.to);
    }
    const todo = nodes.filter((node) => before.get(node.id) === 0).map((node) => node.id);
    while (todo.length) {
        const at = todo.pop();
        for (const next of after.get(at)) {
            depth.set(next, Math.max(depth.get(next), depth.get(at) + 1));
            before.set(next, before.get(next) - 1);
            if (before.get(next) === 0) {
                todo.push(next);
            }
        }
    }
    return depth;
}

/* [{label, nodes}] from the outermost to the innermost. */
function layersOf(nodes, edges) {
    const levels = [...new Set(nodes.map((node) => node.level))].filter((level) => level !== null).sort((a, b) => a - b);
    const free = nodes.filter((node) => node.level === null);
    const layers = levels.map((level) => ({label: `level ${level}`, nodes: nodes.filter((node) => node.level === level)}));
    const depth = depths(free, agreeing(free, edges.filter((edge) =>
        edge.from !== edge.to && free.some((node) => node.id === edge.from) && free.some((node) => node.id === edge.to))));
    for (const node of free) {
        const at = levels.length + depth.get(node.id);
        layers[at] = layers[at] || {label: levels.length ? "no level" : "", nodes: []};
        layers[at].nodes.push(node);
    }
    return layers;
}

/* A layer that is too wide for the page takes several rows. */
function rowsOf(layers) {
    const rows = [];
    layers.forEach((layer, index) => {
        let width = Infinity;
        for (const node of layer.nodes) {
            if (width + boxWidth(node.label) > LAYER_WIDTH) {
                rows.push({label: width === Infinity ? layer.label : "", layer: index, nodes: []});
                width = 0;
            }
            rows[rows.length - 1].nodes.push(node);
            width += boxWidth(node.label) + BOX_GAP;
        }
    });
    return rows;
}

function neighbours(nodes, edges) {
    const map = new Map(nodes.map((node) => [node.id, []]));
    for (const edge of edges) {
        if (edge.from !== edge.to) {
            map.get(edge.from).push(edge.to);
            map.get(edge.to).push(edge.from);
        }
    }
    return map;
}

function mean(values) {
    return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/* Fewer crossings: each layer in the order of the mean position of what its boxes are joined to. */
function untangle(layers, near) {
    const position = new Map();
    const place = (layer) => layer.nodes.forEach((node, i) => position.set(node.id, (i + 0.5) / layer.nodes.length));
    layers.forEach(place);
    for (let sweep = 0; sweep < 6; sweep++) {
        for (const layer of sweep % 2 ? [...layers].reverse() : layers) {
            const wanted = new Map(layer.nodes.map((node) => {
                const others = near.get(node.id).map((id) => position.get(id));
                return [node, others.length ? mean(others) : position.get(node.id)];
            }));
            layer.nodes.sort((a, b) => wanted.get(a) - wanted.get(b));
            place(layer);
        }
    }
}

/* Boxes of a row below and above what they are joined to, as far as they do not overlap. */
function align(row, boxes, near) {
    let right = -Infinity;
    const wanted = row.nodes.map((node) => {
        const others = near.get(node.id).map((id) => boxes.get(id)).map((box) => box.x + box.width / 2);
        const box = boxes.get(node.id);
        return others.length ? mean(others) - box.width / 2 : box.x;
    });
    row.nodes.forEach((node, i) => {
        const box = boxes.get(node.id);
        box.x = Math.max(wanted[i], right + BOX_GAP);
        right = box.x + box.width;
    });
    const shift = mean(row.nodes.map((node, i) => boxes.get(node.id).x - wanted[i]));
    row.nodes.forEach((node) => {
        boxes.get(node.id).x -= shift;
    });
}

/* What hangs together: {boxes, rows, width, height}, from 0 on. */
function placeLayers(nodes, edges) {
    const near = neighbours(nodes, edges), boxes = new Map();
    const layers = layersOf(nodes, edges);
    untangle(layers, near);
    const rows = rowsOf(layers);
    rows.forEach((row, index) => {
        let x = 0;
        row.y = index * (BOX_HEIGHT + LAYER_GAP);
        for (const node of row.nodes) {
            boxes.set(node.id, {x, y: row.y, width: boxWidth(node.label)});
            x += boxWidth(node.label) + BOX_GAP;
        }
    });
    for (let pass = 0; pass < 4; pass++) {
        for (const row of pass % 2 ? [...rows].reverse() : rows) {
            align(row, boxes, near);
        }
    }
    const all = [...boxes.values()], left = Math.min(...all.map((box) => box.x));
    all.forEach((box) => {
        box.x -= left;
    });
    return {boxes, rows, width: Math.max(...all.map((box) => box.x + box.width)),
            height: rows.length * (BOX_HEIGHT + LAYER_GAP) - LAYER_GAP};
}

/* Nodes that edges join, in the order of the edges. */
function components(nodes, edges) {
    const near = neighbours(nodes, edges), seen = new Set(), named = new Map(nodes.map((node) => [node.id, node]));
    const starts = [...edges.map((edge) => edge.from), ...nodes.map((node) => node.id)];
    const found = [];
    for (const start of starts) {
        const todo = seen.has(start) ? [] : [start], members = [];
        for (seen.add(start); todo.length;) {
            const at = todo.pop();
            members.push(named.get(at));
            for (const next of near.get(at).filter((id) => !seen.has(id))) {
                seen.add(next);
                todo.push(next);
            }
        }
        if (members.length) {
            found.push(members);
        }
    }
    return found;
}

/* Parts side by side, in as many lines as the page is narrow. */
function shelve(parts) {
    const whole = {boxes: new Map(), rows: [], width: 0, height: 0};
    let x = 0, y = 0;
    for (const part of parts) {
        if (x > 0 && x + part.width > LAYER_WIDTH) {
            x = 0;
            y = whole.height + LAYER_GAP;
        }
        for (const [id, box] of part.boxes) {
            whole.boxes.set(id, {...box, x: box.x + x, y: box.y + y});
        }
        whole.rows.push(...part.rows);
        whole.width = Math.max(whole.width, x + part.width);
        whole.height = Math.max(whole.height, y + part.height);
        x += part.width + BOX_GAP * 2;
    }
    return whole;
}

/* nodes: {id, label, level}; edges: {from, to, sightings}.  {boxes: Map of id to {x, y, width},
 * all: the boxes, rows: [{label, y}], width, height}.  Levels go across all of the drawing;
 * without them each part stands by itself. */
function layOut(nodes, edges) {
    const levels = nodes.some((node) => node.level !== null);
    const inside = (members) => {
        const ids = new Set(members.map((node) => node.id));
        return edges.filter((edge) => ids.has(edge.from));
    };
    const plan = levels ? placeLayers(nodes, edges)
        : shelve(components(nodes, edges).map((members) => placeLayers(members, inside(members))));
    const all = [...plan.boxes.values()], indent = MARGIN + (levels ? LABEL_WIDTH : 0);
    for (const box of all) {
        box.x += indent;
        box.y += MARGIN;
    }
    for (const row of plan.rows) {
        row.y += MARGIN;
    }
    return {...plan, all, width: plan.width + indent + MARGIN * 3, height: plan.height + MARGIN * 2};
}

/* How far a line of several rows has to swing out so as not to run through the boxes between. */
function swing(from, to, boxes) {
    const [top, bottom] = from.y < to.y ? [from, to] : [to, from];
    const middle = (from.x + from.width / 2 + to.x + to.width / 2) / 2;
    const between = boxes.filter((box) => box.y > top.y && box.y < bottom.y &&
        box.x - 12 < middle && middle < box.x + box.width + 12);
    const reach = Math.max(0, ...between.map((box) => box.x + box.width + 16 - middle));
    const rows = (bottom.y - top.y) / (BOX_HEIGHT + LAYER_GAP) - 1;
    return reach && (reach + rows * 14) / 0.75; /* a curve goes three quarters of the way to its handles */
}

/* The path of an edge among `boxes`. */
function edgePath(from, to, twoWays, boxes) {
    const side = twoWays ? 9 : 0;
    const x1 = from.x + from.width / 2, x2 = to.x + to.width / 2;
    if (from === to) {
        const right = from.x + from.width, y = from.y + BOX_HEIGHT / 2;
        return `M ${right} ${y - 8} C ${right + 40} ${y - 20}, ${right + 40} ${y + 20}, ${right + 5} ${y + 8}`;
    }
    if (from.y === to.y) {
        const y = from.y + BOX_HEIGHT, depth = Math.min(24 + Math.abs(x2 - x1) / 12, 46), way = Math.sign(x2 - x1);
        return way > 0
            ? `M ${x1 + 8} ${y} C ${x1 + 20} ${y + depth}, ${x2 - 20} ${y + depth}, ${x2 - 8} ${y + 5}`
            : `M ${x1 - 8} ${from.y} C ${x1 - 20} ${from.y - depth}, ${x2 + 20} ${from.y - depth}, ${x2 + 8} ${from.y - 5}`;
    }
    const down = to.y > from.y;
    const y1 = down ? from.y + BOX_HEIGHT : from.y, y2 = down ? to.y - 5 : to.y + BOX_HEIGHT + 5;
    const offset = down ? -side : side, bend = (y2 - y1) / 2;
    const round = swing(from, to, boxes), out = offset + round, at = round ? 16 : offset;
    return `M ${x1 + at} ${y1} C ${x1 + out} ${y1 + bend}, ${x2 + out} ${y2 - bend}, ${x2 + at} ${y2}`;
}
