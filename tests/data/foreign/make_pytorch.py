"""python make_pytorch.py OUTDIR: PyTorch's export of a network with fake quantization, as QAT."""

import pathlib
import sys

import torch
import torch.ao.quantization as q
from network import export, make_network, samples
from torch.ao.quantization.quantize_fx import prepare_qat_fx

activation = q.FakeQuantize.with_args(
    observer=q.MovingAverageMinMaxObserver, quant_min=0, quant_max=255, dtype=torch.quint8
)
weight = q.FakeQuantize.with_args(
    observer=q.MovingAveragePerChannelMinMaxObserver,
    quant_min=-128,
    quant_max=127,
    dtype=torch.qint8,
    qscheme=torch.per_channel_symmetric,
    ch_axis=0,
)
mapping = q.QConfigMapping().set_global(q.QConfig(activation, weight))
mapping.set_object_type(torch.nn.ConvTranspose2d, None)  # its scales would run along the wrong axis
network = prepare_qat_fx(make_network().train(), mapping, (torch.from_numpy(samples()[0]),))
network.eval()
network.apply(q.enable_observer)
for x in samples():
    network(torch.from_numpy(x))
network.apply(q.disable_observer)
export(network, pathlib.Path(sys.argv[1]) / "pytorch_fake_quantize.onnx")
