"""Training, of a float network and of a prepared one."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional
from twofold.quantization.training import Distillation, freeze_scales

from data import BATCH, Data, jitter

# What a network and images [N,1,28,28] give: the logits, and a loss besides that of the labels.
Run = Callable[[nn.Module, Tensor], tuple[Tensor, Tensor | float]]


def fit(net: nn.Module, data: Data, epochs: int, rate: float) -> None:
    """Train a float network in place."""
    _fit(net, data, epochs, rate, lambda net, images: (net(images), 0.0))


def fine_tune(model: nn.Module, teacher: nn.Module, data: Data, epochs: int, rate: float) -> None:
    """Train a prepared network in place, on the labels and on what its float teacher answers.

    In the last epoch the scales of activations stay as they are.
    """
    distilled = Distillation(teacher, temperature=2.0)
    _fit(model, data, epochs, rate, distilled, before_last_epoch=lambda: freeze_scales(model))


def _fit(
    net: nn.Module,
    data: Data,
    epochs: int,
    rate: float,
    run: Run,
    before_last_epoch: Callable[[], None] = lambda: None,
) -> None:
    """AdamW with one cycle of the learning rate, on jittered images."""
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=rate, total_steps=epochs * (len(data.images) // BATCH)
    )
    net.train()
    for epoch in range(epochs):
        if epoch == epochs - 1:
            before_last_epoch()
        for picked in torch.randperm(len(data.images), generator=generator).split(BATCH):
            logits, loss = run(net, jitter(data.images[picked], generator))
            loss = loss + functional.cross_entropy(
                logits, data.labels[picked], label_smoothing=0.05
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    net.eval()
