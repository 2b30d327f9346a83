"""Fake quantization to int8, forward and backward, against PyTorch's own operators at equal threads.

python bench/fake_quantize.py [--threads 1 2] [--repeat 15]

Results are compared first: PyTorch multiplies by the reciprocal of a scale, so that a number next to a tie may lie one
step apart; all others are equal. Then all are timed in turns, and the best time of each counts. A ratio above 1 means
that Twofold is faster; `channel / tensor` is Twofold's own time per channel over that with one scale. The C library is
told to keep memory that was freed: else pages for new results, which cost as much as both kernels or more, come and go
by the order of calls.
"""

import argparse
import ctypes
import time

import torch
from twofold.quantization._kernels import fake_quantize, fake_quantize_ec, fake_quantize_learned

INT8 = (-128, 127)
# Name, shape, axis of channels.
TENSORS = [
    ("weight of Conv", (512, 512, 3, 3), 0),
    ("weight of Linear", (3072, 768), 0),
    ("weight of depthwise Conv", (960, 1, 3, 3), 0),
    ("activation", (32, 64, 56, 56), 1),
    ("activation, channels last", (32, 64, 56, 56), 1),
    ("activation, tokens", (32, 197, 192), 2),
    ("16 numbers", (4, 4), 0),
    ("256 numbers", (16, 16), 0),
    ("1,024 numbers", (32, 32), 0),
    ("4,096 numbers", (64, 64), 0),
]
# Calls on tensors that are smaller take microseconds, and the best of few is not theirs.
SMALL, ROUNDS_OF_SMALL = 10_000, 200


def keep_freed_memory():
    """Sets M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of glibc."""
    for parameter in (-3, -1):
        ctypes.CDLL(None).mallopt(parameter, 1 << 30)


def rounders(scale, axis):
    """Name -> function of a tensor."""
    one, channels = scale[:1].clone(), len(scale)
    step, zero = one.item(), torch.zeros(channels, dtype=torch.int32)
    learned, learned_one = scale.clone().requires_grad_(), one.clone().requires_grad_()
    return {
        "torch tensor": lambda x: torch.fake_quantize_per_tensor_affine(x, step, 0, *INT8),
        "torch channel": lambda x: torch.fake_quantize_per_channel_affine(x, scale, zero, axis, *INT8),
        "tensor": lambda x: fake_quantize(x, one, None, *INT8),
        "channel": lambda x: fake_quantize(x, scale, None, *INT8, axis),
        "learned tensor": lambda x: fake_quantize_learned(x, learned_one, None, *INT8),
        "learned channel": lambda x: fake_quantize_learned(x, learned, None, *INT8, axis),
        "ec channel": lambda x: fake_quantize_ec(x, scale, axis),
    }


def forward_and_backward(rounder, x, gradient):
    """The result, and the gradient of x."""
    y = rounder(x)
    return y.detach(), torch.autograd.grad(y, x, gradient)[0]


def check(ours, theirs, x, gradient, step):
    """Equal but next to ties, where one step is allowed; gradients but at the range's ends."""
    (y, dx), (other_y, other_dx) = (forward_and_backward(f, x, gradient) for f in (ours, theirs))
    differing = y != other_y
    assert differing.float().mean() < 1e-4, "more than ties differ"
    assert ((y - other_y).abs() <= 1.001 * step).all(), "more than one step apart"
    assert (dx != other_dx).float().mean() < 1e-5, "gradients differ"


def race(functions, x, gradient, repeat):
    """Name -> best seconds of `repeat` rounds, in each of which all run once."""
    best = dict.fromkeys(functions, float("inf"))
    for _ in range(repeat + 1):  # the first one warms up
        for name, function in functions.items():
            start = time.perf_counter()
            forward_and_backward(function, x, gradient)
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeat", type=int, default=15)
    options = parser.parse_args()
    keep_freed_memory()
    torch.manual_seed(0)
    print(
        "| tensor | threads | ms per tensor | against torch | ms per channel | against torch | channel / tensor |",
        end="",
    )
    print(" learned, per tensor and channel | ec |\n|---|" + "--:|" * 8)
    for name, shape, axis in TENSORS:
        x, gradient = torch.randn(shape), torch.randn(shape)
        if "last" in name:
            x, gradient = (t.to(memory_format=torch.channels_last) for t in (x, gradient))
        x.requires_grad_()
        scale = torch.empty(shape[axis]).uniform_(0.01, 0.03)
        functions = rounders(scale, axis)
        check(functions["tensor"], functions["torch tensor"], x, gradient, scale[0])
        check(functions["channel"], functions["torch channel"], x, gradient, scale.max())
        for threads in options.threads:
            torch.set_num_threads(threads)
            repeat = options.repeat * (ROUNDS_OF_SMALL if x.numel() < SMALL else 1)
            ms = {k: 1e3 * v for k, v in race(functions, x, gradient, repeat).items()}
            ratios = [ms[f"torch {kind}"] / ms[kind] for kind in ("tensor", "channel")]
            print(
                f"| {name} {'x'.join(map(str, shape))} | {threads} | {ms['tensor']:.3g} | {ratios[0]:.2f} "
                f"| {ms['channel']:.3g} | {ratios[1]:.2f} | {ms['channel'] / ms['tensor']:.2f} "
                f"| {ms['learned tensor']:.3g}, {ms['learned channel']:.3g} | {ms['ec channel']:.3g} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
