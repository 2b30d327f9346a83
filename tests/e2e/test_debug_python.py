"""twofold.debug: the commands as functions, with the keywords of their options."""

import inspect
import json
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest
import small_models
import twofold
from command_line import PROGRAM, fail, succeed

DEBUG = twofold.debug
BY_MAX = {
    "model_config": {"activation": {"calibration_type": "max"}, "weight": {"rounding": "nearest"}}
}
OPTIONS = {
    "get_sensitivity_of_nodes": "metrics output_node node_type data_num verbose interested_nodes "
    "save_dir group resume",
    "plot_acc_error": "quantize_node non_quantize_node metric average_mode data_num save_dir",
    "plot_distribution": "nodes_list data_num save_dir",
    "get_channelwise_data_distribution": "nodes_list axis data_num save_dir",
    "sensitivity_analysis": "metric pick_threshold data_num sensitive_nodes qtype save_dir resume",
    "tensor_analysis": "node_names save_dir num_processes data_num",
    "runall": "save_dir ns_metrics output_node node_type data_num verbose interested_nodes "
    "dis_nodes_list cw_nodes_list axis quantize_node non_quantize_node ae_metric average_mode "
    "pick_threshold sensitive_nodes resume write_config evaluate",
}


class Small:
    def __init__(self, folder):
        self.folder = folder
        self.model, self.data = small_models.conv_and_matmul(folder)
        self.proto = onnx.load(self.model)
        self.samples = [{"x": x[None]} for x in np.load(self.data)["x"]]
        self.config = folder / "config.json"
        self.config.write_text(json.dumps(BY_MAX))

    def printed(self, command, *options):
        """The report of the command line."""
        report = self.folder / "report.json"
        succeed(
            *("debug", command, self.model, self.data, "-c", self.config),
            *("-s", self.folder / "c", "--json", report, *options),
        )
        return json.loads(report.read_text())


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return Small(tmp_path_factory.mktemp("small"))


@pytest.mark.parametrize("name", OPTIONS)
def test_keywords_are_those_of_the_options(name):
    parameters = set(inspect.signature(getattr(DEBUG, name)).parameters)
    assert set(OPTIONS[name].split()) <= parameters
    text = succeed("debug", name, "--help")
    for keyword in OPTIONS[name].split():
        assert f"--{keyword}" in text or f"--{keyword.replace('_', '-')}" in text


def without_paths(report):
    return {key: value for key, value in report.items() if key not in ("model", "files")}


def test_every_function_gives_what_the_command_gives(small, tmp_path):
    given = {"config": BY_MAX, "data_num": None}
    model, samples = small.proto, small.samples
    report = DEBUG.plot_acc_error(
        tmp_path / "e",
        samples,
        model,
        ["weight", ["/c/Conv"]],
        [["/m/MatMul"]],
        "mse",
        True,
        **given,
    )
    options = ["-q", "[weight,[/c/Conv]]", "-nq", "[[/m/MatMul]]", "-m", "mse", "-a", "-d", "0"]
    assert without_paths(report) == without_paths(small.printed("plot-acc-error", *options))
    assert (tmp_path / "e" / "accumulate_error.svg").exists()

    report = DEBUG.plot_distribution(tmp_path / "d", model, samples, ["/c/Conv"], **given)
    options = ["-n", "[/c/Conv]", "-d", "0"]
    assert without_paths(report) == without_paths(small.printed("plot-distribution", *options))

    report = DEBUG.get_channelwise_data_distribution(
        tmp_path / "b", model, samples, "w", axis=2, **given
    )
    options = ["-n", "w", "-a", "2", "-d", "0"]
    command = "get-channelwise-data-distribution"
    assert without_paths(report) == without_paths(small.printed(command, *options))

    report = DEBUG.tensor_analysis(
        model, samples, ["/m/MatMul"], tmp_path / "t", num_processes=2, **given
    )
    options = ["-n", "[/m/MatMul]", "-np", "2", "-d", "0"]
    assert without_paths(report) == without_paths(small.printed("tensor-analysis", *options))

    report = DEBUG.sensitivity_analysis(
        model, samples, sensitive_nodes=["/c/Conv"], qtype="int16", save_dir=tmp_path / "a", **given
    )
    options = ["-sn", "/c/Conv", "-q", "int16", "-d", "0"]
    assert without_paths(report) == without_paths(small.printed("sensitivity-analysis", *options))

    found = DEBUG.get_sensitivity_of_nodes(model, "mse", samples, node_type="weight", **given)
    rows = small.printed("get-sensitivity-of-nodes", "-m", "mse", "-n", "weight", "-d", "0")["rows"]
    assert found == {row["name"]: row["metrics"] for row in rows}


def test_runall(small, tmp_path, capsys):
    report = DEBUG.runall(
        small.model,
        small.samples,
        tmp_path / "s",
        ns_metrics=["mse", "sqnr"],
        node_type="weight",
        data_num=None,
        verbose=True,
        dis_nodes_list=["/c/Conv"],
        cw_nodes_list=["m"],
        axis=0,
        quantize_node=["weight", "activation"],
        non_quantize_node="/c/Conv",
        ae_metric="mae",
        average_mode=True,
        pick_threshold=0.5,
        sensitive_nodes=["/m/MatMul"],
        write_config=tmp_path / "better.yaml",
        evaluate="echo {model} 1",
        config=BY_MAX,
    )
    assert report["files"][0] == str(tmp_path / "s" / "report.html")
    assert all(Path(file).exists() for file in report["files"])
    assert capsys.readouterr().out.startswith("1. ")
    log = tmp_path / "s" / "node_sensitivity"
    assert (log / "sensitivity_of_weight.log").exists()
    assert not (log / "sensitivity_of_activation.log").exists()
    curves = json.loads((tmp_path / "s" / "accumulate_error" / "accumulate_error.json").read_text())
    assert [curve["name"] for curve in curves["curves"]] == [
        "all weights",
        "all activations",
        "all but /c/Conv",
    ]
    assert json.loads((tmp_path / "better.yaml").read_text()) == BY_MAX
    with pytest.raises(twofold.Error, match="'bias' cannot be measured"):
        DEBUG.runall(small.model, small.samples, tmp_path / "n", node_type=["node", "bias"])


def test_the_most_sensitive_samples_come_first(small, tmp_path):
    quantized = tmp_path / "quantized.onnx"
    twofold.quantize(small.model, small.data, BY_MAX, output=quantized)
    reference, other = twofold.Session(small.model), twofold.Session(quantized)
    errors = []
    for sample in small.samples:
        a, b = (session.run(sample)["y"].astype(np.float64) for session in (reference, other))
        errors.append(((a - b) ** 2).mean())
    order = sorted(range(5), key=lambda i: -errors[i])
    for count, shown in ((3, 3), (99, 5), (0, 0)):
        found = DEBUG.select_sensitive_samples(
            small.proto, small.samples, "mse", num_sample=count, config=BY_MAX
        )
        assert [row["sample"] for row in found] == order[:shown]
        for row in found:
            assert row["mse"] == pytest.approx(errors[row["sample"]], rel=1e-5)
    (worst,) = DEBUG.select_sensitive_samples(small.model, small.samples, config=BY_MAX)
    assert set(worst) == {"sample", "cosine-similarity"}


CALLS = {
    "plot_acc_error": {"quantize_node": "weight"},
    "plot_distribution": {},
    "get_channelwise_data_distribution": {},
    "sensitivity_analysis": {},
    "tensor_analysis": {},
    "runall": {},
    "get_sensitivity_of_nodes": {},
    "find_remedies": {},
    "select_sensitive_samples": {},
}


def call(small, name, folder, **options):
    data = "data" if name == "select_sensitive_samples" else "calibrated_data"
    options |= CALLS[name] | {data: options.pop("samples", small.samples)}
    if name != "select_sensitive_samples":
        options["save_dir"] = folder
    return getattr(DEBUG, name)(model_or_file=options.pop("model", small.model), **options)


@pytest.mark.parametrize("name", CALLS)
def test_progress_is_told_and_the_caller_may_end_it(small, tmp_path, name):
    told = []
    call(small, name, tmp_path / "s", progress=lambda *step: told.append(step))
    if name not in ("plot_distribution", "tensor_analysis", "select_sensitive_samples"):
        assert told
    for _, done, total in told:
        assert 0 <= done <= total
    with pytest.raises(twofold.Cancelled):
        many = small.samples * 600  # so that there is time to ask
        call(small, name, tmp_path / "c", samples=many, cancelled=lambda: True)


@pytest.mark.parametrize("name", CALLS)
def test_what_is_wrong_is_an_error(small, tmp_path, name):
    wrong = [{"x": np.zeros((1, 2), np.float32)}]
    with pytest.raises(twofold.Error):
        call(small, name, tmp_path / "s", samples=wrong)
    with pytest.raises(twofold.Error):
        call(small, name, tmp_path / "s", model=tmp_path / "none.onnx")
    if name != "select_sensitive_samples":
        with pytest.raises(twofold.Error, match="data_num is -1"):
            call(small, name, tmp_path / "s", data_num=-1)
    with pytest.raises(TypeError):
        call(small, name, tmp_path / "s", numbers=1)


def test_words_that_are_no_nodes_are_no_curve_without_them(small, tmp_path):
    for names in ("weight", ["/c/Conv", "activation"]):
        with pytest.raises(twofold.Error, match="may be quantized alone, not left out"):
            DEBUG.plot_acc_error(tmp_path, small.samples, small.model, non_quantize_node=names)
    with pytest.raises(twofold.Error, match="name the nodes to quantize"):
        DEBUG.plot_acc_error(tmp_path, small.samples, small.model)


def test_the_debugger_is_a_program_of_its_own_too(small, tmp_path):
    for command in ("tensor_analysis", "tensor-analysis"):
        words = [command, small.model, small.data, "-c", small.config, "-s", tmp_path, "-np", "1"]
        own = subprocess.run(
            [PROGRAM.with_name("twofold-debugger"), *map(str, words)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert own.stdout == succeed("debug", *words)
    bad = ["plot-distribution", small.model, small.data, "-n", "[/c/Con]", "-s", tmp_path]
    own = subprocess.run(
        [PROGRAM.with_name("twofold-debugger"), *map(str, bad)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert own.returncode == 1 and own.stderr == f"error: {fail('debug', *bad)}\n"
