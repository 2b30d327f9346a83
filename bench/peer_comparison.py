"""A trained network quantized by Twofold and by other toolkits, measured on the same samples; results are kept."""

import json
import sys
import tempfile
import time
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import onnx
import twofold
from onnxruntime import GraphOptimizationLevel
from onnxruntime.quantization.shape_inference import quant_pre_process

from exact_onnxruntime import default_session, exact_session
from findings import BASE, EVERYWHERE, cost_of_plan
from multiplications import multiplications, share_beyond_int8, share_of_floats
from peer_process import run_peer
from peer_quantizers import CANDIDATES

HERE = Path(__file__).resolve().parent
PEERS = HERE.parent / ".cache" / "peers"
OURS = {
    "default": None,
    "all int8": BASE,
    "int16 x int8": {"model_config": {"all_node_type": "int16"}},
    "dual int16": EVERYWHERE,
}
TITLES = {"onnxruntime": "ONNX Runtime", "nncf": "NNCF"}


def run_twofold(path, feeds):
    """Yields {output: array} of each feed."""
    session = twofold.Session(str(path), threads=2)
    for feed in feeds:
        yield session.run(feed)


def run_onnxruntime(session, feeds):
    """The same of a session of ONNX Runtime."""
    names = [output.name for output in session.get_outputs()]
    for feed in feeds:
        yield dict(zip(names, session.run(None, feed), strict=True))


def open_session(path):
    """With exact sums, and all optimizations; with none where those fail, as on files of its own quantize_static."""
    try:
        return exact_session(path, GraphOptimizationLevel.ORT_ENABLE_ALL, threads=2)
    except Exception as error:
        print(f"all optimizations: {error}", file=sys.stderr)
        return exact_session(path, threads=2)


def signal_over_noise(outputs, references):
    """In dB, of the energies over all samples; of several outputs the worst."""
    worst = np.inf
    for name, first in references[0].items():
        if not np.issubdtype(first.dtype, np.floating):
            continue
        signal = sum((row[name].astype(np.float64) ** 2).sum() for row in references)
        noise = sum(
            ((row[name].astype(np.float64) - other[name]) ** 2).sum()
            for row, other in zip(references, outputs, strict=True)
        )
        worst = min(worst, 10 * np.log10(signal / noise) if noise > 0 else np.inf)
    return float(worst)


def rename(model):
    """The model with tensors t0, t1, ... and nodes Conv_0, ...; inputs and outputs keep their names."""
    kept = {"": ""} | {value.name: value.name for value in (*model.graph.input, *model.graph.output)}
    names = {}

    def renamed(name):
        return kept[name] if name in kept else names.setdefault(name, f"t{len(names)}")

    for tensor in model.graph.initializer:
        tensor.name = renamed(tensor.name)
    for i, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}_{i}"
        node.input[:] = map(renamed, node.input)
        node.output[:] = map(renamed, node.output)
    del model.graph.value_info[:]
    return onnx.shape_inference.infer_shapes(model)


def describe(settings):
    """Settings in few words: those that are true, and names."""
    values = [key.replace("_", " ") if value is True else value for key, value in settings.items() if value]
    return ", ".join(values)


class PeerComparison:
    """One network. What has been measured of it is in `results`, and in a file beside the models.

    `again` names what is measured anew: a variant, `ours`, a toolkit, `failed` or `all`. A toolkit gets `timeout`
    seconds for one quantization.
    """

    def __init__(self, network, again=(), timeout=240):
        self.network, self.again, self.timeout = network, set(again), timeout
        self.folder = PEERS / "results" / network.name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "results.json"
        self.results = json.loads(self.log.read_text()) if self.log.exists() else {}

    @cached_property
    def model(self):
        """The path of the float network."""
        path = self.folder / "float.onnx"
        onnx.save(self.network.load(), path)
        return path

    @cached_property
    def prepared(self):
        """The same after ONNX Runtime's own pre-processing; as it is where that fails."""
        path = self.folder / "preprocessed.onnx"
        try:
            quant_pre_process(str(self.model), str(path), skip_symbolic_shape=True)
        except Exception as error:
            print(f"quant_pre_process: {error}", file=sys.stderr)
            return self.model
        return path

    @cached_property
    def renamed(self):
        """The same with plain names of nodes and tensors: those that a toolkit makes up then differ from all others."""
        path = self.folder / "renamed.onnx"
        onnx.save(rename(onnx.load(self.prepared)), path)
        return path

    @cached_property
    def calibration(self):
        """Feeds, which no toolkit is measured on."""
        return self.network.calibration()

    @cached_property
    def data(self):
        """A folder with these feeds; it goes when this does."""
        folder = tempfile.TemporaryDirectory()
        for i, feed in enumerate(self.calibration):
            np.savez(Path(folder.name) / f"{i:04}.npz", **feed)
        return folder

    @cached_property
    def samples(self):
        """What is measured."""
        return self.network.held_out()

    @cached_property
    def references(self):
        """The float network's outputs for those."""
        return list(run_onnxruntime(default_session(self.model, threads=2), self.samples.feeds))

    def score(self, outputs):
        """{"sqnr", "score"} of the outputs for all samples."""
        outputs = list(outputs)
        score = self.network.score(outputs, self.references, self.samples.truths)
        return {"sqnr": signal_over_noise(outputs, self.references), "score": float(score)}

    def row(self, name, kind, measure):
        """What measure() gives, or what it gave before; an error is a result too."""
        kinds = {name, kind, "all"} | ({"failed"} if "error" in self.results.get(name, {}) else set())
        if name not in self.results or self.again & kinds:
            start = time.perf_counter()
            try:
                self.results[name] = measure()
            except Exception as error:
                self.results[name] = {"error": f"{type(error).__name__}: {error}"}
            self.results[name]["all_seconds"] = round(time.perf_counter() - start, 1)
            self.log.write_text(json.dumps(self.results, indent=1))
            print(f"{self.network.name}, {name}: {self.results[name]}", file=sys.stderr, flush=True)
        return self.results[name]

    def ours(self, name):
        """Twofold's figures with a config of OURS."""
        path, plan = (self.folder / f"{name.replace(' ', '_')}.{end}" for end in ("onnx", "json"))
        start = time.perf_counter()
        report = twofold.quantize(self.model, self.calibration, OURS[name], output=path, plan=plan, progress=False)
        seconds = time.perf_counter() - start
        macs = multiplications(self.model, self.calibration[0])
        return {
            **self.score(run_twofold(path, self.samples.feeds)),
            "cost": cost_of_plan(self.model, self.calibration, plan),
            "beyond_int8": share_beyond_int8(macs, report["operands"]),
            "seconds": seconds,
            "notes": report["notes"],
        }

    def peer(self, tool, settings):
        """The figures of what another toolkit makes."""
        own = PEERS / tool / "bin" / "python"
        python = own if own.exists() else sys.executable
        path, error = self.folder / "peer.onnx", None
        for model in (self.prepared, self.renamed):
            path.unlink(missing_ok=True)
            command = [python, HERE / "peer_quantizers.py", tool, json.dumps(settings), model, self.data.name, path]
            done = run_peer(command, self.timeout)
            if "error" not in done:
                try:
                    figures = self.score(run_onnxruntime(open_session(path), self.samples.feeds))
                    return done | figures | {"beyond_int8": share_of_floats(path, self.calibration[0])}
                except Exception as failure:
                    done = {"error": f"{type(failure).__name__}: {failure}"}
            error = error or done
            if done["error"].startswith("not done"):
                break
        return error

    def best_peer(self, tool):
        """(settings in words, figures) of the best settings of a toolkit, or its first error if all fail."""
        rows = []
        for settings in CANDIDATES[tool]:
            words = describe(settings)
            rows.append((words, self.row(f"{tool} {words}", tool, partial(self.peer, tool, settings))))
        good = [row for row in rows if "error" not in row[1]]
        if not good:
            return f"{TITLES[tool]}", rows[0][1]
        words, figures = max(good, key=lambda row: (round(row[1]["score"], 1), row[1]["sqnr"]))
        failed = f" ({len(rows) - len(good)} of {len(rows)} settings fail)" if len(good) < len(rows) else ""
        return f"{TITLES[tool]}: {words}{failed}", figures

    def rows(self):
        """Yields (variant, figures)."""
        yield "float", self.row("float", "float", lambda: self.score(self.references))
        for name in OURS:
            yield name, self.row(name, "ours", partial(self.ours, name))
        for tool in CANDIDATES:
            yield self.best_peer(tool)
