"""What kind of file it is: Magika on files of well-known packages."""

import zipfile
from collections import defaultdict
from functools import cache

import numpy as np
import onnx

from .network import Samples, TrainedNetwork, fix_shapes
from .wheels import member, wheel

WHEEL, FILE = "magika==1.0.3", "magika/models/standard_v3_3/model.onnx"
PACKAGES = ("numpy==2.4.6", "sphinx==9.0.4", "scikit-image==0.26.0", "jupyterlab==4.6.6")
EDGE, BLOCK, PADDING = 1024, 4096, 256  # bytes of each end that are looked at, and read; what is not there
SHORTEST, LONGEST = 64, 2**22


@cache
def names_by_ending():
    """{ending: [(requirement, name)]}, in an order of its own that depends on nothing."""
    found = defaultdict(list)
    for requirement in PACKAGES:
        with zipfile.ZipFile(wheel(requirement)) as archive:
            for entry in archive.infolist():
                ending = entry.filename.rpartition("/")[2].rpartition(".")[2]
                if SHORTEST <= entry.file_size <= LONGEST and 1 <= len(ending) <= 8:
                    found[ending].append((requirement, entry.filename))
    random = np.random.default_rng(0)
    return {ending: [names[i] for i in random.permutation(len(names))] for ending, names in sorted(found.items())}


def bytes_of(content):
    """int32 [2048]: both ends of a file without white space around, as the package takes them."""
    first = list(content[:BLOCK].lstrip()[:EDGE])
    last = list(content[-BLOCK:].rstrip()[-EDGE:])
    padding = [PADDING] * EDGE
    return np.array((first + padding)[:EDGE] + (padding + last)[len(last) :], np.int32)


def sample_files(count, seed):
    """[1,2048]; of every ending in turn, as long as there are files; another seed has other files."""
    piles = [names[seed % 2 :: 2] for names in names_by_ending().values()]
    chosen = [pile[i] for i in range(max(map(len, piles))) for pile in piles if i < len(pile)][:count]
    return Samples([{"bytes": bytes_of(member(*name))[None]} for name in chosen], [None] * count)


def score_kinds(outputs, references, _):
    """Files that get the float network's label, in percent."""
    mine, theirs = ([next(iter(o.values())).argmax() for o in rows] for rows in (outputs, references))
    return 100.0 * float(np.mean(np.equal(mine, theirs)))


NETWORKS = [
    TrainedNetwork(
        "file-kind",
        f"{WHEEL}: Magika standard_v3_3",
        "Apache-2.0",
        "files with the float network's label, %",
        lambda: fix_shapes(onnx.load_from_string(member(WHEEL, FILE)), {"bytes": (1, 2 * EDGE)}),
        sample_files,
        score_kinds,
        calibration_count=64,
        held_out_count=300,
    )
]
