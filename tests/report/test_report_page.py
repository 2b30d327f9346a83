"""Pages of reports and files of figures, opened in Chromium: what a reader sees and can do."""

import json
import subprocess
import time
import xml.etree.ElementTree
from pathlib import Path

import pytest
import sample_reports
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

PROGRAM = Path(__file__).parents[2] / "build" / "twofold_report_page"
PHONE, DESKTOP = 390, 1440
PAPER = {"light": "rgb(255, 255, 255)", "dark": "rgb(23, 27, 33)"}
FIGURES = sample_reports.figures()


def write(data, *options):
    """What the library makes of a report, or of a figure."""
    result = subprocess.run(
        [PROGRAM, *options], input=json.dumps(data), capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The files of reports, by name."""
    folder = tmp_path_factory.mktemp("pages")
    reports = {
        "small": sample_reports.report(),
        "hostile": sample_reports.report(24, hostile=True),
        "large": sample_reports.report(2000),
        "bare": {"title": "nothing.onnx"},
    }
    for name, report in reports.items():
        (folder / f"{name}.html").write_text(write(report), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "hide-scrollbars"):
        options.add_argument("--" + argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    yield started
    started.quit()


class Page:
    """A page that is open, as wide and in the colours that were asked for."""

    def __init__(self, browser, path, width=DESKTOP, theme="light"):
        self.browser = browser
        preference = {"name": "prefers-color-scheme", "value": theme}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [preference]})
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get("about:blank")
        for kind in ("browser", "performance"):
            browser.get_log(kind)
        browser.get(path.as_uri())
        # Whatever is still to be drawn would move what a click is aimed at.
        painted = "performance.getEntriesByName('report-painted').length > 0"
        self.until(f"return document.getElementById('data') === null || {painted}")

    def press(self, element):
        """Clicks where the element is once the page has come to rest."""
        self.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        place = None
        while place != (
            place := self.run("return arguments[0].getBoundingClientRect().top", element)
        ):
            time.sleep(0.05)
        element.click()

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def until(self, script, *arguments):
        """Waits until a script returns something true, and returns it."""
        end = time.monotonic() + 20
        while not (found := self.run(script, *arguments)):
            assert time.monotonic() < end, f"never true: {script}"
            time.sleep(0.02)
        return found

    def requests(self):
        """The addresses that were asked for."""
        messages = [
            json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance")
        ]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]

    def errors(self):
        return self.browser.get_log("browser")

    def selected(self):
        return self.run(
            "const {view, graph} = report.graph; return graph.nodes[view.selected].name"
        )

    def scale(self):
        return self.run("return report.graph.view.zoom.scale()")

    def header_colour(self):
        header = "document.querySelector('header')"
        return self.run(f"return getComputedStyle({header}).backgroundColor")

    def show_graph(self):
        self.run("document.getElementById('graph').scrollIntoView()")
        return self.find(".canvas-place canvas")

    def offset_of(self, node):
        """Where a node is on the canvas, from its middle."""
        return self.run(
            """const {view, graph} = report.graph, {layout} = graph, {canvas, zoom} = view;
            const scale = zoom.scale(), [x, y] = zoom.translate(), i = arguments[0];
            return [layout.x[i] * scale + x - canvas.clientWidth / 2,
                    layout.y[i] * scale + y - canvas.clientHeight / 2].map(Math.round)""",
            node,
        )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("name", ["small", "hostile", "large", "bare"])
def test_opens_without_network_errors_or_sideways_scrolling(browser, pages, name, width, theme):
    path = pages / f"{name}.html"
    page = Page(browser, path, width, theme)
    page.until("return performance.getEntriesByName('report-painted').length")
    # Through the whole page, so that every figure is drawn.
    for place in page.all(".figure-place"):
        page.run("arguments[0].scrollIntoView()", place)
        page.until("return arguments[0].querySelector('svg.figure')", place)
    assert page.run("return document.documentElement.scrollWidth") == width
    assert page.requests() == [path.as_uri()]
    assert page.errors() == []
    assert page.header_colour() == PAPER[theme]


def test_findings_come_first_and_can_be_copied(browser, pages):
    page = Page(browser, pages / "small.html")
    assert page.find("main > section").get_attribute("id") == "findings"
    titles = [title.text for title in page.all(".finding h3")]
    assert titles[0] == "Limits the model All residual Adds together limit the model to 6.8 dB"
    assert titles[3] == "Note Single errors add up to 0.8 of the error of all units."
    assert page.find(".finding pre").text.startswith("node_config:\n  /encoder/layer.0/MatMul_1:")
    button = page.find(".finding .paste button")
    page.press(button)
    page.until("return arguments[0].textContent === 'Copied'", button)


def test_a_finding_leads_to_its_node(browser, pages):
    page = Page(browser, pages / "small.html", PHONE)
    page.press(page.all(".finding")[1].find_element(By.CSS_SELECTOR, ".chips button"))
    assert page.selected() == "/encoder/layer.0/MatMul_1"
    assert page.run("return document.getElementById('graph').getBoundingClientRect().top") < 100


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_search_centres_a_node_and_shows_its_tensors(browser, pages, width):
    page = Page(browser, pages / "large.html", width)
    page.show_graph()
    search = page.find("input[type=search]")
    search.send_keys("LAYER.99/mat")
    assert page.find("#matches .count").text == "6 nodes"
    search.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
    assert page.selected() == "/encoder/layer.99/MatMul_2"
    assert not page.find("#matches").is_displayed()
    x, y = page.offset_of(99 * 12 + 2)
    assert abs(x) < 60 and abs(y) < 5
    panel = page.find(".panel")
    assert panel.text.startswith("/encoder/layer.99/MatMul_2\n")
    assert "int8 x int8" in panel.text
    assert "0.31 %" in panel.text
    page.run("document.querySelector('.panel .figure-place').scrollIntoView()")
    page.until("return document.querySelector('.panel svg.figure')")


def test_pointers_choose_and_zoom(browser, pages):
    page = Page(browser, pages / "small.html")
    canvas = page.show_graph()
    page.find("[aria-label='Zoom in']").click()
    page.run("report.graph.view.centre(7)")
    x, y = page.offset_of(7)
    ActionChains(browser).move_to_element_with_offset(canvas, x, y).pause(0.05).perform()
    assert page.find(".tip").text.startswith(
        "/encoder/layer.0/Softmax_7 · Softmax · int8 x int8 · error "
    )
    ActionChains(browser).click().perform()
    assert page.selected() == "/encoder/layer.0/Softmax_7"
    assert page.find(".panel h3").text == "/encoder/layer.0/Softmax_7"
    scale = page.scale()
    scrolled = page.run("return window.scrollY")
    ActionChains(browser).scroll_from_origin(ScrollOrigin.from_element(canvas), 0, 200).perform()
    page.until("return report.graph.view.zoom.scale() < arguments[0] * 0.95", scale)
    assert page.run("return window.scrollY") == scrolled
    moved = page.offset_of(7)
    ActionChains(browser).move_to_element_with_offset(
        canvas, -200, 200
    ).click_and_hold().move_by_offset(60, -40).release().perform()
    assert page.offset_of(7) == pytest.approx([moved[0] + 60, moved[1] - 40], abs=2)
    assert page.selected() == "/encoder/layer.0/Softmax_7"


def test_fingers_pan_and_zoom(browser, pages):
    page = Page(browser, pages / "small.html", PHONE)
    canvas = page.show_graph()
    box = page.run(
        "const b = arguments[0].getBoundingClientRect(); return [b.left + 120, b.top + 200]", canvas
    )
    scale, before = page.scale(), page.offset_of(0)

    def touch(kind, *points):
        places = [{"x": box[0] + x, "y": box[1] + y, "id": i} for i, (x, y) in enumerate(points)]
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    touch("touchStart", (0, 0))
    touch("touchMove", (30, 50))
    touch("touchEnd")
    assert page.offset_of(0) == pytest.approx([before[0] + 30, before[1] + 50], abs=2)
    touch("touchStart", (0, 0), (0, 60))
    touch("touchMove", (0, -30), (0, 90))
    touch("touchEnd")
    assert page.scale() == pytest.approx(2 * scale, rel=0.1)


def test_keys_walk_the_graph(browser, pages):
    page = Page(browser, pages / "small.html")
    canvas = page.show_graph()
    canvas.send_keys(Keys.ARROW_DOWN)
    assert page.selected() == "/encoder/layer.0/LayerNormalization_0"
    canvas.send_keys(Keys.ARROW_DOWN, Keys.ARROW_RIGHT)
    assert page.selected() == "/encoder/layer.0/MatMul_2"
    canvas.send_keys(Keys.ARROW_UP)
    assert page.selected() == "/encoder/layer.0/LayerNormalization_0"
    assert (
        page.find(".unseen").get_attribute("textContent").startswith("/encoder/layer.0/LayerNorm")
    )
    scale = page.scale()
    canvas.send_keys("+")
    assert page.scale() > scale
    worst = max(
        (node for node in sample_reports.report()["graph"]["nodes"] if node["error"]),
        key=lambda node: node["error"],
    )
    next(
        button for button in page.all(".graph-tools button") if button.text == "Next worst"
    ).click()
    assert page.selected() == worst["name"]


def test_tables_sort_and_show_all(browser, pages):
    page = Page(browser, pages / "small.html")
    section = "#sensitivity .card:first-of-type "
    assert len(page.all(section + "tbody tr")) == 20
    heading = page.all(section + "th button")[3]
    assert heading.text == "sqnr"

    def column():
        return [cell.text for cell in page.all(section + "tbody td:nth-child(4)")]

    page.press(heading)
    assert column()[:2] == ["13.5", "14.5"]
    assert page.all(section + "th")[3].get_attribute("aria-sort") == "ascending"
    page.press(heading)
    assert column()[0] == "inf"
    page.press(page.find(section + ".table-foot button"))
    assert len(page.all(section + "tbody tr")) == 45


def test_the_button_switches_the_colours(browser, pages):
    page = Page(browser, pages / "small.html", theme="dark")
    button = page.find("#theme")
    assert button.text == "Light"
    page.press(button)
    assert page.header_colour() == PAPER["light"]
    assert button.text == "Dark"


def test_histograms_have_a_choice_of_scale(browser, pages):
    page = Page(browser, pages / "small.html")
    section = next(title for title in page.all("h2") if title.text == "Distributions").find_element(
        By.XPATH, ".."
    )
    page.run("arguments[0].scrollIntoView()", section)
    figure = page.until("return arguments[0].querySelector('svg.figure')", section)
    before = figure.get_attribute("outerHTML")
    page.press(section.find_element(By.CSS_SELECTOR, "button[aria-label^=sqrt]"))
    after = section.find_element(By.CSS_SELECTOR, "svg.figure").get_attribute("outerHTML")
    assert before != after


def test_names_are_never_markup(browser, pages):
    page = Page(browser, pages / "hostile.html")
    page.find("input[type=search]").send_keys("</script>", Keys.ENTER)
    assert page.selected() == sample_reports.HOSTILE
    assert page.find(".panel h3").text == sample_reports.HOSTILE
    assert page.find("h1").text == sample_reports.HOSTILE
    assert browser.title == sample_reports.HOSTILE
    assert page.all("img") == []
    assert page.run("return window.hacked") is None


def test_a_large_model_is_small_and_quick(browser, pages):
    path = pages / "large.html"
    assert path.stat().st_size <= 5_000_000
    painted = []
    # Other programs may have wanted the cores once.
    for _ in range(3):
        page = Page(browser, path)
        marks = page.until(
            "const m = performance.getEntriesByName('report-painted'); return m.length && m[0]"
        )
        painted.append(marks["startTime"])
    assert min(painted) < 2000, painted


# Texts that touch, and that stand out of the figure. Turned ones fill only a part of their boxes.
OVERLAPS = """
  const svg = arguments[0], outer = svg.getBoundingClientRect(), found = [];
  const texts = [...svg.querySelectorAll('text')].map((text) => ({
    text: text.firstChild ? text.firstChild.data : '', box: text.getBoundingClientRect(),
    turned: (text.getAttribute('transform') || '').includes('rotate')}));
  for (const {text, box} of texts) {
    if (box.left < outer.left - 1 || box.right > outer.right + 1 ||
        box.bottom > outer.bottom + 1) found.push(text);
  }
  const upright = texts.filter((text) => !text.turned);
  upright.forEach((a, i) => upright.slice(i + 1).forEach((b) => {
    if (a.box.left < b.box.right - 1 && b.box.left < a.box.right - 1 &&
        a.box.top < b.box.bottom - 3 && b.box.top < a.box.bottom - 3) {
      found.push(a.text + ' on ' + b.text);
    }
  }));
  return found;
"""


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_a_file_of_its_own(browser, tmp_path, name):
    path = tmp_path / "figure.svg"
    path.write_text(write(FIGURES[name], "--svg"), encoding="utf-8")
    root = xml.etree.ElementTree.parse(path).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    for theme in ("light", "dark"):
        page = Page(browser, path, 800, theme)
        assert (
            page.run("return getComputedStyle(document.querySelector('.paper')).fill")
            == PAPER[theme]
        )
        assert page.run(OVERLAPS, page.find("svg")) == []
        assert page.errors() == []
        assert page.requests() == [path.as_uri()]


@pytest.mark.parametrize("width", [320, 560, 1200])
@pytest.mark.parametrize("name", FIGURES)
def test_nothing_overlaps_at_any_width(browser, pages, name, width):
    page = Page(browser, pages / "bare.html")
    svg = page.run(
        """const svg = plots.draw(document, ...arguments);
        document.body.prepend(svg);
        return svg""",
        FIGURES[name],
        width,
    )
    assert page.run(OVERLAPS, svg) == []
