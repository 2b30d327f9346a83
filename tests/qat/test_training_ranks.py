"""A prepared model under DistributedDataParallel: two processes are one with all data."""

import pytest
import qat_networks as networks
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel
from twofold.quantization import FakeQuantState, get_qconfig, prepare, set_fake_quantize
from twofold.quantization.fake_quantize import FakeQuantize
from twofold.quantization.observer_v2 import HistogramObserver, MSEObserver
from twofold.quantization.qconfig import default_qat_8bit_lsq_quant_qconfig
from twofold.quantization.qconfig_template import (
    ModuleNameQconfigSetter,
    default_qat_qconfig_setter,
)
from twofold.quantization.training import Distillation

SETTERS = {
    "min_max": default_qat_qconfig_setter,
    "mse": ModuleNameQconfigSetter({"": get_qconfig(MSEObserver)}),
    "histogram": ModuleNameQconfigSetter({"": get_qconfig(HistogramObserver)}),
    "lsq": ModuleNameQconfigSetter({"": default_qat_8bit_lsq_quant_qconfig}),
}
PARTS = 2
STEPS = 3


def batches():
    """[2 ranks][steps] of images; those of the second rank are larger."""
    random = torch.Generator().manual_seed(0)
    images = torch.randn(PARTS, STEPS + 1, 4, 3, 16, 16, generator=random)
    return images * torch.tensor([1.0, 3.0]).view(2, 1, 1, 1, 1, 1)


def state_of(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def trained(setter, images, wrap, folder):
    """(state after calibration, after training); the first batch calibrates."""
    network = networks.make(networks.Residual)
    model = prepare(network, (images[0],), setter, check_result_dir=folder)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(images[0])
    calibrated = state_of(model)
    set_fake_quantize(model, FakeQuantState.QAT)
    running = wrap(model.train())
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    distilled = Distillation(network, layers=["stem"])
    for batch in images[1:]:
        optimizer.zero_grad()
        output, loss = distilled(running, batch)
        (loss + output.square().mean()).backward()
        optimizer.step()
    return calibrated, state_of(model)


def work(rank, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    torch.set_num_threads(1)
    images = batches()[rank]
    found = {
        name: trained(setter, images, DistributedDataParallel, folder)
        for name, setter in SETTERS.items()
    }
    torch.save(found, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training_ranks")
    mp.spawn(work, (str(folder),), nprocs=PARTS)
    return [torch.load(folder / f"{rank}.pt") for rank in range(PARTS)]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The same of one process, whose batches are those of both ranks."""
    images = torch.cat(tuple(batches()), 1)
    folder = tmp_path_factory.mktemp("alone")
    return {
        name: trained(setter, images, lambda model: model, folder)
        for name, setter in SETTERS.items()
    }


@pytest.mark.parametrize("name", SETTERS)
def test_ranks_have_one_state_to_the_bit(ranks, name):
    for first, second in zip(*(rank[name] for rank in ranks), strict=True):
        assert first.keys() == second.keys()
        assert all(torch.equal(value, second[key]) for key, value in first.items())


@pytest.mark.parametrize("name", SETTERS)
def test_scales_are_those_of_one_process_with_all_data(ranks, alone, name):
    found, expected = ranks[0][name][0], alone[name][0]
    scales = [key for key in expected if key.endswith("scale")]
    assert len(scales) > 8
    for key in scales:
        # Convolutions of other batch sizes may add up in another order.
        torch.testing.assert_close(found[key], expected[key], rtol=1e-6, atol=0)


# Not so learned scales: what their gradients count depends on how many numbers a process has.
@pytest.mark.parametrize("name", [name for name in SETTERS if name != "lsq"])
def test_training_is_that_of_one_process_with_all_data(ranks, alone, name):
    before, found, expected = ranks[0][name][0], ranks[0][name][1], alone[name][1]
    for key, value in expected.items():
        moved = (value - before[key]).abs().max().item()
        assert moved > 0 or not key.endswith(".weight"), key
        # A number on the edge of two integers may fall to either side.
        torch.testing.assert_close(found[key], value, rtol=1e-3, atol=0.05 * moved, msg=key)


def test_scales_of_activations_went_on_in_training(ranks):
    before, after = ranks[0]["min_max"]
    network = networks.make(networks.Residual)
    model = prepare(network, (batches()[0, 0],), default_qat_qconfig_setter)
    for name, module in model.named_modules():
        if isinstance(module, FakeQuantize) and "post_process" in name:
            assert not torch.equal(before[f"{name}.scale"], after[f"{name}.scale"]), name
