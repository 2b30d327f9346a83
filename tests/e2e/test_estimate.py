"""twofold debug get-sensitivity-of-nodes --estimate: what rows hold, and what is measured."""

import json

import numpy as np
import pytest
import twofold
from command_line import ROOT, fail, succeed

MODEL = ROOT / "examples" / "digits" / "digits.onnx"
DATA = ROOT / "examples" / "digits" / "calibration.npz"
COMMAND = "get-sensitivity-of-nodes"
NOTHING_TO_SEARCH = {
    "model_config": {"activation": {"calibration_type": "max"}, "weight": {"rounding": "nearest"}}
}


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(NOTHING_TO_SEARCH))
    return path


def sensitivity(folder, config, *options):
    """The report, as JSON, and what was printed."""
    report = folder / "report.json"
    command = ["debug", COMMAND, MODEL, DATA, "-c", config, "-s", folder / "s", "--json", report]
    printed = succeed(*command, *options)
    return json.loads(report.read_text()), printed


def noise(row):
    return 10 ** (-float(row["metrics"]["sqnr"]) / 10)


def test_the_worst_are_measured_and_the_rest_is_estimated(tmp_path, config):
    exact, _ = sensitivity(tmp_path, config, "-m", "[sqnr,mse,cosine-similarity]")
    assert not any(row["estimated"] for row in exact["rows"]) and "sweeps" not in exact
    options = ["-m", "[sqnr,mse,cosine-similarity]", "--estimate", "--confirm", "12"]
    report, printed = sensitivity(tmp_path, config, *options)
    assert report["measured"] == 12 and report["reused"] == 0
    assert report["sweeps"] == 10, "one for each of the ten logits"
    assert 0.8 < report["rank_agreement"] <= 1
    agreement = f"rank agreement of estimates and measured values: {report['rank_agreement']:.3f}"
    assert f"estimated by 10 backward sweeps; {agreement}" in printed
    of_name = {row["name"]: row for row in exact["rows"]}
    assert len(of_name) == len(report["rows"])
    assert sum(not row["estimated"] for row in report["rows"]) == 12
    for row in report["rows"]:
        whole = of_name[row["name"]]
        level = 10 * np.log10(noise(whole))
        if level < -25:  # small errors are of first order
            assert float(row["estimate"]) == pytest.approx(level, abs=2), row["name"]
        assert row["estimate_error"] == 0, "few logits: all that is missing is of second order"
        if row["estimated"]:
            assert row["deviations"] == {}
            assert float(row["metrics"]["sqnr"]) == pytest.approx(-float(row["estimate"]))
            lost = 1 - float(whole["metrics"]["cosine-similarity"])
            found = 1 - float(row["metrics"]["cosine-similarity"])
            assert found == pytest.approx(lost, rel=0.5, abs=1e-6)
        else:
            assert row["metrics"] == whole["metrics"]
            assert row["outputs"] == whole["outputs"]
    worst = [noise(row) for row in exact["rows"][:6]]
    confirmed = sorted((noise(r) for r in report["rows"] if not r["estimated"]), reverse=True)
    assert sum(confirmed[:6]) >= 0.95 * sum(worst)


@pytest.mark.parametrize("kind", ["weight", "activation"])
def test_the_log_says_what_was_measured(tmp_path, config, kind):
    report, _ = sensitivity(tmp_path, config, "--estimate", "--confirm", "3", "-n", kind)
    log = (tmp_path / "s" / f"sensitivity_of_{kind}.log").read_text().splitlines()
    assert log[1].split()[-1] == "measured"
    words = [line.split()[-1] for line in log[3:]]
    assert words == ["no" if row["estimated"] else "yes" for row in report["rows"]]
    assert words.count("yes") == 3


def test_groups_are_estimated_too(tmp_path, config):
    report, _ = sensitivity(
        tmp_path, config, "-m", "sqnr", "--group", "op_type", "--estimate", "--confirm", "0"
    )
    assert report["measured"] == 0 and report["rank_agreement"] is None
    assert {"Conv", "Gemm", "MatMul"} <= {row["name"] for row in report["rows"]}
    assert all(row["estimated"] for row in report["rows"])


def test_what_was_measured_before_is_not_measured_again(tmp_path, config):
    options = ["-m", "sqnr", "--estimate", "--confirm"]
    first, _ = sensitivity(tmp_path, config, *options, "4")
    results = tmp_path / "s" / "sensitivity.jsonl"
    assert results.read_text().count("\n") == 1 + 4
    second, _ = sensitivity(tmp_path, config, *options, "9", "--resume")
    assert (first["measured"], second["measured"], second["reused"]) == (4, 5, 4)
    assert results.read_text().count("\n") == 1 + 9
    # Without an estimate the others follow, and with one all of them are there.
    whole, _ = sensitivity(tmp_path, config, "-m", "sqnr", "--resume", "-n", "node")
    assert whole["reused"] == 9
    last, _ = sensitivity(tmp_path, config, *options, "2", "--resume")
    assert last["measured"] == 0 and not any(row["estimated"] for row in last["rows"])
    assert [row["metrics"] for row in last["rows"]] == [row["metrics"] for row in whole["rows"]]


@pytest.mark.parametrize(
    ("options", "message", "code"),
    [
        (
            ["--estimate", "-m", "[sqnr,mae]"],
            "mae cannot be estimated; cosine-similarity, mse and sqnr can",
            1,
        ),
        (["--confirm", "3"], "--confirm requires --estimate", 2),
    ],
)
def test_what_does_not_go_with_an_estimate(tmp_path, options, message, code):
    given = ("debug", COMMAND, MODEL, DATA, "-s", tmp_path / "s")
    assert message in fail(*given, *options, code=code)


def test_the_same_from_python(tmp_path, config):
    report, _ = sensitivity(
        tmp_path, config, "-m", "[sqnr,mse]", "-d", "0", "--estimate", "--confirm", "5"
    )
    found = twofold.debug.get_sensitivity_of_nodes(
        MODEL, ["sqnr", "mse"], DATA, config=NOTHING_TO_SEARCH, estimate=True, confirm=5
    )
    assert found == {row["name"]: row["metrics"] for row in report["rows"]}
    with pytest.raises(twofold.Error, match="chebyshev cannot be estimated"):
        twofold.debug.get_sensitivity_of_nodes(MODEL, "chebyshev", DATA, estimate=True)
    with pytest.raises(twofold.Error, match="-1 units cannot be measured"):
        twofold.debug.get_sensitivity_of_nodes(MODEL, "mse", DATA, estimate=True, confirm=-1)
