"""The profiler's HTML pages in Chromium, its curves, and its progress bar."""

import math
import re
import xml.etree.ElementTree as ElementTree

import profiled_networks as networks
import pytest
from selenium import webdriver
from twofold.profiler import QuantAnalysis, _progress, featuremap_similarity, model_profiler
from twofold.profiler._plot import line_plot

PHONE, DESKTOP = 390, 1440
PAPER = {"light": "rgb(255, 255, 255)", "dark": "rgb(23, 27, 33)"}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    network, model = networks.clipped()
    made = QuantAnalysis(network, model, "fake_quant", out_dir=folder)
    made.auto_find_bad_case(networks.samples())
    made.run()
    made.compare_per_layer()
    featuremap_similarity(network, model, networks.samples()[0], threshold=0.99, out_dir=folder)
    model_profiler(network, model, networks.samples()[0], "FvsQ", folder / "all")
    return {
        "compare": folder / "profiler.html",
        "bad cases": folder / "badcase_report.html",
        "similarity": folder / "similarity.html",
        "all": folder / "all" / "profiler.html",
        "statistics": folder / "all" / "statistic.html",
    }


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "hide-scrollbars"):
        options.add_argument("--" + argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options, webdriver.ChromeService("/usr/bin/chromedriver"))
    yield started
    started.quit()


def opened(browser, path, width, theme="light"):
    preference = {"name": "prefers-color-scheme", "value": theme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [preference]})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(path.as_uri())
    assert browser.get_log("browser") == []
    return browser.execute_script


@pytest.mark.parametrize("name", ["compare", "bad cases", "similarity", "all", "statistics"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_pages_fit_and_load_nothing(pages, browser, name, width):
    run = opened(browser, pages[name], width)
    assert run("return document.documentElement.scrollWidth") <= width
    loaded = run("return performance.getEntriesByType('resource').map(e => e.name)")
    assert loaded == []
    # Frames scroll, so that nothing in them is cut.
    cut = run(
        "return [...document.querySelectorAll('.card')].filter("
        "c => c.scrollWidth > c.clientWidth && getComputedStyle(c).overflowX !== 'auto').length"
    )
    assert cut == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_have_both_themes(pages, browser, theme):
    run = opened(browser, pages["compare"], DESKTOP, theme)
    paper = run("return getComputedStyle(document.querySelector('.card')).backgroundColor")
    assert paper == PAPER[theme]


def test_text_and_curves_stay_inside_of_their_figures(pages, browser):
    run = opened(browser, pages["compare"], DESKTOP)
    outside = run(
        """
        const found = [];
        for (const svg of document.querySelectorAll('svg.plot')) {
          const frame = svg.getBoundingClientRect();
          for (const part of svg.querySelectorAll('text, circle, path')) {
            const box = part.getBoundingClientRect();
            if (box.left < frame.left - 1 || box.right > frame.right + 1 ||
                box.top < frame.top - 1 || box.bottom > frame.bottom + 1) {
              found.push(part.outerHTML);
            }
          }
        }
        return found;
        """
    )
    assert outside == []


def test_the_clipped_layer_stands_out(pages, browser):
    run = opened(browser, pages["compare"], DESKTOP)
    tables = run(
        "return [...document.querySelectorAll('table')].map(t => [...t.rows].map("
        "r => [r.className, r.cells[0].innerText, r.innerText]))"
    )
    advice, layers = tables
    assert advice[1][1] == "body.0" and "Set fixed scale" in advice[1][2]
    bad = [name for kind, name, _ in layers if kind == "bad"]
    assert bad[0] == "body.0" and "stem.0" not in bad
    assert any("Conv2d + batch_norm + relu" in text for _, _, text in layers)


def points(svg):
    text = svg[svg.index("<svg") : svg.index("</svg>") + 6]
    return [
        [(float(c.get("cx")), float(c.get("cy"))) for c in group.findall("circle")]
        for group in ElementTree.fromstring(text).iter("g")
        if (group.get("class") or "").startswith("s")
    ]


def test_curves_are_where_their_numbers_are():
    svg = line_plot("t", ["a", "b", "c"], {"one": [0, 5, 10], "two": [10, math.nan, 2.5]})
    one, two = points(svg)
    low, middle, high = (y for _, y in one)
    assert low - middle == pytest.approx(middle - high) and low > high
    assert [y for _, y in two] == pytest.approx([high, low + (high - low) / 4])
    assert [x for x, _ in two] == [one[0][0], one[2][0]]
    (decades,) = points(line_plot("t", ["a", "b", "c", "d"], {"one": [1, 10, 100, 0]}, log=True))
    assert len(decades) == 3
    assert decades[0][1] - decades[1][1] == pytest.approx(decades[1][1] - decades[2][1])


@pytest.mark.parametrize("values", [[], [3.0], [1e-30, 1e-30], [math.inf, -math.inf], [0, 1e30]])
@pytest.mark.parametrize("log", [False, True])
def test_curves_of_odd_numbers_are_drawn(values, log):
    labels = [f"<{i}>" for i in range(len(values))]
    svg = line_plot("a & b", labels, {"x": values}, log=log)
    text = svg[svg.index("<svg") : svg.index("</svg>") + 6]
    ElementTree.fromstring(text)
    assert "nan" not in text and "a &amp; b" in svg


def test_many_layers_have_numbers_and_few_have_names():
    def texts(count):
        labels = [f"layer{i}" for i in range(count)]
        return line_plot("t", labels, {"x": [1.0] * count})

    assert ">layer7</text>" in texts(40) and ">layer7</text>" not in texts(41)
    assert ">200</text>" in texts(400)


def test_ticks_are_told_apart():
    svg = line_plot("t", ["a", "b"], {"x": [0.99981, 0.99999]})
    texts = re.findall(r'dy="0.35em">([^<]*)<', svg)
    assert len(set(texts)) == len(texts) > 3
    assert all(0.9998 <= float(text) <= 1 for text in texts)


class Clock:
    def __init__(self, step):
        self.now, self.step = 0.0, step

    def monotonic(self):
        self.now += self.step
        return self.now


@pytest.mark.parametrize(("step", "columns"), [(0.01, 80), (1, 0)])
def test_there_is_no_bar_for_short_jobs_nor_without_a_terminal(monkeypatch, capsys, step, columns):
    monkeypatch.setattr(_progress, "time", Clock(step))
    monkeypatch.setattr(_progress, "_bar_columns", lambda: columns)
    assert list(_progress.watched(range(10), "job", 10)) == [*range(10)]
    assert capsys.readouterr().err == ""


def test_a_bar_says_how_far_a_long_job_is_and_goes_away(monkeypatch, capsys):
    monkeypatch.setattr(_progress, "time", Clock(1))
    monkeypatch.setattr(_progress, "_bar_columns", lambda: 60)
    with pytest.raises(KeyError):
        for i in _progress.watched(range(10), "job", 10):
            if i == 6:
                raise KeyError
    drawn = capsys.readouterr().err.split("\r")
    assert "job  [" in drawn[1] and "%" in drawn[1] and "left" in drawn[1]
    assert all(len(text) <= 59 for text in drawn)
    assert drawn[-1] == "" and drawn[-2].strip() == ""


def test_the_line_of_a_bar():
    half = f"job  [{'#' * 20}{'.' * 20}]   50%  30 s left"
    assert _progress.line("job", 5, 10, 30, 80) == half
    assert _progress.line("job", 0, 10, 3, 60).endswith("0%")
    assert _progress.line("job", 1, 3, 100, 70).endswith(" 33%  3 min 20 s left")
    assert _progress.line("job", 7, None, 100, 70) == "job  7 done"
    assert len(_progress.line("a long name of a job", 5, 10, 30, 24)) == 24
