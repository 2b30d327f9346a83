"""What the debugger finds: what limits a model, what repairs it, that there is nothing to do."""

import json
import re

import numpy as np
import onnx
import planted_models
import pytest
import twofold
from command_line import succeed

COMMAND = "get-sensitivity-of-nodes"


@pytest.fixture(scope="module", params=planted_models.ALL)
def planted(request, tmp_path_factory):
    """A planted model in a folder of its own, with the findings about it."""
    folder = tmp_path_factory.mktemp(request.param)
    model = planted_models.ALL[request.param]()
    onnx.save(model.model, folder / "model.onnx")
    np.savez(folder / "samples.npz", **model.samples)
    (folder / "config.yaml").write_text(json.dumps(model.config))
    better = folder / "better.yaml"
    output = debug(folder, "config.yaml", "first", "--write-config", better)
    return request.param, folder, model, findings(folder, "first"), output


def debug(folder, config, save_dir, *options):
    return succeed(
        *("debug", COMMAND, folder / "model.onnx", folder / "samples.npz"),
        *("-c", folder / config, "-d", "0", "-s", folder / save_dir, *options),
    )


def findings(folder, save_dir):
    return json.loads((folder / save_dir / "findings.json").read_text())


def needed(report):
    """The nodes that the lines are about."""
    return set(twofold_config(report["lines"]))


def twofold_config(lines):
    """node_config of lines, read by what users read YAML with."""
    config = {}
    for line in lines.splitlines()[1:]:
        name, _, value = line.strip().partition(": ")
        config[name.strip('"')] = value
    return config


def test_the_top_finding_names_what_is_wrong(planted):
    name, _, model, report, output = planted
    top = report["findings"][0]
    assert report["good"] == (name == "nothing")
    if name == "nothing":
        assert top["kind"] == "note"
        assert top["title"].startswith("Nothing to do")
        assert report["lines"] == ""
        assert top["title"] in output
        return
    assert set(top["nodes"]) == model.nodes
    assert top["kind"] == ("both" if name.startswith("both_inputs") else "limit")
    assert f"1. {top['title']}" in output


CAUSES = {
    "clipping": ("clipping", "is clipped", "range by"),
    "one_channel": ("a few channels", "is set by channel 5 ", "input0 int16"),
    "both_inputs_of_a_conv": ("both inputs", "is set by channel 3 ", "input0 int16, input1 ec"),
    "both_inputs_of_a_matmul": ("both inputs", "set by channel 9 ", "input0 int16, input1 int16"),
    "group": ("Add (40 nodes)", "Alone", "all inputs at 16 bits"),
    "written_out_norm": ("block '/norm' (5 nodes)", "Alone", "all inputs at 16 bits"),
    "nothing": ("Nothing to do", "good enough", ""),
}


def test_a_finding_and_a_histogram_count_the_same_numbers_as_clipped(planted):
    name, folder, _, report, _ = planted
    if name != "clipping":
        return
    (share,) = re.findall(
        r"input0 \('(.+?)'\) is clipped: (\S+) % of", report["findings"][0]["text"]
    )
    succeed(
        *("debug", "plot-distribution", folder / "model.onnx", folder / "samples.npz"),
        *("-c", folder / "config.yaml", "-d", "0", "-s", folder / "histograms"),
    )
    operands = json.loads((folder / "histograms" / "distribution.json").read_text())["operands"]
    (clipped,) = [row["clipped"] for row in operands if row["tensor"] == share[0]]
    assert clipped > 0
    assert float(share[1]) == pytest.approx(100 * clipped, rel=5e-3)  # three digits


def test_the_cause_and_the_remedy_are_those_that_were_planted(planted):
    name, _, _, report, _ = planted
    top = report["findings"][0]
    title, text, remedy = CAUSES[name]
    assert title in top["title"]
    assert text in top["text"]
    assert top["remedy"].startswith(remedy)


def test_the_config_that_is_written_repairs_the_model(planted):
    name, folder, model, report, _ = planted
    if name == "nothing":
        assert json.loads((folder / "better.yaml").read_text()) == model.config
        return
    # Of several, what is good enough without them is left out.
    several = name in ("group", "written_out_norm")
    assert needed(report) <= model.nodes if several else needed(report) >= model.nodes
    assert report["before"]["sqnr"] < 27 < report["after"]["sqnr"]
    debug(folder, "better.yaml", "second")
    again = findings(folder, "second")
    assert again["good"]
    # The same plan, scales and all: what was promised is what comes out.
    assert again["before"] == pytest.approx(report["after"])


def test_what_was_promised_is_what_quantize_gives(planted):
    name, folder, _, report, _ = planted
    quantized = folder / "quantized.onnx"
    twofold.quantize(
        folder / "model.onnx", folder / "samples.npz", folder / "better.yaml", output=quantized
    )
    reference, other = twofold.Session(folder / "model.onnx"), twofold.Session(quantized)
    noise = []
    for x in np.load(folder / "samples.npz")["x"]:
        a, b = (session.run({"x": x})["y"].astype(np.float64) for session in (reference, other))
        noise.append(10 * np.log10((a**2).sum() / ((a - b) ** 2).sum()))
    expected = report["after"] if name != "nothing" else report["before"]
    assert expected["sqnr"] == pytest.approx(np.mean(noise), abs=1e-3)


def test_both_inputs_have_their_four_measurements(planted):
    name, _, model, report, _ = planted
    rows = {row["node"]: row for row in report["both_inputs"]}
    for row in rows.values():
        assert row["needs_both"] == (name.startswith("both_inputs") and row["node"] in model.nodes)
    if not name.startswith("both_inputs"):
        return
    (node,) = model.nodes
    row = rows[node]
    assert max(row["int8"], row["first_at_16"], row["second_at_16"]) < 0.99 < row["both_at_16"]
    assert 0 < row["mac_share"] < 1


def test_every_remedy_that_is_suggested_was_tried(planted):
    _, _, _, report, _ = planted
    tried = {(row["node"], row["remedy"]) for row in report["remedies"]}
    for finding in report["findings"]:
        if len(finding["nodes"]) == 1 and finding["remedy"]:
            assert (finding["nodes"][0], finding["remedy"]) in tried
