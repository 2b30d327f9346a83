"""Two processes, each with a part of the data, end with the scales of one that has all."""

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import twofold
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from twofold.quantization.fake_quantize import FakeQuantize
from twofold.quantization.observer_v2 import (
    ClipObserver,
    ClipStd,
    HistogramObserver,
    KLObserver,
    MinMaxObserver,
    MixObserver,
    MSEObserver,
    PercentileObserver,
)

OBSERVERS = {
    "min_max": MinMaxObserver.with_args(averaging_constant=0.5),
    "channels": MinMaxObserver.with_args(ch_axis=1),
    "clip": ClipObserver.with_args(xmin=-2, xmax=2),
    "clip_std": ClipStd.with_args(std_scale=2),
    "mse": MSEObserver.with_args(averaging_constant=0.5),
    "mse_channels": MSEObserver.with_args(ch_axis=1),
    "percentile": PercentileObserver.with_args(percentile=99),
    "kl": KLObserver.with_args(averaging_constant=0.5, update_interval=2),
    "mix": MixObserver,
    "histogram": HistogramObserver,
}


def parts():
    """Three batches of [40, 4] numbers for each of two ranks, the second's larger."""
    random = np.random.default_rng(0)
    return [
        [torch.from_numpy(random.standard_t(3, (40, 4)) * size).float() for _ in range(3)]
        for size in (1, 4)
    ]


def scales_after(batches, **arguments):
    found = {}
    for name, factory in OBSERVERS.items():
        made = factory(**arguments)
        for batch in batches:
            made(batch)
        found[name] = made.calculate_qparams()[0]
    return found


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.quantizer = FakeQuantize(MinMaxObserver, averaging_constant=0.5)
        self.learned = FakeQuantize(MinMaxObserver, learnable=True)

    def forward(self, x):
        return self.learned(self.quantizer(self.linear(x)))


def train(batches):
    """A few steps of a model in DistributedDataParallel: its state."""
    torch.manual_seed(0)
    model = DistributedDataParallel(Net())
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    for batch in batches:
        optimizer.zero_grad()
        model(batch).square().mean().backward()
        optimizer.step()
    return model.module.state_dict()


def not_finite(rank):
    """What a rank is told where another one's numbers are not finite."""
    made = MSEObserver()
    try:
        made(torch.tensor([1.0, torch.nan if rank == 1 else 2.0]))
    except twofold.Error as e:
        return str(e)
    return ""


def nothing(rank):
    """The scales where one rank has no numbers."""
    return seen_by_each(torch.tensor([3.0, -3.0, 1.0] if rank == 1 else []))


def seen_by_each(x):
    found = []
    for make in (MinMaxObserver, MSEObserver, HistogramObserver, ClipStd):
        made = make()
        made(x)
        found.append(made.calculate_qparams()[0].item())
    return found


def work(rank, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    batches = parts()[rank]
    found = {
        "synced": scales_after(batches),
        "alone": scales_after(batches, is_sync_quantize=False),
        "trained": train(batches),
        "not_finite": not_finite(rank),
        "nothing": nothing(rank),
    }
    torch.save(found, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    mp.spawn(work, (str(folder),), nprocs=2)
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.mark.parametrize("name", OBSERVERS)
def test_all_ranks_have_the_scales_of_all_data(ranks, name):
    both = [torch.cat(batches) for batches in zip(*parts(), strict=True)]
    expected = scales_after(both)[name]
    first, second = (rank["synced"][name] for rank in ranks)
    assert torch.equal(first, second)
    if name in ("clip_std", "mix"):  # sums of double in another order
        torch.testing.assert_close(first, expected, rtol=1e-6, atol=0)
    else:
        assert torch.equal(first, expected)


@pytest.mark.parametrize("name", OBSERVERS)
def test_each_rank_has_its_own_where_asked(ranks, name):
    for rank, batches in zip(ranks, parts(), strict=True):
        assert torch.equal(rank["alone"][name], scales_after(batches)[name])
    if name != "clip":
        assert not torch.equal(ranks[0]["alone"][name], ranks[1]["alone"][name])


def test_a_model_that_is_trained_ends_with_one_state(ranks):
    first, second = (rank["trained"] for rank in ranks)
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
    assert first["quantizer.scale"] != first["learned.scale"]


def test_all_ranks_refuse_what_one_cannot_take(ranks):
    assert all("NaN or infinity" in rank["not_finite"] for rank in ranks)


def test_a_rank_may_have_no_numbers(ranks):
    expected = seen_by_each(torch.tensor([3.0, -3.0, 1.0]))
    assert ranks[0]["nothing"] == ranks[1]["nothing"] == expected
