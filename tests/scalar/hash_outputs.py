"""Runs models on 1 and 2 threads and prints hashes of what they give.

usage: hash_outputs.py CASES, a pickled list of (name, model, inputs by name). The result is JSON:
{name: {threads: hash}}.
"""

import hashlib
import json
import pickle
import sys
from pathlib import Path

import twofold


def digest(model, feeds, threads):
    try:
        outputs = twofold.Session(model, threads=threads).run(feeds)
    except (twofold.Error, TypeError) as error:
        return f"error: {error}"
    result = hashlib.sha256()
    for name, array in sorted(outputs.items()):
        result.update(f"{name} {array.dtype.name} {array.shape}".encode())
        result.update(array.tobytes())
    return result.hexdigest()


cases = pickle.loads(Path(sys.argv[1]).read_bytes())
hashes = {
    name: {threads: digest(model, feeds, threads) for threads in (1, 2)}
    for name, model, feeds in cases
}
print(json.dumps(hashes))
