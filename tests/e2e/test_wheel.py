"""tools/wheel.sh: a wheel that runs where none of the libraries are that it was linked with.

One test, since making the wheel takes longer than all that is asked of it.
"""

import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import twofold
from command_line import ROOT

DIGITS = ROOT / "examples" / "digits"
SITE = Path(sysconfig.get_path("purelib"))
# The wheel's Python has a C library, and what every Linux that manylinux speaks of has besides.
ON_EVERY_SYSTEM = {
    *("libc.so.6", "libm.so.6", "libgcc_s.so.1", "libstdc++.so.6", "libz.so.1"),
    *("libdl.so.2", "libpthread.so.0", "librt.so.1", "linux-vdso.so.1"),
    "/lib64/ld-linux-x86-64.so.2",
}

TRAINING = """
import IMPORTS
import sys
from torch import nn
from twofold.quantization import FakeQuantState, export, prepare, set_fake_quantize
from twofold.quantization.qconfig_template import default_qat_qconfig_setter

digits, output = sys.argv[1:]
data, config = f"{digits}/calibration.npz", f"{digits}/mixed.yaml"
twofold.quantize(f"{digits}/digits.onnx", data, config, output=output, threads=2)

torch.set_num_threads(2)
x = torch.rand(2, 8, 48, 48)
network = nn.Sequential(nn.Conv2d(8, 32, 3), nn.ReLU(), nn.Conv2d(32, 16, 3))
model = prepare(network, (x,), default_qat_qconfig_setter)
set_fake_quantize(model, FakeQuantState.CALIBRATION)
model(x)
set_fake_quantize(model.train(), FakeQuantState.QAT)
model(x).square().mean().backward()
set_fake_quantize(model.eval(), FakeQuantState.VALIDATION)
export(model, (x,), "trained.onnx")
session = twofold.Session("trained.onnx", threads=2)
(result,) = session.run({session.input_names[0]: x.numpy()}).values()
assert (result == model(x).detach().numpy()).all()
"""


def run(*command, **options):
    done = subprocess.run(
        [os.fspath(word) for word in command], capture_output=True, text=True, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pip(folder, *words):
    command = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", folder)
    return run(*command, *words)


def installed(wheel, folder):
    """A virtual environment with the wheel and, as it asks for, numpy; from no network."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    pip(folder, "install", "--no-index", "--no-deps", wheel)
    (site,) = folder.glob("lib/python3.*/site-packages")
    for path in (*SITE.glob("numpy-*"), *SITE.glob("numpy.libs"), SITE / "numpy"):
        (site / path.name).symlink_to(path)
    pip(folder, "check")
    return site


def test_a_wheel_needs_nothing_but_numpy(tmp_path, mixed_digits, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    wheel = Path(run(ROOT / "tools" / "wheel.sh", "wheels").splitlines()[-1])
    assert wheel.parent == tmp_path / "wheels"
    version = f"cp{sys.version_info.major}{sys.version_info.minor}"
    tags = rf"{version}-{version}-manylinux_2_\d+_x86_64"
    assert re.fullmatch(rf"twofold-{re.escape(twofold.__version__)}-{tags}\.whl", wheel.name)
    check_licenses(wheel)

    environment = tmp_path / "environment"
    site = installed(wheel, environment)
    check_libraries(site)
    program = environment / "bin" / "python"
    assert run(program, "-c", "import twofold; print(twofold.__version__)").split() == [
        twofold.__version__
    ]
    assert "quantize" in run(environment / "bin" / "twofold", "--help")
    assert "runall" in run(environment / "bin" / "twofold-debugger", "--help")
    assert "journey6" in run(environment / "bin" / "twofold", "targets")
    words = (DIGITS / "digits.onnx", "--data", DIGITS / "calibration.npz", "-o", "alone.onnx")
    run(environment / "bin" / "twofold", "quantize", *words, "-c", DIGITS / "mixed.yaml")
    assert Path("alone.onnx").read_bytes() == mixed_digits.read_bytes()

    # PyTorch has an OpenMP and a oneDNN of its own; either may be loaded first.
    for imports in ("torch, twofold", "twofold, torch"):
        Path("train.py").write_text(TRAINING.replace("IMPORTS", imports))
        run(program, "train.py", DIGITS, "beside.onnx", env=os.environ | {"PYTHONPATH": str(SITE)})
        assert Path("beside.onnx").read_bytes() == mixed_digits.read_bytes()


def check_libraries(site):
    """Whatever the installed extension is linked with lies beside it, or is everywhere."""
    (extension,) = site.glob("twofold/_twofold.*.so")
    lines = run("ldd", extension).splitlines()
    assert any("libdnnl" in line for line in lines)
    for line in lines:
        name, _, path = line.strip().partition(" => ")
        if name.split()[0] not in ON_EVERY_SYSTEM:
            assert Path(path.split()[0]).resolve().parent == site / "twofold.libs", line


def check_licenses(wheel):
    """Of each library in the wheel, and of what is compiled into the extension."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (listed,) = (name for name in names if name.endswith(".dist-info/licenses/libraries.txt"))
        folder = listed.removesuffix("libraries.txt")
        rows = [line.split() for line in archive.read(listed).decode().splitlines()]
        texts = {
            name.removeprefix(folder): archive.read(name).decode()
            for name in names
            if name.startswith(folder)
        }
    libraries = {Path(name).name for name in names if name.startswith("twofold.libs/lib")}
    assert {row[0] for row in rows} == {f"{library}:" for library in libraries}
    assert all(f"{package}/copyright" in texts for _, package, _ in rows)
    assert "oneDNN" in texts["libdnnl2/copyright"]
    assert "Lohmann" in texts["nlohmann-json3-dev/copyright"]
    assert "Jakob" in texts["nanobind/LICENSE"]
    assert "Goetghebuer-Planchon" in texts["robin_map.txt"]
    assert "Bostock" in texts["src/report/d3_license.txt"]
    assert "GNU GENERAL PUBLIC LICENSE" in texts["common-licenses/GPL-3"]
    assert {"twofold/py.typed", "twofold/_twofold.pyi"} <= set(names)
