"""python make_esp_ppq.py FLOAT_CNN.onnx OUTDIR: files of ESP-PPQ, exported for ONNX Runtime."""

import pathlib
import sys

import torch
from esp_ppq import TargetPlatform
from esp_ppq.api import export_ppq_graph, quantize_onnx_model
from network import samples

source, folder = sys.argv[1], pathlib.Path(sys.argv[2])
for platform in (TargetPlatform.TRT_INT8, TargetPlatform.ESPDL_INT8):
    graph = quantize_onnx_model(
        source,
        calib_dataloader=[torch.from_numpy(x) for x in samples()],
        calib_steps=8,
        input_shape=[1, 3, 32, 32],
        platform=platform,
        device="cpu",
        verbose=0,
    )
    path = folder / f"esp_ppq_{platform.name.lower()}.onnx"
    export_ppq_graph(graph, TargetPlatform.ONNXRUNTIME, str(path), str(path.with_suffix(".json")))
    path.with_suffix(".json").unlink()
