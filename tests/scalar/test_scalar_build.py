"""Without SIMD (CMake: TWOFOLD_SCALAR) everything gives the same bits, on 1 and on 2 threads."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import twofold
from large_cases import large_cases
from onnx_cases import CASES, feeds
from scope import operators

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DIGITS = ROOT / "examples" / "digits"
SIMD, SCALAR = ROOT / "python" / "twofold", ROOT / "build" / "scalar"
# Float sums of these run on oneDNN, and may differ in their last bits (docs/numerics.md, rule 8);
# the quantized ones of the suite do too, since they take their scales as inputs.
ONEDNN = {"Conv", "ConvTranspose", "MatMul", "Gemm", "QLinearConv", "QLinearMatMul"}


def run(extension, script, *arguments, **environment):
    assert list(extension.glob("_twofold*.so")), f"{extension} is made by tools/build.sh all"
    result = subprocess.run(
        [sys.executable, HERE / "with_extension.py", extension, HERE / script, *arguments],
        env=os.environ | {"OMP_WAIT_POLICY": "passive"} | environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def expect_same_bits(cases, folder):
    """Checks a list of (name, model, inputs by name); returns {name: a hash or an error}."""
    path = folder / "cases"
    path.write_bytes(pickle.dumps(cases))
    simd = json.loads(run(SIMD, "hash_outputs.py", path))
    # oneDNN knows no scalar kernels; its least instruction set is the furthest from the other run.
    scalar = json.loads(run(SCALAR, "hash_outputs.py", path, ONEDNN_MAX_CPU_ISA="SSE41"))
    assert len(simd) == len(cases)
    differing = [name for name in simd if len({*simd[name].values(), *scalar[name].values()}) > 1]
    assert not differing
    return {name: simd[name]["1"] for name in simd}


def test_conformance_cases(tmp_path):
    cases = []
    for name, case in CASES.items():
        if {op for _, op in operators(case.model.graph)} & ONEDNN:
            continue
        model = case.model.SerializeToString()
        for i, (inputs, _) in enumerate(case.data_sets):
            cases.append((f"{name} {i}", model, feeds(case, inputs)))
    assert len(cases) > 1000
    expect_same_bits(cases, tmp_path)


def test_large_tensors(tmp_path):
    found = expect_same_bits(large_cases(), tmp_path)
    assert not {name: what for name, what in found.items() if what.startswith("error")}


@pytest.mark.parametrize("qtype", ["int8", "int16", "dual-int16", "int16-ec"])
def test_quantized_digits(tmp_path, qtype):
    config = {
        "model_config": {"all_node_type": "int8" if qtype == "int8" else "int16"},
        "op_config": {op: {"qtype": qtype} for op in ("Conv", "MatMul", "Gemm")},
    }
    model = tmp_path / "digits.onnx"
    twofold.quantize(DIGITS / "digits.onnx", DIGITS / "calibration.npz", config, output=model)
    images = np.load(DIGITS / "evaluation.npz")["image"][:100]
    expect_same_bits([(qtype, model.read_bytes(), {"image": images})], tmp_path)


def test_quantizing_digits(tmp_path):
    """The float runs are oneDNN's in both, and the same."""
    written = []
    for name, extension in {"simd": SIMD, "scalar": SCALAR}.items():
        run(extension, "quantize_digits.py", tmp_path / name)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]
