"""`lockgraph report --format html`, looked at in a real browser."""

import json
import re

import browser
from harness import EXIT_FINDINGS, SLOWNESS, Failure, check, place
from subjects import Subject, SUBJECT_SOURCES

OPTIONS = ["-O", "profile=1:hold_limit=100ms:lock_timeout=100ms"]
MARKUP = "<script>alert(1)</script>"
DATA = re.compile(r'<script type="application/json" id="data">\n(.*)\n</script>')


def write_page(here, *arguments):
    file = here.directory / "report.html"
    here.run(here.build.subject("lg_page"), options=OPTIONS).expect(EXIT_FINDINGS)
    result = here.report("--format", "html", "-o", file, *arguments).expect(EXIT_FINDINGS)
    check(not result.stdout and not result.stderr, f"-o did not take all: {result}")
    return file


def data_of(file):
    return json.loads(DATA.search(file.read_text(encoding="utf-8"))[1])


def line_of(mark):
    return min(Subject(SUBJECT_SOURCES / "lg_page.c").marks[mark])


def one_file_that_loads_nothing(build):
    """Nothing outside is named, and no data can end the block that it stands in."""
    with place(build) as here:
        file = write_page(here)
        text = file.read_text(encoding="utf-8")
        block = DATA.search(text)[1]
        check(not re.search("[<>&\u2028\u2029]", block), "the data is not escaped")
        check(MARKUP in json.dumps(data_of(file)), "the lock's name is not in the data")
        page = text.replace(block, "")
        outside = re.findall(r"""(?:src=|@import|url\(["']?(?!#)|href="(?!#)|fetch\(|XMLHttpRequest|innerHTML)\S*""", page)
        check(not outside, f"the page refers to {outside}")
        names = set(re.findall(r"https?://[^\s\"';]+", page))
        check(names <= {"http://www.w3.org/2000/svg"}, f"the page names {names}")


def is_told_in_its_help(build):
    with place(build) as here:
        check("html" in here.execute([build.command, "report", "--help"]).expect(0).stdout, "not in the help")
        here.report("--format", "htm").expect(2)
        here.report("--format", "html", "no-such-directory").expect(65)


def rgb(color):
    return [int(part) for part in re.findall(r"\d+", color)[:3]]


def luminance(color):
    parts = [part / 255 for part in rgb(color)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """WCAG 2.1, 1.4.3"""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


# Every text with what lies behind it, half transparent parts mixed.
COLORS = """
function mix(over, under, part) { return over.map((value, i) => Math.round(value * part + under[i] * (1 - part))); }
function parts(color) { return color.match(/[\\d.]+/g).map(Number); }
function ground(element) {
    for (let at = element; at; at = at.parentElement) {
        const [r, g, b, a] = parts(getComputedStyle(at).backgroundColor);
        if (a === undefined || a > 0) { return [r, g, b]; }
    }
    return [255, 255, 255];
}
const pairs = [];
for (const element of document.querySelectorAll("body *:not(script):not(style):not(svg):not(svg *)")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.offsetParent || element.closest(".hidden, .skip, :disabled, option")) { continue; }
    let opacity = 1;
    for (let at = element; at; at = at.parentElement) { opacity *= Number(getComputedStyle(at).opacity); }
    const under = ground(element), over = mix(parts(getComputedStyle(element).color).slice(0, 3), under, opacity);
    pairs.push([`rgb(${over})`, `rgb(${under})`, element.className + " " + element.textContent.slice(0, 40)]);
}
return pairs;
"""


def check_contrast(page, theme):
    for text, ground, where in page.run(COLORS):
        check(contrast(text, ground) >= 4.5, f"{theme}: {where!r}: {text} on {ground} is {contrast(text, ground):.2f} to 1")


def check_edge(page):
    """The stacks of an edge have the lines of both locks."""
    index = page.run("return report_edge()")
    page.point_at(f'[data-edge="{index}"]')
    hovered = page.texts("#hover .stack")
    check(len(hovered) == 2 and f"lg_page.c:{line_of('HELD markup')}" in hovered[0], f"hover shows {hovered}")
    page.point_at(f'[data-edge="{index}"]', click=True)
    stacks = page.texts("#edge .stack")
    check(len(stacks) == 2, f"not two stacks but {stacks}")
    for stack, mark, lock in zip(stacks, ("HELD markup", "WANTED ledger"), (f"{MARKUP} was taken", "ledger was requested")):
        check(lock in stack, f"no {lock!r} in {stack}")
        check("flush()" in stack and f"lg_page.c:{line_of(mark)}" in stack, f"no line {mark} in {stack}")
    marked = page.texts("#edge .source .marked")
    check(["HELD markup" in marked[0], "WANTED ledger" in marked[1]] == [True, True], f"the marked lines are {marked}")
    return index


def check_filters(page):
    count = page.find("#find-count")
    check(count.text == "3 of 4 findings", f"at first {count.text}")
    page.find(".chip.note").click()
    check(count.text == "4 of 4 findings", f"with notes {count.text}")
    page.find(".chip.error").click()
    check(count.text == "3 of 4 findings", f"without errors {count.text}")
    page.find(".chip.error").click()
    page.find("#find-text").type("<SCRIPT> flush")
    check(page.texts("#find-list .title") == [f"{MARKUP} and ledger are taken in both orders"] or
          page.texts("#find-list .title") == [f"ledger and {MARKUP} are taken in both orders"], f"found {page.texts('#find-list .title')}")
    page.find("#find-text").type(" nowhere")
    check(page.texts("#find-list .title") == [] and "No finding" in page.find("#finding").text, "found what is not there")
    page.find("#find-text").clear()
    page.run("const box = document.getElementById('find-kind'); box.value = 'hold-too-long'; box.dispatchEvent(new Event('change'))")
    check(len(page.texts("#find-list .title")) == 1, "the kind does not filter")
    page.run("const box = document.getElementById('find-kind'); box.value = ''; box.dispatchEvent(new Event('change'))")


def check_sorting(page):
    def names():
        return page.texts("#contention-rows th")

    check(names()[0] == "busy", f"most waited for first: {names()}")
    page.find('[data-key="name"]').click()
    check(names() == sorted(names(), key=lambda name: name.strip("<")) or names() == sorted(names()), f"by name {names()}")
    check(page.find("thead th").attribute("aria-sort") == "ascending", "not said to be sorted")
    check("name" in page.focused(), f"the focus is lost: {page.focused()}")
    page.find('[data-key="hold_max"]').click()
    check(names()[0] == "busy" and page.find("thead th:nth-child(7)").attribute("aria-sort") == "descending", f"by hold {names()}")
    page.find('[data-key="hold_max"]').click()
    check(names()[-1] == "busy", f"by hold, shortest first {names()}")
    page.find("#contention-text").type("led")
    check(names() == ["ledger"], f"filtered {names()}")


def check_keys(page):
    """Arrow keys go through the list, Enter opens; the drawing as well."""
    page.run("document.querySelector('#find-list a[tabindex=\"0\"]').focus()")
    page.press("End")
    last = page.run("return document.activeElement.dataset.id")
    page.press("Enter")
    page.expect(lambda: page.run("return location.hash") == f"#{last}", "Enter does not follow the link")
    page.expect(lambda: f"#{last}" in page.find("#finding").text, "the finding is not shown")
    page.run("document.querySelector('[data-edge]').focus()")
    page.press("Enter")
    check(page.texts("#edge .stack"), "Enter on an edge shows no stack")
    check('id="edge"' in page.focused(), f"Enter on an edge leads to {page.focused()}")
    check(page.run("return [...document.querySelectorAll('button, input, select, a')].filter((one) => !one.innerText && "
                   "!one.getAttribute('aria-label') && !one.labels?.length && one.offsetParent).map((one) => one.outerHTML)") == [],
          "a control has no name")


def check_links(page, file, data):
    """From outside, also of what the filters leave out; and from within."""
    def shown():
        return page.find("#finding h3").text

    for finding in data["findings"]:
        page.open(file.with_name("blank.html"))
        page.open(file, f"#{finding['id']}")
        check(shown() == finding["title"], f"#{finding['id']} leads to {shown()!r}")
    first = data["findings"][0]
    page.run("location.hash = arguments[0]", first["id"])
    page.expect(lambda: shown() == first["title"], "a link within the page is not followed")


EDGE_OF_PAGE = """
const data = JSON.parse(document.getElementById("data").textContent);
window.report_edge = () => data.edges.findIndex((edge) => data.classes[edge.from].name.startsWith("<script>"));
"""


def look(page, file, theme, width):
    data = data_of(file)
    page.show(width=width, theme=theme)
    page.open(file)
    page.run(EDGE_OF_PAGE)
    check(page.run("return document.documentElement.dataset.theme") == theme, "the preferred colours are not used")
    check(page.run("return document.documentElement.scrollWidth") <= width, "the page is wider than the window")
    check(page.texts("#verdict-title") == ["1 error, 2 warnings, 1 note"], f"the verdict is {page.texts('#verdict-title')}")
    check("holds busy" in " ".join(page.texts("#timeline .span.contended")), "the long hold is not in the timeline")
    check("waits for busy" in " ".join(page.texts("#timeline .span.blocked")), "the long wait is not in the timeline")
    check(page.texts("#graph text.level") == ["level 10", "level 20", "no level", "no level"], "the levels are not drawn")
    check(page.run("return document.querySelectorAll('.edge.wrong').length") == 2, "not just the two edges of the cycle are red")
    check_edge(page)
    check_contrast(page, theme)
    check_filters(page)
    check_sorting(page)
    check_keys(page)
    page.find("#theme").click()
    check(page.run("return document.documentElement.dataset.theme") != theme, "the switch of colours does nothing")
    page.find("#theme").click()
    check_links(page, file, data)
    check(page.run("return document.scripts.length") == 2, "the data became a script")
    check(page.complaints() == [], f"the browser complains: {page.complaints()}")


def in_a_browser(build):
    """Light and dark, wide and narrow: one browser, which takes long to begin."""
    with place(build) as here, browser.page() as page:
        file = write_page(here)
        file.with_name("blank.html").write_text("<!DOCTYPE html><title>blank</title>")
        for theme, width in (("light", 1280), ("dark", 1280), ("light", 390)):
            try:
                look(page, file, theme, width)
            except AssertionError as wrong:
                raise Failure(f"{theme}, {width} pixels wide: {wrong}") from None
            page.run("localStorage.clear()")


def timeline_rows(page):
    """{thread: [words of each bar]}"""
    lanes = page.run("return [...document.querySelectorAll('#timeline-lanes .lane:not(.axis)')].map((lane) => "
                     "[lane.querySelector('h3').innerText, [...lane.querySelectorAll('.span')].map((one) => one.dataset.words)])")
    return dict(lanes)


def time_line(build):
    """Each hold and wait of a program that has some: the right thread, state, length and place; and looked at closer."""
    with place(build) as here, browser.page() as page:
        here.run(build.subject("lg_page"), options=["-O", "timeline=10ms"])
        file = here.directory / "report.html"
        here.report("--format", "html", "-o", file)
        lanes = {lane["thread"].split("(")[1][:-1]: lane["spans"] for lane in data_of(file)["timeline"]["lanes"]}
        check(data_of(file)["timeline"]["least_ns"] == 10000000, "the least length is not told")
        held, = [span for span in lanes["hold"] if span["text"] == "holds busy"]
        blocked, = [span for span in lanes["wait_for_busy"] if span["text"] == "waits for busy"]
        check(300000 <= held["end_us"] - held["start_us"] < 300000 + 3000000 * SLOWNESS, f"busy is held for 300 ms, not {held}")
        (begins, ends), = held["waited"]
        check(abs(begins - blocked["start_us"]) <= 1 and abs(ends - min(held["end_us"], blocked["end_us"])) <= 1, f"{held} is waited for in {blocked}")
        check(blocked["holder"].endswith("(hold)"), f"busy is held by hold, not by {blocked['holder']}")
        check("hold() lg_page.c:" in held["at"] and "wait_for_busy() lg_page.c:" in blocked["at"], f"{held['at']}, {blocked['at']}")
        page.show()
        page.open(file)
        check(any("holds busy, held" in words and "others wait" in words for words in timeline_rows(page)["T4 (hold)"]), f"{timeline_rows(page)}")
        check(page.run("return document.querySelectorAll('#timeline .span.held .waited').length") == 1, "no part of the hold is yellow")
        page.find("#timeline .span.blocked[data-words^='waits for busy']").click()
        check("waits for busy" in page.focused(), f"the focus is on {page.focused()}")
        page.find("#timeline-in").click()
        check(not page.find("#timeline-whole").attribute("disabled"), "nothing came closer")
        page.find("#timeline-whole").click()
        check(page.find("#timeline-whole").attribute("disabled"), "not all of it is shown")
        page.find("#timeline-text").type("wait_for")
        check(list(timeline_rows(page)) == ["T5 (wait_for_busy)"] or len(timeline_rows(page)) <= 2, f"filtered {timeline_rows(page)}")
        check_contrast(page, "the time line")
        check(page.complaints() == [], f"the browser complains: {page.complaints()}")


CASES = [time_line, one_file_that_loads_nothing, is_told_in_its_help, in_a_browser]


def cases():
    for function in CASES:
        yield f"html {function.__name__.replace('_', ' ')}", function in (in_a_browser, time_line), function
