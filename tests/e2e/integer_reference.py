"""Rules 3 to 5 of docs/numerics.md with NumPy's int64, as plainly as it goes.

Every function takes integers from which zero points are already subtracted.
"""

import itertools

import numpy as np

LIMITS = {t: (np.iinfo(t).min, np.iinfo(t).max) for t in (np.int8, np.uint8, np.int16, np.uint16)}


def conv_pads(in_sizes, kernel, attributes, transposed=False):
    """(begin, end) per spatial axis; for a ConvTranspose what is cut off its full output."""
    rank = len(kernel)
    strides = attributes.get("strides", [1] * rank)
    dilations = attributes.get("dilations", [1] * rank)
    auto = attributes.get("auto_pad", "NOTSET")
    if auto == "NOTSET":
        pads = attributes.get("pads", [0] * 2 * rank)
        if transposed and "output_shape" in attributes:
            totals = [
                s * (i - 1) + o + (k - 1) * d + 1 - out
                for i, s, d, k, o, out in zip(
                    in_sizes,
                    strides,
                    dilations,
                    kernel,
                    attributes.get("output_padding", [0] * rank),
                    attributes["output_shape"],
                    strict=True,
                )
            ]
            return [(t - t // 2, t // 2) for t in totals]
        return [(pads[i], pads[i + rank]) for i in range(rank)]
    if auto == "VALID":
        return [(0, 0)] * rank
    result = []
    for i, s, d, k in zip(in_sizes, strides, dilations, kernel, strict=True):
        span = (k - 1) * d + 1
        total = max(0, span - s) if transposed else max(0, (-(-i // s) - 1) * s + span - i)
        small, large = total // 2, total - total // 2
        result.append((small, large) if auto == "SAME_UPPER" else (large, small))
    return result


def conv(a, b, **attributes):
    """a [N, C, spatial], b [M, C/group, kernel] -> [N, M, spatial]."""
    kernel, rank = b.shape[2:], b.ndim - 2
    strides = attributes.get("strides", [1] * rank)
    dilations = attributes.get("dilations", [1] * rank)
    group = attributes.get("group", 1)
    pads = conv_pads(a.shape[2:], kernel, attributes)
    a = np.pad(a, [(0, 0), (0, 0), *pads])
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    out_sizes = [
        (i - span) // s + 1 for i, span, s in zip(a.shape[2:], spans, strides, strict=True)
    ]
    channels, filters = a.shape[1] // group, b.shape[0] // group
    y = np.zeros((a.shape[0], b.shape[0], *out_sizes), np.int64)
    for tap in itertools.product(*map(range, kernel)):
        window = tuple(
            slice(t * d, t * d + (o - 1) * s + 1, s)
            for t, d, o, s in zip(tap, dilations, out_sizes, strides, strict=True)
        )
        for g in range(group):
            part = a[(slice(None), slice(g * channels, (g + 1) * channels), *window)]
            weight = b[(slice(g * filters, (g + 1) * filters), slice(None), *tap)]
            y[:, g * filters : (g + 1) * filters] += np.einsum("nc...,mc->nm...", part, weight)
    return y


def conv_transpose(a, b, **attributes):
    """a [N, C, spatial], b [C, M/group, kernel] -> [N, M, spatial]."""
    kernel, rank = b.shape[2:], b.ndim - 2
    strides = attributes.get("strides", [1] * rank)
    dilations = attributes.get("dilations", [1] * rank)
    extra = attributes.get("output_padding", [0] * rank)
    group = attributes.get("group", 1)
    full = [
        s * (i - 1) + (k - 1) * d + 1 + o
        for i, s, d, k, o in zip(a.shape[2:], strides, dilations, kernel, extra, strict=True)
    ]
    channels, filters = a.shape[1] // group, b.shape[1]
    y = np.zeros((a.shape[0], filters * group, *full), np.int64)
    for tap in itertools.product(*map(range, kernel)):
        window = tuple(
            slice(t * d, t * d + (i - 1) * s + 1, s)
            for t, d, i, s in zip(tap, dilations, a.shape[2:], strides, strict=True)
        )
        for g in range(group):
            part = a[:, g * channels : (g + 1) * channels]
            weight = b[(slice(g * channels, (g + 1) * channels), slice(None), *tap)]
            where = (slice(None), slice(g * filters, (g + 1) * filters), *window)
            y[where] += np.einsum("nc...,cm->nm...", part, weight)
    pads = conv_pads(a.shape[2:], kernel, attributes, transposed=True)
    crop = tuple(slice(p, f - q) for (p, q), f in zip(pads, full, strict=True))
    return y[(slice(None), slice(None), *crop)]


def gemm(a, b, **attributes):
    a = a.T if attributes.get("transA") else a
    return a @ (b.T if attributes.get("transB") else b)


OPERATORS = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "MatMul": lambda a, b: np.matmul(a, b),
    "Gemm": gemm,
}


def output_channel_axis(op_type, attributes, b_rank):
    """The axis of b that output channels run along."""
    if op_type == "Gemm":
        return 0 if attributes.get("transB") else 1
    return {"Conv": 0, "ConvTranspose": 1, "MatMul": b_rank - 1}[op_type]


def along_channels(values, y, op_type):
    """Values per output channel (or one for all), shaped to broadcast against y."""
    if values.ndim == 0:
        return values
    if op_type in ("Conv", "ConvTranspose"):
        repeat = y.shape[1] // values.size if values.size > 1 else 1
        return np.tile(values, repeat).reshape(-1, *[1] * (y.ndim - 2))
    return values


def bias_steps(bias, unit):
    """A float32 bias as integers in units of s_a s_b."""
    return np.rint(bias.astype(np.float64) / unit).astype(np.int64)


def requantize(acc, unit, dtype, scale, zero_point, low=None, high=None):
    """Rule 5; low and high are bounds of a fused Relu or Clip, as real numbers."""
    least, most = (int(v) for v in LIMITS[dtype])

    def step(bound):
        q = np.rint(np.float32(bound) / np.float32(scale)) + zero_point
        return int(np.clip(q, least, most))

    most = most if high is None else step(high)
    least = least if low is None else min(step(low), most)
    multiplier = unit / np.float64(np.float32(scale))
    y = np.rint(acc.astype(np.float64) * multiplier) + zero_point
    return np.clip(y, least, most).astype(dtype)


def to_float(acc, unit):
    return (acc.astype(np.float64) * unit).astype(np.float32)


def ec_digits(x, s1):
    """Rule 3: the two digits of float32 numbers."""
    s1 = np.float32(s1)
    s2 = s1 / np.float32(254)
    q1 = np.clip(np.rint(x / s1), -128, 127).astype(np.int8)
    rest = x - q1.astype(np.float32) * s1
    return q1, np.clip(np.rint(rest / s2), -128, 127).astype(np.int8), s2
