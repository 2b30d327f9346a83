"""Train the digits network, export it to ONNX, and write its calibration and evaluation sets.

    python examples/digits/train.py            # about a minute on one core

Needs PyTorch and onnx. The seeds are fixed and one thread is used: the same PyTorch on the same
kind of CPU gives the same network again.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize

from network import DigitsNet

HERE = Path(__file__).resolve().parent
SEED = 20240
CALIBRATION_SAMPLES = 100
EVALUATION_SAMPLES = 1000


def load_digits(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read images [S,1,28,28] float32 in 0..1 and labels [S] int64."""
    with np.load(path) as archive:
        images = archive["images"].astype(np.float32)[:, None] / np.float32(255)
        return images, archive["labels"].astype(np.int64)


def jitter(images: Tensor, generator: torch.Generator) -> Tensor:
    """Move each image of [B,1,28,28] by up to two pixels, turn it by up to 0.2 rad and zoom it by
    up to a tenth."""
    count = len(images)

    def draw(limit: float) -> Tensor:
        return (torch.rand(count, generator=generator) * 2 - 1) * limit

    angle, zoom = draw(0.2), 1 + draw(0.1)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = torch.cos(angle) * zoom
    theta[:, 0, 1] = torch.sin(angle) * zoom
    theta[:, 1, 0] = -theta[:, 0, 1]
    theta[:, 0, 2], theta[:, 1, 2] = draw(2 / 14), draw(2 / 14)
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


def train(net: nn.Module, images: Tensor, labels: Tensor, epochs: int, batch: int = 100) -> None:
    """Fit `net` in place with AdamW and a one-cycle learning rate; prints one line per epoch."""
    generator = torch.Generator().manual_seed(SEED)
    steps = epochs * (len(images) // batch)
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=6e-3, total_steps=steps)
    net.train()
    for epoch in range(epochs):
        total = 0.0
        order = torch.randperm(len(images), generator=generator)
        for picked in order[: len(images) // batch * batch].split(batch):
            loss = functional.cross_entropy(
                net(jitter(images[picked], generator)), labels[picked], label_smoothing=0.05
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(picked)
        print(f"epoch {epoch + 1:2d}/{epochs}: loss {total / len(images):.4f}", flush=True)


@torch.no_grad()
def accuracy(net: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Share of images [S,1,28,28] whose largest logit is the label, in percent."""
    net.eval()
    return 100.0 * (net(images).argmax(1) == labels).float().mean().item()


def export(net: DigitsNet, path: Path) -> None:
    """Write opset 17 with a dynamic batch; BatchNormalization stays a node of its own."""
    net.eval()
    parametrize.remove_parametrizations(net.edges, "weight")
    torch.onnx.export(
        net,
        (torch.zeros(1, 1, 28, 28),),
        str(path),
        opset_version=17,
        input_names=["image"],
        output_names=["logits"],
        dynamic_axes={"image": {0: "N"}, "logits": {0: "N"}},
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=True,
        dynamo=False,
    )


def main() -> None:
    """Train, report the accuracy, write the three files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--out", type=Path, default=HERE, help="folder for the three files")
    options = parser.parse_args()

    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)

    images, labels = load_digits(HERE / "digits.npz")
    held_out = slice(0, EVALUATION_SAMPLES)
    rest = slice(EVALUATION_SAMPLES, None)
    np.savez_compressed(
        options.out / "evaluation.npz", image=images[held_out], label=labels[held_out]
    )
    np.savez_compressed(options.out / "calibration.npz", image=images[rest][:CALIBRATION_SAMPLES])

    net = DigitsNet()
    train(net, torch.from_numpy(images[rest]), torch.from_numpy(labels[rest]), options.epochs)
    share = accuracy(net, torch.from_numpy(images[held_out]), torch.from_numpy(labels[held_out]))
    print(f"float accuracy on {EVALUATION_SAMPLES} evaluation images: {share:.1f} %")
    export(net, options.out / "digits.onnx")


if __name__ == "__main__":
    main()
