"""twofold debug runall: everything in one folder, options as scripts of others spell them."""

import json
import signal
import subprocess
import time
from html.parser import HTMLParser

import numpy as np
import pytest
import small_models
from command_line import PROGRAM, ROOT, fail, run, succeed

MODEL = ROOT / "examples" / "digits" / "digits.onnx"
SAMPLES = ROOT / "examples" / "digits" / "calibration.npz"
BY_MAX = {
    "model_config": {"activation": {"calibration_type": "max"}, "weight": {"rounding": "nearest"}}
}


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "config.json"
    path.write_text(json.dumps(BY_MAX))
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory, config):
    """The folder of a run with defaults, and what was printed."""
    folder = tmp_path_factory.mktemp("whole") / "s"
    output = succeed("debug", "runall", MODEL, SAMPLES, "-c", config, "-s", folder)
    return folder, output


def files_of(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_folder_is_laid_out_as_documented(whole):
    folder, output = whole
    files = files_of(folder)
    assert files >= {
        "report.html",
        "findings.json",
        "node_sensitivity/sensitivity_of_weight.log",
        "node_sensitivity/sensitivity_of_activation.log",
        "node_sensitivity/sensitivity_of_node.log",
        "node_sensitivity/node_sensitivity.log",
        "sensitivity.jsonl",
        "data_distribution/distribution.json",
        "channelwise_distribution/channelwise_distribution.json",
        "accumulate_error/accumulate_error.json",
        "accumulate_error/accumulate_error.svg",
        "accumulate_error/growing_error.svg",
        "sensitivity_analysis/sensitivity_analysis.log",
        "sensitivity_analysis/sensitivity_analysis.svg",
    }
    assert {name.split("/")[0] for name in files} == {
        "report.html",
        "sensitivity.jsonl",
        "findings.json",
        "node_sensitivity",
        "data_distribution",
        "channelwise_distribution",
        "accumulate_error",
        "sensitivity_analysis",
    }
    assert f"report: {folder}/report.html\n" in output
    curves = json.loads((folder / "accumulate_error" / "accumulate_error.json").read_text())
    names = [curve["name"] for curve in curves["curves"]]
    assert names == ["all weights", "all activations", "all nodes"]


class Page(HTMLParser):
    """The data of a report, and addresses that it would load from."""

    def __init__(self, text):
        super().__init__()
        self.data, self.loads, self._in_data = "", [], False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self._in_data = tag == "script" and given.get("type") == "application/json"
        if tag in ("script", "link", "img") and (given.get("src") or given.get("href")):
            self.loads.append(given)

    def handle_endtag(self, tag):
        self._in_data = False

    def handle_data(self, data):
        if self._in_data:
            self.data += data


def test_the_page_holds_the_findings(whole):
    folder, output = whole
    page = Page((folder / "report.html").read_text())
    assert not [a for a in page.loads if not str(a.get("href", "")).startswith("data:")]
    data = json.loads(page.data)
    findings = json.loads((folder / "findings.json").read_text())
    titles = [finding["title"] for finding in data["findings"]]
    assert titles[: len(findings["findings"])] == [row["title"] for row in findings["findings"]]
    assert titles[0] in output
    assert data["config"] == findings["lines"]
    assert [row["unit"] for row in data["sensitivity"]] == ["weight", "activation", "node"]
    assert len(data["figures"]) == 3 and data["tensors"] and data["graph"]["nodes"]


LONG = {
    "-nm": "--ns_metrics",
    "-nt": "--node_type",
    "-dn": "--data_num",
    "-dnl": "--dis_nodes_list",
    "-cn": "--cw_nodes_list",
    "-qn": "--quantize_node",
    "-nqn": "--non_quantize_node",
    "-am": "--ae_metric",
    "-avm": "--average_mode",
    "-pt": "--pick_threshold",
    "-sn": "--sensitive_nodes",
    "-s": "--save_dir",
    "-o": "--output_node",
    "-i": "--interested_nodes",
    "-v": "--verbose",
    "-a": "--axis",
}


@pytest.mark.parametrize("spelling", ["short", "long", "equals"])
def test_every_option_in_both_spellings(tmp_path, spelling):
    model, data = small_models.conv_and_matmul(tmp_path)
    folder, report = tmp_path / "s", tmp_path / "report.json"
    given = {
        "-nm": "['mse','sqnr']",
        "-nt": "[activation]",
        "-dn": "3",
        "-dnl": "[/c/Conv]",
        "-cn": "['m']",
        "-qn": "[weight,[/c/Conv,'/m/MatMul']]",
        "-nqn": "[[/c/Relu],[/c/Conv]]",
        "-am": "mae",
        "-avm": "True",
        "-pt": "0.25",
        "-sn": '["/m/MatMul"]',
        "-s": folder,
        "-o": "[y]",
        "-i": "[/m/MatMul]",
        "-v": "False",
        "-a": "-1",
    }
    words = []
    for short, value in given.items():
        if spelling == "equals":
            words.append(f"{LONG[short]}={value}")
        else:
            words += [LONG[short] if spelling == "long" else short, value]
    output = succeed("debug", "runall", model, data, *words, "--json", report)
    assert "weight sensitivity" not in output and "node sensitivity" not in output
    found = json.loads(report.read_text())
    log = (folder / "node_sensitivity" / "sensitivity_of_activation.log").read_text()
    assert log.splitlines()[1].split() == ["node", "mse", "sqnr", "threshold", "bit"]
    assert not (folder / "node_sensitivity" / "sensitivity_of_weight.log").exists()
    nodes = (folder / "node_sensitivity" / "sensitivity_of_node.log").read_text()
    assert [line.split()[0] for line in nodes.splitlines()[3:]] == ["/m/MatMul"]
    curves = json.loads((folder / "accumulate_error" / "accumulate_error.json").read_text())
    assert curves["metric"] == "mae"
    assert [curve["name"] for curve in curves["curves"]] == [
        "all weights",
        "/c/Conv, /m/MatMul",
        "all but /c/Relu",
        "all but /c/Conv",
    ]
    drawn = json.loads((folder / "data_distribution" / "distribution.json").read_text())
    assert {row["node"] for row in drawn["operands"]} == {"/c/Conv"}
    (boxes,) = json.loads(
        (folder / "channelwise_distribution" / "channelwise_distribution.json").read_text()
    )["tensors"]
    assert (boxes["tensor"], boxes["axis"]) == ("m", 1)
    analysis = json.loads(
        (folder / "sensitivity_analysis" / "sensitivity_analysis.json").read_text()
    )
    assert [row["node"] for row in analysis["rows"]] == ["/m/MatMul"]
    assert analysis["metric"] == "mae"
    assert set(found["files"]) == {str(folder / name) for name in files_of(folder)}


@pytest.mark.parametrize("flag", ["-v", "-v True", "--verbose true", "--verbose=True"])
def test_tables_are_printed_where_they_are_asked_for(tmp_path, flag):
    model, data = small_models.one_matmul(tmp_path)
    output = succeed("debug", "runall", model, data, "-s", tmp_path / "s", *flag.split())
    for kind in ("weight", "activation", "node"):
        assert f"{'=' * 17}{kind} sensitivity{'=' * 17}" in output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-dnl", "[/c/Con]"], "no node or tensor '/c/Con'; the nearest are '/c/Conv'"),
        (["-cn", "[/c/Con]"], "the model has no node or tensor '/c/Con'"),
        (["-cn", "[m]", "-a", "4"], "tensor 'm' has 2 dimensions and no axis 4"),
        (["-qn", "[/c/Con]"], "the model has no node '/c/Con'"),
        (["-nqn", "[weight]"], "'weight' may be quantized alone (-q weight), not left out"),
        (["-sn", "[/c/Con]"], "the model has no node '/c/Con'"),
        (["-i", "[/c/Con]"], "the model has no node '/c/Con'"),
        (["-o", "[z]"], "the model has no output 'z'; the nearest are 'y'"),
        (
            ["-nt", "[node,bias]"],
            "'bias' cannot be measured; there are node, weight and activation",
        ),
        (["-am", "loss"], "'loss' is no metric"),
        (["-nm", "loss"], "'loss' is no metric"),
        (["--evaluate", "echo 1"], "does not say where the model goes: write {model}"),
        (["--write-config", "none/c.yaml"], "none/c.yaml"),
    ],
)
def test_what_does_not_fit_is_named_before_anything_is_measured(tmp_path, options, message):
    model, data = small_models.conv_and_matmul(tmp_path)
    given = ["debug", "runall", model, data, "-s", tmp_path / "s"]
    assert message in fail(*given, *options, cwd=tmp_path)
    assert not (tmp_path / "s").exists()


def units(results):
    return [json.loads(line)["unit"] for line in results.read_text().splitlines()[1:]]


def test_a_killed_run_goes_on_and_measures_nothing_twice(tmp_path, config, whole):
    data = tmp_path / "images.npz"
    np.savez(data, image=np.load(SAMPLES)["image"][:24])
    folder = tmp_path / "s"
    given = ["debug", "runall", MODEL, data, "-c", config, "-s", folder, "-dn", "0"]
    results = folder / "sensitivity.jsonl"
    with subprocess.Popen(
        [PROGRAM, *given, "--threads", "1"], stdout=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 60
        while not (results.exists() and results.read_text().count("\n") > 4):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    torn = results.read_text()
    kept = torn[: torn.rfind("\n") + 1]
    results.write_text(kept + '{"unit":"node:/torn')
    succeed(*given, "--resume", timeout=120)
    assert results.read_text().startswith(kept)
    assert len(units(results)) == len(set(units(results)))
    # All that a run from the start measures.
    assert set(units(results)) == set(units(whole[0] / "sensitivity.jsonl"))
    again = results.read_bytes()
    succeed(*given, "--resume", timeout=120)
    assert results.read_bytes() == again


def test_another_plan_is_not_gone_on_with(tmp_path):
    model, data = small_models.one_matmul(tmp_path)
    given = ["debug", "runall", model, data, "-s", tmp_path / "s"]
    succeed(*given)
    config = tmp_path / "c.yaml"
    config.write_text("model_config: {all_node_type: int16}")
    assert "these results are of another plan" in fail(*given, "--resume", "-c", config)
    succeed(*given, "-c", config)


def test_users_evaluate_by_their_own_command(tmp_path, config):
    folder, report = tmp_path / "it's here", tmp_path / "r.json"
    given = ["debug", "runall", MODEL, SAMPLES, "-c", config, "-s", folder, "--json", report]
    output = succeed(*given, "--evaluate", "test -s {model} && echo loss 7 && echo accuracy: 0.25")
    assert "evaluated as tested: 0.25\nevaluated with the lines: 0.25\n" in output
    evaluations = json.loads((folder / "findings.json").read_text())["evaluations"]
    assert dict(evaluations) == {"as tested": 0.25, "with the lines": 0.25}
    facts = json.loads(Page((folder / "report.html").read_text()).data)["facts"]
    assert ["Evaluated", "as tested: 0.25"] in facts


def test_a_model_with_nothing_to_mend_is_evaluated_too(tmp_path):
    model, data = small_models.one_matmul(tmp_path)
    given = ["debug", "runall", model, data, "-s", tmp_path / "s"]
    output = succeed(*given, "--evaluate", "echo {model} -1e-3")
    assert "evaluated as tested: -0.001\n" in output
    assert "with the lines" not in output


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("cat {model} >/dev/null; exit 3", "failed (exit code 3)"),
        ("echo {model}", "printed no number last, but"),
        ("true {model}", "printed no number last, but ''"),
        ("kill -9 $$ # {model}", "failed (exit code 137)"),
    ],
)
def test_a_command_that_gives_no_number_is_an_error(tmp_path, command, message):
    model, data = small_models.one_matmul(tmp_path)
    given = ["debug", "runall", model, data, "-s", tmp_path / "s", "--evaluate", command]
    result = run(*given)
    assert result.returncode == 1
    assert message in result.stderr
