"""Print the share of the evaluation images that a model gets right, in percent.

python examples/digits/accuracy.py MODEL.onnx

The last word is the number, so that it can be given to the debugger:
--evaluate "python examples/digits/accuracy.py {model}".
"""

import sys
from pathlib import Path

import numpy as np
import twofold

EVALUATION = Path(__file__).parent / "evaluation.npz"


def accuracy(model: str | Path) -> float:
    """In percent, on Twofold's engine."""
    data = np.load(EVALUATION)
    answers = twofold.Session(model).run({"image": data["image"]})["logits"].argmax(axis=1)
    return 100 * float(np.mean(answers == data["label"]))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} MODEL.onnx")
    print(f"accuracy in percent: {accuracy(sys.argv[1]):.1f}")
