"""Processes that fork, as multiprocessing and loaders of data do: children run models too.

Each case is a script in a process of its own, since a child inherits what its parent did before.
"""

import subprocess
import sys

import pytest
from command_line import ROOT

DIGITS = ROOT / "examples" / "digits"

START = """
import multiprocessing, os, sys, tempfile
from pathlib import Path
import numpy as np
import twofold

DIGITS, FOLDER = map(Path, sys.argv[1:])
IMAGES = np.load(DIGITS / "evaluation.npz")["image"][:8]
MODELS = {"float": DIGITS / "digits.onnx", "mixed": FOLDER / "mixed.onnx"}

def quantize(path):
    data, config = DIGITS / "calibration.npz", DIGITS / "mixed.yaml"
    twofold.quantize(MODELS["float"], data, config, output=path, threads=2)
    return path.read_bytes()

def run(model, threads=2):
    return twofold.Session(MODELS[model], threads=threads).run({"image": IMAGES})["logits"]

def in_child(body):
    '''What body() returns in a child of this process: bytes, or an array's.'''
    reading, writing = os.pipe()
    if os.fork() == 0:
        result = body()
        with open(writing, "wb") as pipe:
            pipe.write(result if isinstance(result, bytes) else result.tobytes())
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        result = pipe.read()
    assert os.wait()[1] == 0
    return result

def expect_same_in_child(body):
    result = body()
    assert in_child(body) == (result if isinstance(result, bytes) else result.tobytes())
"""

CASES = {
    "before any run": """
result = {model: in_child(lambda: run(model)) for model in MODELS}
assert all(run(model).tobytes() == result[model] for model in MODELS)
""",
    "after runs with two threads": """
for model in MODELS:
    expect_same_in_child(lambda: run(model))
    expect_same_in_child(lambda: run(model))
""",
    "a session of the parent": """
for path in MODELS.values():
    session = twofold.Session(path, threads=2)
    expect_same_in_child(lambda: session.run({"image": IMAGES})["logits"])
""",
    "a child of a child": """
for model in MODELS:
    run(model)
    expect_same_in_child(lambda: in_child(lambda: run(model)))
    expect_same_in_child(lambda: (run(model), in_child(lambda: run(model)))[1])
""",
    "quantize": """
expect_same_in_child(lambda: quantize(FOLDER / f"{os.getpid()}.onnx"))
""",
    "multiprocessing": """
expected = [run(model) for model in MODELS]
with multiprocessing.get_context("fork").Pool(2) as pool:
    for a, b in zip(expected, pool.map(run, MODELS)):
        np.testing.assert_array_equal(a, b)
""",
    # As loaders of data do it; some forks are in threads of a loop.
    "while a job reads its data": """
class Forking:
    def __init__(self, images):
        self.images = images
    def __len__(self):
        return len(self.images)
    def __getitem__(self, i):
        image = self.images[i : i + 1]
        return {"image": np.frombuffer(in_child(lambda: image), np.float32).reshape(image.shape)}

images = np.load(DIGITS / "calibration.npz")["image"][:20]
plain = [{"image": images[i : i + 1]} for i in range(20)]
reports = [twofold.quantize(MODELS["float"], data, threads=2) for data in (plain, Forking(images))]
assert reports[0]["operands"] == reports[1]["operands"]
""",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("forks")
    script = START + "quantize(MODELS['mixed'])\n"
    subprocess.run([sys.executable, "-c", script, DIGITS, path], check=True, timeout=120)
    return path


@pytest.mark.parametrize("case", CASES)
def test_children_run_models(folder, case):
    command = [sys.executable, "-c", START + CASES[case], DIGITS, folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
