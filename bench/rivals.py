"""Sessions of ONNX Runtime, and races: runs that alternate in one process."""

import statistics
import time

import onnxruntime


def onnxruntime_session(model, threads):
    """A session on a path, as fast as it gets: with all graph optimizations."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    # Idle threads of one engine must not take the cores from another.
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if threads == 1 else "0")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def seconds_of(run):
    """The seconds that run() takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def race(runs, seconds, at_least=5, pause=0.0):
    """Times each of `runs`, a map of functions, in turn; returns {name: seconds of every run}.

    Rounds go on for `seconds`, `at_least` so many; each begins with another runner, so that none always follows the
    same one. For runners whose threads go on spinning, `pause` seconds go by between two of them, and each then runs
    once more, untimed, to wake its own.
    """
    names = list(runs)
    times = {name: [] for name in names}
    end = time.perf_counter() + seconds
    rounds = 0
    while time.perf_counter() < end or rounds < at_least:
        for i in range(len(names)):
            name = names[(rounds + i) % len(names)]
            if pause:
                time.sleep(pause)
                runs[name]()
            times[name].append(seconds_of(runs[name]))
        rounds += 1
    return times


def ratios(ours, theirs):
    """How often our time goes into theirs: (by the best of both, by the medians)."""
    return min(theirs) / min(ours), statistics.median(theirs) / statistics.median(ours)
