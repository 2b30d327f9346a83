"""Compare what two builds write: the bytes of models, and plans but for fields that are new.

    python tools/compare_builds.py OLD/build NEW/build
    python tools/compare_builds.py OLD/build NEW/build --models digits --configs int8 "int16 ec"

Every model is quantized with every config by both builds, in one thread. Prints a row for each;
ends with 1 where anything differs. The models of PP-OCRv4 are those of examples/ocr/fetch_model.py.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench"))
from networks import MATMULS, NAMES, find_networks  # noqa: E402

DIGITS = ROOT / "examples" / "digits"
SAMPLES = 2  # of each model but digits, whose calibration set is taken whole
LAYERWISE_ONLY = "digits"  # a search operand by operand of the others would take hours

MIXED = {
    "digits": DIGITS / "mixed.yaml",
    "ppocrv4-rec": ROOT / "examples" / "ocr" / "mixed.yaml",
}


def whole_model(**settings):
    """A config that says the same for all nodes."""
    return {"model_config": settings}


def products_at(qtype):
    """A config that gives products of matrices a qtype, and the rest int16."""
    products = ("Conv", "ConvTranspose", "MatMul", "Gemm")
    return {
        **whole_model(all_node_type="int16"),
        "op_config": {op: {"qtype": qtype} for op in products},
    }


# Name -> config, a file or a dict.
CONFIGS = {
    "int8": {},
    "uint8": {},  # with --activation-format uint8
    "nearest max": whole_model(
        activation={"calibration_type": "max"}, weight={"rounding": "nearest"}
    ),
    "int16": whole_model(all_node_type="int16"),
    "dual int16": products_at("dual-int16"),
    "int16 ec": products_at("int16-ec"),
    "mixed": {"op_config": {op: {"qtype": "int16"} for op in ("Add", "Div", "Mul")}},
    "bias correction": whole_model(weight={"bias_correction": {"num_sample": 2}}),
    "percentile": whole_model(
        activation={"calibration_type": "percentile", "max_percentile": [0.9999, 0.99999]}
    ),
    "kl": whole_model(activation={"calibration_type": "kl"}),
    "mse": whole_model(activation={"calibration_type": "mse"}),
    "asymmetric": whole_model(activation={"asymmetric": True}),
    "output int8": whole_model(model_output_type="int8"),
    "layerwise": whole_model(layerwise_search={"metric": "sqnr"}),
}


def find_models(names, ocr, folder):
    """Yield name, float model and data of each."""
    if "digits" in names:
        yield "digits", DIGITS / "digits.onnx", DIGITS / "calibration.npz"
    for network in find_networks(names, ocr, folder):
        data = folder / network.name
        data.mkdir()
        for i, sample in enumerate(network.samples(SAMPLES, seed=3)):
            np.savez(data / f"{i}.npz", **sample)
        yield network.name, network.path, data


def config_file(name, model, folder):
    """The file that holds a config, made where it is none of the examples'."""
    if name == "mixed" and model in MIXED:
        return MIXED[model]
    path = folder / "config.json"
    path.write_text(json.dumps(CONFIGS[name]))
    return path


def quantize(build, model, data, config, uint8, folder):
    """Let a build write model and plan to `folder`; return the seconds that took."""
    program = build if build.is_file() else build / "twofold"
    folder.mkdir()
    command = [program.resolve(), "quantize", model, "--data", data, "-c", config, "--threads=1"]
    command += ["-o", "model.onnx", "--plan", "plan.json"]
    command += ["--activation-format", "uint8" if uint8 else "int8"]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{program}: {model}, {config}: {done.stderr.strip()}")
    return time.perf_counter() - start


def plan_difference(old, new, path="plan"):
    """Where the first field of `old` that is not the same in `new` stands, or None."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key, value in old.items():
            if key not in new:
                return f"{path}.{key} is missing"
            if found := plan_difference(value, new[key], f"{path}.{key}"):
                return found
        return None
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = zip(old, new, strict=True)
        found = (plan_difference(*pair, f"{path}[{i}]") for i, pair in enumerate(pairs))
        return next(filter(None, found), None)
    return None if old == new else f"{path}: {old!s:.60} became {new!s:.60}"


def bytes_difference(old, new):
    """Where the first byte of two models that differs stands, or None."""
    if old == new:
        return None
    shared = min(len(old), len(new))
    a, b = (np.frombuffer(content, np.uint8, shared) for content in (old, new))
    first = int(np.argmax(a != b)) if np.any(a != b) else shared
    return f"model: byte {first}; {len(old)} bytes became {len(new)}"


def difference(old, new):
    """What first differs between the files in two folders, or None. Plans tell more than bytes."""
    plans = [json.loads((folder / "plan.json").read_text()) for folder in (old, new)]
    plans[0].pop("version", None)  # grows with the fields
    models = ((folder / "model.onnx").read_bytes() for folder in (old, new))
    return plan_difference(*plans) or bytes_difference(*models)


def main():
    """Print the table; return the exit code."""
    names = ("digits", *NAMES)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("old", type=Path, help="a build folder, or the program in it")
    parser.add_argument("new", type=Path, help="the same of the other build")
    choices = (*names, *MATMULS)
    parser.add_argument("--models", nargs="+", default=names, choices=choices, help="default: all")
    parser.add_argument(
        "--configs", nargs="+", default=CONFIGS, choices=CONFIGS, help="default: all"
    )
    parser.add_argument("--ocr", type=Path, default=ROOT / ".cache/ocr", help="folder of PP-OCRv4")
    arguments = parser.parse_args()
    builds = (arguments.old, arguments.new)
    differences = 0
    print(f"{'model':20} {'config':16} {'old s':>8} {'new s':>8} {'ratio':>6}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, model, data in find_models(arguments.models, arguments.ocr, folder):
            for config in arguments.configs:
                if config == "layerwise" and name != LAYERWISE_ONLY:
                    continue
                file = config_file(config, name, folder)
                outputs = [folder / f"{name} {config} {side}" for side in ("old", "new")]
                old, new = (
                    quantize(build, model, data, file, config == "uint8", output)
                    for build, output in zip(builds, outputs, strict=True)
                )
                found = difference(*outputs)
                differences += found is not None
                row = f"{name:20} {config:16} {old:8.2f} {new:8.2f} {new / old:6.2f}"
                print(row, f"DIFFERS: {found}" if found else "same", flush=True)
    print(f"{differences} differ" if differences else "all the same")
    return int(differences > 0)


if __name__ == "__main__":
    sys.exit(main())
