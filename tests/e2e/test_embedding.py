"""The installed package: other programs find it, build against it, and get the bits of Session."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import twofold

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build"
DIGITS = ROOT / "examples" / "digits"
EXAMPLE = ROOT / "examples" / "embedding"


def call(*command, **options):
    result = subprocess.run(
        list(map(os.fspath, command)), capture_output=True, text=True, timeout=300, **options
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def build(source, folder, prefix):
    options = ["-DCMAKE_PREFIX_PATH=" + os.fspath(prefix), "-DCMAKE_BUILD_TYPE=Release"]
    call("cmake", "-G", "Ninja", "-S", source, "-B", folder, *options)
    call("cmake", "--build", folder)
    return folder


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """Installed, and moved afterwards: nothing in the package may know the place."""
    installed = tmp_path_factory.mktemp("installed") / "usr"
    call("cmake", "--install", BUILD, "--prefix", installed)
    return shutil.move(installed, installed.with_name("elsewhere"))


@pytest.fixture(scope="module")
def programs(prefix, tmp_path_factory):
    # A copy, so that no header of the checkout is near.
    source = shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("embedding") / "source")
    return build(source, source.with_name("build"), prefix)


@pytest.mark.parametrize("program", ["run_model", "run_model_c"])
def test_the_bits_of_session(programs, mixed_digits, program, tmp_path):
    images = np.load(DIGITS / "evaluation.npz")["image"][:20]
    images.tofile(tmp_path / "images")
    logits = twofold.Session(mixed_digits).run({"image": images})["logits"]
    printed = call(programs / program, mixed_digits, tmp_path / "images", tmp_path / "logits")
    assert printed == "logits [20,10]\n"
    assert (tmp_path / "logits").read_bytes() == logits.tobytes()


@pytest.mark.parametrize("program", ["run_model", "run_model_c"])
def test_errors_of_the_engine_come_out(programs, program, tmp_path):
    command = [programs / program, tmp_path / "none.onnx", "x", "y"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1
    assert re.match(r"error: .*none.onnx", result.stderr)


def test_a_project_in_c_alone(prefix, tmp_path):
    shutil.copy(EXAMPLE / "run_model_c.c", tmp_path)
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.25)\n"
        "project(plain LANGUAGES C)\n"
        "find_package(twofold CONFIG REQUIRED)\n"
        "add_executable(plain run_model_c.c)\n"
        "target_link_libraries(plain PRIVATE twofold::c)\n"
    )
    folder = build(tmp_path, tmp_path / "build", prefix)
    result = subprocess.run([folder / "plain"], capture_output=True, text=True)
    assert result.stderr.startswith("usage: ")


def test_every_public_header_is_complete(prefix, tmp_path):
    """Each is the first that its file includes; what it needs besides must be installed too."""
    headers = sorted((prefix / "include" / "twofold").glob("*.h"))
    assert [h.name for h in headers] == [
        h.name for h in sorted((ROOT / "include" / "twofold").glob("*.h"))
    ]
    for header in headers:
        includes = re.findall(r"#include [\"<](.*)[\">]", header.read_text())
        for name in includes:
            assert "/" not in name or (prefix / "include" / name).exists(), f"{header}: {name}"
        (tmp_path / f"{header.stem}.cc").write_text(f'#include "twofold/{header.name}"\n')
    options = ["-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    call("c++", *options, f"-I{prefix}/include", *sorted(tmp_path.glob("*.cc")))


def test_the_command_line_is_installed(prefix):
    assert "cpu" in call(prefix / "bin" / "twofold", "targets")


def test_the_c_library_shows_only_its_api(prefix):
    listed = call("nm", "-D", "--defined-only", prefix / "lib" / "libtwofold_c.so")
    shown = {line.split()[-1] for line in listed.splitlines()}
    header = (prefix / "include" / "twofold" / "c_api.h").read_text()
    assert shown == set(re.findall(r"^[a-z].*?\b(twofold_\w+)\(", header, re.MULTILINE))
