"""What a type checker must refuse: every line with a comment `error: CODE`, and no other.

It is never run.
"""

import numpy as np
import torch
import twofold
from torch import nn
from twofold.dtype import qinfo, qint8
from twofold.quantization import FakeQuantState, export, prepare, set_fake_quantize

model = nn.Linear(8, 8)
x = torch.zeros(1, 8)

twofold.quantise("model.onnx")  # error: attr-defined
twofold.quantize("model.onnx", threads="2")  # error: arg-type
twofold.quantize("model.onnx", 3)  # error: arg-type
twofold.quantize("model.onnx", "samples/", data_is="images")  # error: arg-type
twofold.quantize("model.onnx", activation="uint8")  # error: call-arg
twofold.quantize("model.onnx", progress=True)  # error: arg-type
twofold.quantize("model.onnx")["outputs"][0]["sqnr"]  # error: typeddict-item
twofold.verify("model.onnx", "other.onnx")  # error: call-arg
twofold.debug.runall("model.onnx", "samples/", traget="cpu")  # error: call-arg
twofold.debug.runall("model.onnx", "samples/", threads="2")  # error: arg-type
twofold.Plan.load(3)  # error: arg-type
twofold.Statistics.load("a").merge("b")  # error: arg-type

session = twofold.Session("model.onnx", watched=["x"])
session.run([np.zeros(8)])  # error: arg-type
session.run({"x": np.zeros(8)}, cancelled=True)  # error: arg-type
session.runs({"x": np.zeros(8)})  # error: attr-defined
length: int = session.outputs[0]["shape"]  # error: assignment
session.keep({"x": np.zeros(8)}, memory_cap="1 GiB")  # error: arg-type

twofold.march.set_merch("nash-e")  # error: attr-defined
twofold.qat_mode.set_qat_mode(1)  # error: arg-type
qinfo(8)  # error: arg-type
prepare("model.onnx", (x,))  # error: arg-type
prepare(model, (x,), "int8")  # error: arg-type
prepare(model, (x,), setter=None)  # error: call-arg
set_fake_quantize(model, "calibration", qint8)  # error: call-arg
set_fake_quantize(FakeQuantState.QAT, model)  # error: arg-type
export(model, x)  # error: call-arg
export(model, x, "model.onnx").session().run(x)  # error: arg-type
