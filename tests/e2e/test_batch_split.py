"""A batch on integers gives what its samples give one by one: nothing knows of its neighbours."""

from pathlib import Path

import numpy as np
import pytest
import twofold

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
CONFIGS = {
    "int8": {},
    "int16": {"model_config": {"all_node_type": "int16"}},
    "dual": {"op_config": {"Conv": {"qtype": "dual-int16"}, "MatMul": {"qtype": "dual-int16"}}},
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("config", CONFIGS)
def test_a_batch_gives_the_bits_of_its_samples(tmp_path, config, threads):
    twofold.quantize(
        DIGITS / "digits.onnx",
        DIGITS / "calibration.npz",
        config=CONFIGS[config],
        output=tmp_path / "q.onnx",
        threads=threads,
    )
    session = twofold.Session(tmp_path / "q.onnx", threads=threads)
    images = np.load(DIGITS / "calibration.npz")["image"].reshape(-1, 1, 28, 28)[:7]
    whole = session.run({"image": images})["logits"]
    one_by_one = [session.run({"image": images[i : i + 1]})["logits"] for i in range(len(images))]
    np.testing.assert_array_equal(whole, np.concatenate(one_by_one))
    np.testing.assert_array_equal(whole[2:5], session.run({"image": images[2:5]})["logits"])
    assert len(np.unique(whole, axis=0)) > 1
