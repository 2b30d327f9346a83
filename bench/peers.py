"""Trained networks quantized by Twofold and by other toolkits, on the same samples: a table.

python bench/peers.py [network ...] [--again VARIANT ...] [--timeout 240]

Each network (bench/trained) is quantized by Twofold in four ways, and by each other toolkit with all settings of
peer_quantizers.CANDIDATES, of which the row shows the best: by the measure of the network's answers on the very samples
that are then shown, and by signal over noise among those that are equal. ONNX Runtime runs what the others make, with
exact sums. A toolkit gets the float network after ONNX Runtime's pre-processing, in an environment of its own:

    python -m venv .cache/peers/nncf && .cache/peers/nncf/bin/pip install nncf==3.4.0 onnx==1.19.1 onnxruntime==1.32.0

ONNX Runtime is that of this environment. Speech needs Debian's espeak-ng. What has been measured is kept in
.cache/peers/results, and measured again only if --again names it (`ours`, `onnxruntime`, `nncf`, `failed`, `all`).
"""

import argparse
import json
import sys
import tempfile
import time
from functools import partial
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
from trained.all_networks import NETWORKS

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


def preprocess(model, prepared):
    """The path of the model after ONNX Runtime's own pre-processing; as it is where that fails."""
    if not prepared.exists():
        try:
            quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
        except Exception as error:
            print(f"quant_pre_process: {error}", file=sys.stderr)
            return model
    return prepared


def open_session(path):
    """With exact sums, and all optimizations; with none where those fail, as on files of its own quantize_static."""
    try:
        return exact_session(path, GraphOptimizationLevel.ORT_ENABLE_ALL, threads=2)
    except Exception as error:
        print(f"all optimizations: {error}", file=sys.stderr)
        return exact_session(path, threads=2)


class Comparison:
    """One network: its files in `folder`, and what has been measured of it."""

    def __init__(self, network, folder, again):
        self.network, self.folder, self.again = network, folder, again
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "results.json"
        self.results = json.loads(self.log.read_text()) if self.log.exists() else {}
        self.model = folder / "float.onnx"
        onnx.save(network.load(), self.model)
        self.calibration = network.calibration()
        self.samples = network.held_out()
        self.prepared = preprocess(self.model, folder / "preprocessed.onnx")
        session = default_session(self.model, threads=2)
        self.references = list(run_onnxruntime(session, self.samples.feeds))
        self.macs = multiplications(self.model, self.calibration[0])

    def score(self, outputs):
        """{"sqnr", "score"} of the outputs for all samples."""
        outputs = list(outputs)
        score = self.network.score(outputs, self.references, self.samples.truths)
        return {"sqnr": signal_over_noise(outputs, self.references), "score": float(score)}

    def row(self, name, measure):
        """What measure() gives, from the log if it has been measured before; an error is a result too."""
        kinds = {name, "all", "ours" if name in OURS else name.split()[0]}
        if "error" in self.results.get(name, {}):
            kinds.add("failed")
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
        return {
            **self.score(run_twofold(path, self.samples.feeds)),
            "cost": cost_of_plan(self.model, self.calibration, plan),
            "beyond_int8": share_beyond_int8(self.macs, report["operands"]),
            "seconds": seconds,
            "notes": report["notes"],
        }

    def peer(self, tool, settings, data, timeout):
        """The figures of what another toolkit makes."""
        own = PEERS / tool / "bin" / "python"
        python = own if own.exists() else sys.executable
        path = self.folder / "peer.onnx"
        for model in (self.prepared, self.model):  # some fail on what pre-processing makes
            path.unlink(missing_ok=True)
            command = [python, HERE / "peer_quantizers.py", tool, json.dumps(settings), model, data, path]
            done = run_peer(command, timeout)
            if "error" not in done:
                break
        else:
            return done
        session = open_session(path)
        beyond = share_of_floats(path, self.calibration[0])
        return done | self.score(run_onnxruntime(session, self.samples.feeds)) | {"beyond_int8": beyond}

    def peers(self, timeout):
        """Yields (title, figures) of the best settings of each toolkit, or of its first error if all fail."""
        with tempfile.TemporaryDirectory() as data:
            for i, feed in enumerate(self.calibration):
                np.savez(Path(data) / f"{i:04}.npz", **feed)
            for tool, candidates in CANDIDATES.items():
                rows = []
                for settings in candidates:
                    words = describe(settings)
                    measure = partial(self.peer, tool, settings, data, timeout)
                    rows.append((words, self.row(f"{tool} {words}", measure)))
                good = [row for row in rows if "error" not in row[1]]
                best = max(good, key=lambda row: (row[1]["score"], row[1]["sqnr"])) if good else ("", rows[0][1])
                yield f"{TITLES[tool]} {best[0]}".strip(), best[1]

    def rows(self, timeout):
        """Yields (variant, figures)."""
        score = self.network.score(self.references, self.references, self.samples.truths)
        yield "float", {"score": float(score)}
        for name in OURS:
            yield name, self.row(name, partial(self.ours, name))
        yield from self.peers(timeout)


def describe(settings):
    """Settings in few words: those that are true, and names."""
    values = [key.replace("_", " ") if value is True else value for key, value in settings.items() if value]
    return ", ".join(values)


def format_row(figures, whole):
    """Cells of a row; `whole` is the cost of all int8."""
    if "error" in figures:
        return f"fails: {figures['error'][:120].replace('|', '/')} | | | "
    sqnr = f"{figures['sqnr']:.1f}" if "sqnr" in figures else "-"
    cost = f"{figures['cost'] / whole:.2f}" if "cost" in figures and whole else "-"
    beyond = f"{100 * figures['beyond_int8']:.1f}" if "beyond_int8" in figures else "-"
    return f"{sqnr} | {figures['score']:.1f} | {cost} | {beyond}"


def print_table(comparison, timeout):
    """Prints the rows of a network, once all are there."""
    network = comparison.network
    rows = list(comparison.rows(timeout))
    whole = dict(rows)["all int8"].get("cost")
    print(f"\n{network.name}: {network.source} ({network.licence}); {len(comparison.calibration)} samples for ", end="")
    print(f"calibration, {len(comparison.samples.feeds)} others measured; score: {network.metric}\n")
    print("| variant | sqnr dB | score | cost | MACs beyond int8 % |\n|---|---|---|---|---|")
    for name, figures in rows:
        print(f"| {name} | {format_row(figures, whole)} |", flush=True)


def main():
    """Prints a table per network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=list(NETWORKS), help=f"of {', '.join(NETWORKS)}")
    parser.add_argument("--again", nargs="*", default=[], help="variants to measure again")
    parser.add_argument("--timeout", type=float, default=240, help="seconds that a toolkit gets for one quantization")
    options = parser.parse_args()
    for name in options.networks:
        folder = PEERS / "results" / name
        print_table(Comparison(NETWORKS[name], folder, set(options.again)), options.timeout)


if __name__ == "__main__":
    main()
