"""LSTM, GRU and RNN of integers: products with W equal to int64 arithmetic in every bit, what they
make of them close to float64, and to ONNX Runtime."""

from dataclasses import dataclass, field, replace

import numpy as np
import onnx
import onnxruntime
import pytest
import recurrent_reference as reference
import twofold
from onnx import helper
from qdq_model import QdqModel

INTEGERS = [np.int8, np.uint8, np.int16, np.uint16]


@dataclass
class Case:
    op: str
    steps: int = 5
    batch: int = 3
    size: int = 7
    hidden: int = 6
    direction: str = "forward"
    x: type = np.int8
    w: type = np.int8
    r: type | None = np.int8  # None: float32
    zero_point: int = 0  # of X
    x_scale: float = 0.02
    w_scale: float = 0.01
    per_row: bool = True  # scales of W and R
    fill: str = "random"  # of X and W; or "low", "high", "zero"
    layout: int = 0
    biases: bool = True
    lengths: tuple | None = None
    states: bool = False
    peepholes: bool = False
    attributes: dict = field(default_factory=dict)
    zero_state: bool = False  # R = 0, no biases

    @property
    def directions(self):
        return 2 if self.direction == "bidirectional" else 1


def drawn(rng, dtype, shape, fill):
    limits = np.iinfo(dtype)
    if fill != "random":
        value = {"low": limits.min, "high": limits.max, "zero": 0}[fill]
        return np.full(shape, value, dtype)
    return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)


class Built:
    """The model of a case, an input for it, and its constants."""

    def __init__(self, case, seed=0):
        rng = np.random.default_rng(seed)
        rows, d = reference.GATES[case.op] * case.hidden, case.directions
        self.case, model = case, QdqModel()
        shape = (case.steps, case.batch, case.size)
        self.x = drawn(rng, case.x, shape, case.fill)
        self.w = drawn(rng, case.w, (d, rows, case.size), case.fill)
        spread = 2.0 ** rng.integers(-3, 3, rows) if case.per_row else np.ones(())
        self.w_scale = (case.w_scale * spread).astype(np.float32)
        self.x_scale = np.float32(case.x_scale)
        given = self.x.swapaxes(0, 1) if case.layout else self.x
        self.feed = {"x": np.ascontiguousarray(given)}
        x = model.dequantize(
            model.input("x", case.x, list(given.shape)), self.x_scale, case.x(case.zero_point)
        )
        axis = {"axis": 1} if case.per_row else {}
        zeros = np.zeros(spread.shape, case.w)
        w = model.dequantize(model.constant(self.w), self.w_scale, zeros, **axis)
        recurrent = self._recurrent(rng, model, rows, axis)
        optional = self._optional(rng, model, rows)
        attributes = dict(case.attributes, hidden_size=case.hidden, direction=case.direction)
        if case.layout:
            attributes["layout"] = 1
        outputs = ["y", "h", "c"][: 3 if case.op == "LSTM" else 2]
        node = helper.make_node(
            case.op, [x, w, recurrent, *optional], outputs, name="rnn", **attributes
        )
        model.nodes.append(node)
        for name in outputs:
            model.output(name, np.float32, 4 if name == "y" else 3)
        self.model = model.build()

    def _recurrent(self, rng, model, rows, axis):
        case = self.case
        shape = (case.directions, rows, case.hidden)
        if case.zero_state or case.r is None:
            scale = 0 if case.zero_state else 0.3
            self.r = (rng.normal(0, 1, shape) * scale).astype(np.float32)
            return model.constant(self.r)
        q = drawn(rng, case.r, shape, "random")
        scale = np.full(rows if axis else (), 0.3 / np.iinfo(case.r).max, np.float32)
        self.r = q.astype(np.float32) * (scale[:, None] if axis else scale)
        return model.dequantize(model.constant(q), scale, np.zeros(scale.shape, case.r), **axis)

    def _optional(self, rng, model, rows):
        case, d = self.case, self.case.directions

        def given(wanted, *shape):
            return rng.normal(0, 0.5, shape).astype(np.float32) if wanted else None

        state = (d, case.batch, case.hidden)
        self.b = given(case.biases and not case.zero_state, d, 2 * rows)
        self.h, self.c = given(case.states, *state), given(case.states, *state)
        self.p = given(case.peepholes, d, 3 * case.hidden)
        lengths = None if case.lengths is None else np.array(case.lengths, np.int32)
        turned = [
            v.swapaxes(0, 1) if case.layout and v is not None else v for v in (self.h, self.c)
        ]
        values = [self.b, lengths, turned[0]]
        if case.op == "LSTM":
            values += [turned[1], self.p]
        return ["" if v is None else model.constant(v) for v in values]

    def products(self):
        """W·X by rule 11 of docs/numerics.md: [steps, batch, directions, rows], float32."""
        x = self.x.astype(np.int64) - self.case.zero_point
        sums = np.einsum("tbi,dri->tbdr", x, self.w.astype(np.int64))
        unit = self.x_scale.astype(np.float64) * self.w_scale.astype(np.float64)
        return (sums.astype(np.float64) * unit).astype(np.float32)

    def expected(self):
        reverse = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}
        case = self.case
        result = reference.run(
            case.op, self.products(), self.r, b=self.b, lengths=case.lengths, h=self.h, c=self.c,
            p=self.p, reverse=reverse[case.direction], **case.attributes,
        )  # fmt: skip
        return [self.in_layout(v) for v in result[: 3 if case.op == "LSTM" else 2]]

    def in_layout(self, y):
        if not self.case.layout:
            return y
        return y.transpose(2, 0, 1, 3) if y.ndim == 4 else y.swapaxes(0, 1)

    def run(self, threads=1):
        outputs = twofold.Session(self.model.SerializeToString(), threads=threads).run(self.feed)
        return [outputs[name] for name in outputs]


def lowered_nodes(model, folder):
    onnx.save(model, folder / "model.onnx")
    return {row["name"]: row for row in twofold.inspect(folder / "model.onnx")["lowered"]}


def expect_products_of_integers(built, folder):
    nodes = lowered_nodes(built.model, folder)
    assert nodes["rnn_input"]["kind"] == "integer"
    assert nodes["rnn"]["kind"] == "float"
    assert "its state is float32" in nodes["rnn"]["why"]


# f, g and h are 1, x and x: c adds up what its gate is given, and h is c.
ADDING = {
    "activations": ["Affine", "Affine", "Affine"],
    "activation_alpha": [0.0, 1.0, 1.0],
    "activation_beta": [1.0, 0.0, 0.0],
}
# Of a GRU: update and reset are 0, and h the candidate.
PASSING = {
    "activations": ["Affine", "Affine"],
    "activation_alpha": [0.0, 1.0],
    "activation_beta": [0.0, 0.0],
}


def passing(op, directions):
    """Attributes with which outputs show W·X."""
    if op == "RNN":
        one = {"activations": ["Affine"], "activation_alpha": [1.0], "activation_beta": [0.0]}
    else:
        one = ADDING if op == "LSTM" else PASSING
    return {key: value * directions for key, value in one.items()}


def shown(built):
    """What the outputs show of W·X, in the engine's order of float32 sums."""
    products, n = built.products(), built.case.hidden
    if built.case.op == "RNN":
        return products.transpose(0, 2, 1, 3)
    if built.case.op == "GRU":
        return products[..., 2 * n :].transpose(0, 2, 1, 3)
    cells = products[..., 3 * n :].transpose(0, 2, 1, 3)
    y = np.zeros_like(cells)
    for d in range(cells.shape[1]):
        way = slice(None, None, -1 if d == 1 or built.case.direction == "reverse" else 1)
        y[way, d] = np.cumsum(cells[way, d], axis=0, dtype=np.float32)
    return y


@pytest.mark.parametrize("op", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("x", INTEGERS)
@pytest.mark.parametrize("w", [np.int8, np.int16])
def test_products_are_exact_for_every_type(op, x, w, tmp_path):
    for direction in ("forward", "reverse", "bidirectional"):
        directions = 2 if direction == "bidirectional" else 1
        for layout in (0, 1):
            built = Built(
                Case(op, steps=9, batch=4, size=67, hidden=13, x=x, w=w, zero_point=3,
                     layout=layout, direction=direction, zero_state=True,
                     attributes=passing(op, directions))
            )  # fmt: skip
            expected = built.in_layout(shown(built))
            for threads in (1, 2):
                assert np.array_equal(built.run(threads)[0], expected)
    expect_products_of_integers(built, tmp_path)


@pytest.mark.parametrize("op", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("fill", ["low", "high", "zero"])
@pytest.mark.parametrize("scales", [(1e-30, 1e-7), (0.02, 0.01), (1e15, 1e10)])
def test_products_are_exact_at_the_limits(op, fill, scales):
    """Of a sum of 3,001 products, and of the scales: results may be tiny or huge."""
    for dtype in (np.int8, np.int16):
        built = Built(
            Case(op, steps=1, batch=1, size=3001, hidden=2, x=dtype, w=dtype, fill=fill,
                 x_scale=scales[0], w_scale=scales[1], zero_state=True, attributes=passing(op, 1))
        )  # fmt: skip
        expected = shown(built)
        assert np.array_equal(built.run()[0], expected)


CASES = [
    Case("LSTM"),
    Case("LSTM", steps=1, batch=1),
    Case("LSTM", direction="bidirectional", lengths=(5, 0, 2), states=True, peepholes=True),
    Case("LSTM", direction="reverse", layout=1, lengths=(1, 5, 4), states=True),
    Case("LSTM", x=np.int16, w=np.int16, r=np.int16, biases=False),
    Case("LSTM", r=None, per_row=False, x=np.uint8, zero_point=128),
    Case("LSTM", fill="high", x_scale=1.0),  # every gate saturates
    Case("LSTM", fill="zero"),
    Case("GRU"),
    Case("GRU", attributes={"linear_before_reset": 1}),
    Case("GRU", direction="bidirectional", layout=1, lengths=(5, 0, 2), states=True),
    Case("GRU", x=np.int16, w=np.int8, per_row=False, attributes={"linear_before_reset": 1}),
    Case("RNN", direction="bidirectional", states=True),
    Case("RNN", r=None, layout=1),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_results_are_those_of_the_definition(case, tmp_path):
    built = Built(case)
    found = built.run()
    for got, expected in zip(found, built.expected(), strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=2e-6)
    assert all(np.array_equal(a, b) for a, b in zip(found, built.run(2), strict=True))
    expect_products_of_integers(built, tmp_path)


@pytest.mark.parametrize("case", [c for c in CASES if not c.layout], ids=str)
def test_onnx_runtime_gives_the_same(case):
    """It has no layout 1, and gives zeros, not the initial state, behind a sequence of no steps."""
    if case.lengths is not None:
        case = replace(case, lengths=(5, 1, 2))
    onnx.checker.check_model((built := Built(case)).model, full_check=True)
    session = onnxruntime.InferenceSession(built.model.SerializeToString())
    for got, expected in zip(built.run(), session.run(None, built.feed), strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=5e-6)


def test_what_has_no_product_of_integers_says_why(tmp_path):
    """And is computed in float32, from what is dequantized."""
    model = QdqModel()
    x = model.dequantize(model.input("x", np.int8, [2, 1, 3]), 0.1)
    scales = np.full(3, 0.1, np.float32)
    w = model.constant(np.ones((1, 4, 3), np.int8))
    w = model.dequantize(w, scales, np.zeros(3, np.int8), axis=2)
    r = model.constant(np.ones((1, 4, 4), np.float32))
    model.nodes.append(helper.make_node("RNN", [x, w, r], ["y", "h"], name="rnn", hidden_size=4))
    model.output("h", np.float32, 3)
    row = lowered_nodes(model.build(), tmp_path)["rnn"]
    assert row["kind"] == "float"
    assert "the 3 scales of input 1 are not one per row of the gates" in row["why"]
