"""twofold debug compare-dumps: what another program dumped, with an element that is a step off."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import small_models
import twofold
from command_line import fail, succeed
from onnx import numpy_helper

SAMPLE = 3


class Dumps:
    """A quantized model, and what ONNX Runtime makes of one of its samples."""

    def __init__(self, folder, config=None, **options):
        self.folder = folder
        model, self.data = small_models.conv_and_matmul(folder)
        self.model = folder / "quantized.onnx"
        twofold.quantize(model, self.data, config, output=self.model, **options)
        proto = onnx.load(self.model)
        outputs = {output.name for output in proto.graph.output}
        computed = [name for node in proto.graph.node for name in node.output]
        for name in computed:
            if name not in outputs:
                proto.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
        session = onnxruntime.InferenceSession(proto.SerializeToString())
        names = [output.name for output in session.get_outputs()]
        x = np.load(self.data)["x"][SAMPLE][None]
        self.tensors = dict(zip(names, session.run(None, {"x": x}), strict=True)) | {"x": x}
        stored = {i.name: numpy_helper.to_array(i) for i in proto.graph.initializer}
        # {tensor: (its integers, scale, zero point)}
        self.integers = {
            node.input[0]: (
                node.output[0],
                float(stored[node.input[1]]),
                int(stored[node.input[2]]),
            )
            for node in proto.graph.node
            if node.op_type == "QuantizeLinear"
        }

    def compare(self, dumps, *options):
        report = self.folder / "report.json"
        output = succeed(
            *("debug", "compare-dumps", self.model, self.data, dumps),
            *("--sample", str(SAMPLE), "--json", report, *options),
        )
        return json.loads(report.read_text()), output

    def refusal(self, dumps, *options):
        given = ["debug", "compare-dumps", self.model, self.data, dumps]
        return fail(*given, "--sample", str(SAMPLE), *options)


@pytest.fixture(scope="module")
def dumps(tmp_path_factory):
    return Dumps(tmp_path_factory.mktemp("dumps"))


def first(report):
    return next((row["tensor"] for row in report["tensors"] if row["leaves"]), None)


def test_what_is_the_same_leaves_nowhere(dumps, tmp_path):
    for name, tensor in dumps.tensors.items():
        np.save(tmp_path / f"{name.replace('/', '_')}.npy", tensor)
    report, output = dumps.compare(tmp_path)
    assert first(report) is None and "<-" not in output
    assert {"x", "y"} < {row["tensor"] for row in report["tensors"]}
    assert all(row["largest_steps"] in (None, 0) for row in report["tensors"])


@pytest.mark.parametrize("form", ["integers", "real", "raw integers", "raw real", "bare"])
def test_one_element_by_one_step_is_found(dumps, tmp_path, form):
    target = "f"
    for name, (integers, scale, zero_point) in dumps.integers.items():
        q = dumps.tensors[integers].copy()
        if name == target:
            q.flat[17] += 1 if q.flat[17] < 100 else -1
        real = ((q.astype(np.float32) - zero_point) * np.float32(scale)).astype(np.float32)
        if form == "integers":
            np.save(tmp_path / f"{name}.npy", q)
        elif form == "real":
            np.save(tmp_path / f"{name}.npy", real)
        elif form == "raw integers":
            (tmp_path / f"{name}.bin").write_bytes(q.tobytes())
        elif form == "raw real":
            (tmp_path / f"{name}.raw").write_bytes(real.tobytes())
        else:
            (tmp_path / integers).write_bytes(q.tobytes())
    report, output = dumps.compare(tmp_path)
    assert first(report) == target
    (row,) = [row for row in report["tensors"] if row["leaves"]]
    assert row["largest_steps"] == pytest.approx(1, abs=1e-3)
    assert row["largest_difference"] == pytest.approx(dumps.integers[target][1], rel=1e-5)
    assert row["equal_share"] == pytest.approx(1 - 1 / dumps.tensors[target].size)
    (line,) = [line for line in output.splitlines() if "<- the first that leaves" in line]
    assert line.split()[0] == target
    names = [row["tensor"] for row in report["tensors"]]
    assert names == sorted(names, key="xcrfpy".index)


@pytest.mark.parametrize("config", [{"all_node_type": "int16"}, None])
def test_int16_and_uint8(tmp_path, config):
    options = {"activation_format": "uint8"} if config is None else {}
    made = Dumps(tmp_path, {"model_config": config} if config else None, **options)
    (tmp_path / "d").mkdir()
    dtype = np.uint8 if config is None else np.int16
    for name, (integers, _, _) in made.integers.items():
        q = made.tensors[integers].copy()
        assert q.dtype == dtype
        if name == "x":
            q.flat[0] -= 2 if q.flat[0] > 2 else -2
        (tmp_path / "d" / f"{name}.bin").write_bytes(q.tobytes())
    report, _ = made.compare(tmp_path / "d")
    assert first(report) == "x"
    assert report["tensors"][0]["largest_steps"] == pytest.approx(2, abs=1e-3)
    assert not any(row["leaves"] for row in report["tensors"][1:])


@pytest.mark.parametrize(
    "name", ["block/0/mm_out.npy", "_block_0_mm_out.npy", "block/0/mm_out.bin"]
)
def test_slashes_are_folders_or_underscores(tmp_path, name):
    nodes = [
        small_models.node("MatMul", "x w", "/block/0/mm_out", "/block/0/mm"),
        small_models.node("Softmax", "/block/0/mm_out", "y", "/soft"),
    ]
    constants = {"w": small_models.weights(0, 8, 8)}
    model = small_models.save(tmp_path / "m.onnx", nodes, {"x": [1, 8]}, {"y": [1, 8]}, constants)
    _, data = small_models.one_matmul(tmp_path)
    quantized, report = tmp_path / "q.onnx", tmp_path / "r.json"
    succeed("quantize", model, "--data", data, "-o", quantized)
    file = tmp_path / "d" / name
    file.parent.mkdir(parents=True)
    zeros = np.zeros((1, 8), np.float32)
    np.save(file, zeros) if name.endswith("npy") else file.write_bytes(zeros.tobytes())
    (tmp_path / "d" / "notes.txt").write_text("")
    output = succeed("debug", "compare_dumps", quantized, data, tmp_path / "d", "--json", report)
    (row,) = json.loads(report.read_text())["tensors"]
    assert (row["tensor"], row["node"], row["op_type"]) == (
        "/block/0/mm_out",
        "/block/0/mm",
        "MatMul",
    )
    assert row["leaves"] and row["largest_steps"] is None
    assert f"note: not a tensor of the model: {tmp_path}/d/notes.txt" in output


def test_nan_leaves(dumps, tmp_path):
    for name in ("y", "f"):
        x = dumps.tensors[name].copy()
        x.flat[3] = np.nan
        np.save(tmp_path / f"{name}.npy", x)
    report, _ = dumps.compare(tmp_path)
    assert [row["leaves"] for row in report["tensors"]] == [True, True]
    assert [row["largest_difference"] for row in report["tensors"]] == ["inf", "inf"]


def test_every_dump_of_a_tensor_has_a_row(dumps, tmp_path):
    integers, _, _ = dumps.integers["f"]
    np.save(tmp_path / "f.npy", dumps.tensors["f"])
    np.save(tmp_path / f"{integers}.npy", dumps.tensors[integers])
    report, _ = dumps.compare(tmp_path)
    assert [row["tensor"] for row in report["tensors"]] == ["f", "f"]
    assert {row["file"] for row in report["tensors"]} == set(map(str, tmp_path.iterdir()))


def write(folder, name, x):
    np.save(folder / f"{name}.npy", x)


WRONG = {
    "layout": lambda f, d: write(f, "x", np.moveaxis(d.tensors["x"], 1, -1)),
    "count": lambda f, d: write(f, "x", np.zeros(5, np.float32)),
    "type": lambda f, d: write(f, "f", np.zeros((1, 144), np.int16)),
    "no integers": lambda f, d: write(f, "y", np.zeros((1, 5), np.int8)),
    "bytes": lambda f, d: (f / "f.bin").write_bytes(b"\0" * 288),
    "bytes of reals": lambda f, d: (f / "y.bin").write_bytes(b"\0" * 5),
    "empty": lambda f, d: (f / "f.bin").write_bytes(b""),
    "no array": lambda f, d: (f / "f.npy").write_bytes(b"junk"),
    "no match": lambda f, d: write(f, "z", np.zeros(5)),
    "nothing": lambda f, d: None,
}
MESSAGES = {
    "layout": "x.npy: its shape is [1,6,6,3], and tensor 'x' has shape [1,3,6,6]",
    "count": "x.npy: its shape is [5], and tensor 'x' has shape [1,3,6,6]",
    "type": "f.npy: its elements are int16, and the model has tensor 'f' as int8",
    "no integers": "y.npy: its elements are int8, and the model has tensor 'y' as float32",
    "bytes": "f.bin: 288 bytes, and the 144 elements of tensor 'f' are 144 (int8) or 576 (float32)",
    "bytes of reals": "y.bin: 5 bytes, and the 5 elements of tensor 'y' are 20 (float32)",
    "empty": "f.bin: 0 bytes, and the 144 elements",
    "no array": "f.npy",
    "no match": "has the name of a tensor of the model; the first tensor is 'x', for which 'x.npy'",
    "nothing": "has the name of a tensor of the model",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_dumps_of_something_else_are_refused(dumps, tmp_path, wrong):
    WRONG[wrong](tmp_path, dumps)
    assert MESSAGES[wrong] in dumps.refusal(tmp_path)


def test_what_is_not_there_is_named(dumps, tmp_path):
    assert "there is no folder" in dumps.refusal(tmp_path / "none")
    given = ["debug", "compare-dumps", dumps.model, dumps.data, tmp_path]
    assert fail(*given, "--sample", "9") == "there is no sample 9: the data have 5"
