"""Writes seed inputs for dumped_tensor_fuzz: what is expected, and a small dump of it.

Usage: make_dumped_tensor_seeds.py FOLDER (tests/fuzz/seeds/dumped_tensor_fuzz)
"""

import io
import sys
from pathlib import Path

import numpy as np

# As the target has them.
TYPES = [np.float32, np.int8, np.uint8, np.int16, np.uint16, np.int64, np.float16, np.bool_]
NPY, RAW = 0, 1


def seed(kind, expected_type, shape, dump):
    return bytes([kind, len(shape), TYPES.index(expected_type), *shape]) + dump


def npy(array, version=None):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), version)
    return file.getvalue()


def seeds():
    shape = (2, 3)
    integers = np.arange(6, dtype=np.int8).reshape(shape)
    yield "integers", seed(NPY, np.int8, shape, npy(integers))
    yield "real", seed(NPY, np.int8, shape, npy(integers.astype(np.float32)))
    yield "doubles", seed(NPY, np.float32, shape, npy(integers.astype(np.float64)))
    yield "list", seed(NPY, np.int16, shape, npy(integers.astype(np.int16).ravel()))
    yield "ones", seed(NPY, np.uint8, (1, 2, 3), npy(integers.astype(np.uint8)))
    yield "scalar", seed(NPY, np.int64, (), npy(np.int64(7)))
    yield "empty", seed(NPY, np.bool_, (0, 3), npy(np.zeros((0, 3), bool)))
    yield "fortran", seed(NPY, np.int16, shape, npy(np.asfortranarray(integers.astype(np.int16))))
    foreign = np.asfortranarray(integers.astype(">u2"))
    yield "foreign", seed(NPY, np.uint16, shape, npy(foreign))
    yield "version_2", seed(NPY, np.float16, shape, npy(integers.astype(np.float16), (2, 0)))
    yield "raw_integers", seed(RAW, np.int8, shape, integers.tobytes())
    yield "raw_real", seed(RAW, np.int8, shape, integers.astype(np.float32).tobytes())


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in seeds():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
