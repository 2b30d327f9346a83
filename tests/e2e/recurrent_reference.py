"""LSTM, GRU and RNN as ONNX defines them, in float64 and as plainly as it goes."""

import numpy as np


def sigmoid(x):
    return 0.5 + 0.5 * np.tanh(0.5 * x)


def _lstm(s, x, h, c):
    n = s.hidden
    gates = x + h @ s.r.T + s.bias_w + s.bias_r
    i, o, f, g = (gates[:, k * n : (k + 1) * n] for k in range(4))
    i, f = sigmoid(i + s.p[:n] * c), sigmoid(f + s.p[2 * n :] * c)
    c = f * c + i * np.tanh(g)
    return sigmoid(o + s.p[n : 2 * n] * c) * np.tanh(c), c


def _gru(s, x, h, c):
    n = s.hidden
    r_zr, r_h = s.r[: 2 * n], s.r[2 * n :]
    both = sigmoid(x[:, : 2 * n] + h @ r_zr.T + s.bias_w[: 2 * n] + s.bias_r[: 2 * n])
    z, r = both[:, :n], both[:, n:]
    if s.linear_before_reset:
        new = r * (h @ r_h.T + s.bias_r[2 * n :])
    else:
        new = (r * h) @ r_h.T + s.bias_r[2 * n :]
    new = np.tanh(x[:, 2 * n :] + s.bias_w[2 * n :] + new)
    return (1 - z) * new + z * h, c


def _rnn(s, x, h, c):
    return np.tanh(x + h @ s.r.T + s.bias_w + s.bias_r), c


STEP = {"LSTM": _lstm, "GRU": _gru, "RNN": _rnn}
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


class _Direction:
    def __init__(self, r, b, p, linear_before_reset):
        self.r, self.hidden = r, r.shape[1]
        gates = r.shape[0]
        self.bias_w, self.bias_r = (np.zeros(gates),) * 2 if b is None else (b[:gates], b[gates:])
        self.p = np.zeros(3 * self.hidden) if p is None else p
        self.linear_before_reset = linear_before_reset


def run(
    op, products, r, *, b=None, lengths=None, h=None, c=None, p=None, reverse=(False,), **options
):
    """Y [steps, directions, batch, hidden], the last h and the last c [directions, batch, hidden].

    `products`: W·X, [steps, batch, directions, gates * hidden]; `reverse`: per direction.
    """
    steps, batch = products.shape[:2]
    lengths = [steps] * batch if lengths is None else lengths
    directions, hidden = len(reverse), r.shape[2]
    y = np.zeros((steps, directions, batch, hidden))
    zeros = np.zeros((directions, batch, hidden))
    h, c = (zeros if v is None else np.asarray(v, np.float64) for v in (h, c))
    h, c = h.copy(), c.copy()
    for d in range(directions):
        linear = options.get("linear_before_reset", 0)
        of_d = [None if v is None else np.asarray(v[d], np.float64) for v in (r, b, p)]
        s = _Direction(*of_d, linear)
        for entry, length in enumerate(lengths):
            order = range(length)
            for t in reversed(order) if reverse[d] else order:
                x = np.asarray(products[t, entry : entry + 1, d], np.float64)
                state = STEP[op](s, x, h[d, entry : entry + 1], c[d, entry : entry + 1])
                h[d, entry], c[d, entry] = state[0][0], state[1][0]
                y[t, d, entry] = h[d, entry]
    return y, h, c
