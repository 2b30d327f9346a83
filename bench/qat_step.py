"""A step of quantization-aware training against the float step, and against torch.ao's and torchao's.

python bench/qat_step.py [--threads 1 2] [--rounds 15] [--models resnet18 vit-tiny]

A step is forward, cross entropy, backward and SGD, on a batch of 8. Every tool quantizes as its own default for QAT
says: weights per channel, activations per tensor with a moving average of their range; the column of fake quantizers
shows how much each of them quantizes. torchao is run where it is installed (pip install torchao): its PT2E flow with
the x86 quantizer, and QATConfig, which quantizes Linear only. "BatchNorm folded" is the float model as Twofold's
`prepare` has it by default.

First each model trains on one batch, and its loss must fall. Then all take steps in turns, on batches in turns, and
medians count: milliseconds and the ratio to the float step, for each number of threads.
"""

import argparse
import copy
import importlib.util
import logging
import math
import statistics
import tempfile
import time
import warnings
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from twofold.quantization import FakeQuantState, prepare, set_fake_quantize
from twofold.quantization.qconfig_template import default_qat_qconfig_setter

from qat_models import ResNet18, ViTTiny, loss_of

# Name -> (class, size of the images, learning rate).
MODELS = {"resnet18": (ResNet18, 112, 0.01), "vit-tiny": (ViTTiny, 224, 0.01)}
BATCH, BATCHES = 8, 4
STEPS_OF_CHECK = 8


def folded(model, _example):
    """With each BatchNorm in the weights of the convolution in front of it."""
    model = copy.deepcopy(model).eval()
    if not any(isinstance(m, nn.BatchNorm2d) for m in model.modules()):
        return None
    for module in [*model.modules()]:
        children = [*module.named_children()]
        for (name, conv), (next_name, norm) in pairwise(children):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(conv, norm))
                setattr(module, next_name, nn.Identity())
    return model.train()


def twofold(model, example):
    """prepare with the setter for QAT."""
    with tempfile.TemporaryDirectory() as folder:
        made = prepare(copy.deepcopy(model).eval(), (example,), default_qat_qconfig_setter, check_result_dir=folder)
    set_fake_quantize(made, FakeQuantState.QAT)
    return made.train()


def torch_ao(model, example):
    """prepare_qat_fx with the mapping of x86."""
    from torch.ao.quantization import get_default_qat_qconfig_mapping
    from torch.ao.quantization.quantize_fx import prepare_qat_fx

    return prepare_qat_fx(copy.deepcopy(model).train(), get_default_qat_qconfig_mapping("x86"), (example,))


def torchao_pt2e(model, example):
    """prepare_qat_pt2e with the quantizer of x86."""
    if importlib.util.find_spec("torchao") is None:
        return None
    from torchao.quantization.pt2e.quantize_pt2e import prepare_qat_pt2e
    from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

    quantizer = x86.X86InductorQuantizer().set_global(x86.get_default_x86_inductor_quantization_config(is_qat=True))
    exported = torch.export.export(copy.deepcopy(model).train(), (example,)).module()
    return prepare_qat_pt2e(exported, quantizer)


def torchao_linear(model, _example):
    """QATConfig with 8 bits: weights per channel, activations per token, in Linear."""
    if importlib.util.find_spec("torchao") is None or sum(isinstance(m, nn.Linear) for m in model.modules()) < 2:
        return None
    from torchao.quantization import quantize_
    from torchao.quantization.qat import IntxFakeQuantizeConfig, QATConfig

    model = copy.deepcopy(model).train()
    quantize_(
        model,
        QATConfig(
            activation_config=IntxFakeQuantizeConfig(torch.int8, "per_token", is_symmetric=False),
            weight_config=IntxFakeQuantizeConfig(torch.int8, "per_channel", is_symmetric=True),
            step="prepare",
        ),
    )
    return model


VARIANTS = {
    "float": lambda model, _example: copy.deepcopy(model).train(),
    "float, BatchNorm folded": folded,
    "Twofold": twofold,
    "torch.ao prepare_qat_fx": torch_ao,
    "torchao prepare_qat_pt2e": torchao_pt2e,
    "torchao QATConfig": torchao_linear,
}


class Trainer:
    """A model and its optimizer."""

    def __init__(self, model, rate):
        self.model = model
        self.optimizer = torch.optim.SGD(model.parameters(), rate, momentum=0.9)

    def step(self, batch):
        """One step of training; the loss before it."""
        self.optimizer.zero_grad()
        loss = loss_of(self.model, batch)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def check(self, batch, name):
        """Raises AssertionError unless training gets anywhere."""
        losses = [self.step(batch).item() for _ in range(STEPS_OF_CHECK)]
        assert all(math.isfinite(loss) for loss in losses) and losses[-1] < losses[0], f"{name}: {losses}"


def quantizers(model):
    """How many fake quantizers run."""
    return sum(type(m).__name__.endswith(("FakeQuantize", "FakeQuantizer")) for m in model.modules())


def prepared(name):
    """Trainers of every variant that there is, by name, from one float model whose BatchNorms have seen data."""
    kind, size, rate = MODELS[name]
    torch.manual_seed(0)
    batches = [(torch.randn(BATCH, 3, size, size), torch.randint(0, 10, (BATCH,))) for _ in range(BATCHES)]
    float_model = kind()
    warm = Trainer(float_model.train(), rate / 10)
    for k in range(10):
        warm.step(batches[k % BATCHES])
    trainers = {}
    for variant, build in VARIANTS.items():
        model = build(float_model, batches[0][0])
        if model is not None:
            trainers[variant] = Trainer(model, rate)
            trainers[variant].check(batches[0], f"{name}, {variant}")
    return trainers, batches


def race(trainers, batches, rounds):
    """Median seconds of a step by name; all take turns, each round begins with another."""
    names = [*trainers]
    times = {name: [] for name in names}
    for k in range(rounds + 1):
        for i in range(len(names)):
            name = names[(k + i) % len(names)]
            start = time.perf_counter()
            trainers[name].step(batches[k % BATCHES])
            if k:  # the first round warms up
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=[*MODELS])
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    columns = [f"{n} thread{'s' * (n > 1)}: ms | to float" for n in options.threads]
    print(f"| model | step of | fake quantizers | {' | '.join(columns)} |")
    print("|---|---" + "|--:" * (1 + 2 * len(options.threads)) + "|")
    for name in options.models:
        trainers, batches = prepared(name)
        found = []
        for threads in options.threads:
            torch.set_num_threads(threads)
            found.append(race(trainers, batches, options.rounds))
        for variant, trainer in trainers.items():
            cells = [f"{1e3 * times[variant]:.0f} | {times[variant] / times['float']:.2f}" for times in found]
            print(f"| {name} | {variant} | {quantizers(trainer.model)} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
