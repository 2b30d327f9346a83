"""How the command line answers: versions, slips, terminals, completion, configs to begin with."""

import fcntl
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import termios
from pathlib import Path

import numpy as np
import pytest
import twofold
from command_line import PROGRAM, fail, read_to_end, run, succeed

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "examples" / "digits"
MODEL = DIGITS / "digits.onnx"
DEBUGGER = ROOT / "build" / "twofold-debugger"


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "samples.npz"
    np.savez(path, image=np.load(DIGITS / "calibration.npz")["image"][:4])
    return path


def in_terminal(*arguments, columns, **environment):
    """What a terminal of that width shows, stdout and stderr together."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    kept = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}
    command = [PROGRAM, *map(os.fspath, arguments)]
    env = kept | {"TERM": "xterm"} | environment
    with subprocess.Popen(command, stdout=follower, stderr=follower, env=env) as process:
        os.close(follower)
        shown = read_to_end(leader)
    os.close(leader)
    return process.returncode, shown.decode().replace("\r\n", "\n")


def test_version():
    assert succeed("--version") == f"twofold {twofold.__version__}\n"


@pytest.mark.parametrize(
    ("words", "message", "help_of"),
    [
        (["quantise"], "there is no command 'quantise'; the nearest are 'quantize', ", ""),
        (["debug", "runal"], "there is no command 'runal'; the nearest are 'runall', ", ""),
        ([], "a command is missing: quantize, inspect, ", ""),
        (["debug"], "a command is missing: get-sensitivity-of-nodes, ", " debug"),
        (
            ["quantize", "m", "--treads", "2"],
            "there is no option '--treads'; the nearest are '--threads', ",
            " quantize",
        ),
        (
            ["quantize", "m", "--strikt=1"],
            "there is no option '--strikt'; the nearest are '--strict', ",
            " quantize",
        ),
        (
            ["debug", "runall", "m", "d", "--resum"],
            "there is no option '--resum'; the nearest are '--resume', ",
            " debug runall",
        ),
        (["inspect", "a", "b"], "'b' is one word too many", " inspect"),
        (["run"], "MODEL is required", " run"),
        (["bench"], "MODEL is required", " bench"),
        (["run", "m", "--data"], "--data: 1 required DIR missing", " run"),
        (
            ["quantize", "m", "--threads", "two"],
            "--threads: it is a whole number from 0 (one per core) to 1024, not 'two'",
            " quantize",
        ),
        (
            ["quantize", "m", "--threads", "-1"],
            "--threads: it is a whole number from 0 (one per core) to 1024, not '-1'",
            " quantize",
        ),
        (
            ["quantize", "m", "--samples", "0"],
            "--samples: it is a whole number from 1 on, not '0'",
            " quantize",
        ),
        (["bench", "m", "--seconds", "0"], "--seconds: it is a number above 0, not '0'", " bench"),
        (
            ["debug", "runall", "m", "d", "--memory", "4XX"],
            "--memory: it is a number of bytes, such as 4GB",
            " debug runall",
        ),
        (["quantize", "--by-name"], "--by-name requires --from-plan", " quantize"),
        (["completion", "tcsh"], "SHELL: tcsh not in {bash,zsh,fish}", " completion"),
    ],
)
def test_misuse_is_one_short_line(words, message, help_of):
    line = fail(*words, code=2)
    assert line.startswith(message), line
    assert line.endswith(f"; see twofold{help_of} --help") and len(line) < 250


def test_the_debugger_says_its_own_name():
    done = subprocess.run([DEBUGGER, "runal"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stderr.endswith("; see twofold-debugger --help\n")
    done = subprocess.run([DEBUGGER, "--version"], capture_output=True, text=True, timeout=60)
    assert done.stdout == f"twofold {twofold.__version__}\n"


def write(folder, name, text):
    (folder / name).write_text(text)
    return folder / name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("op_config:\n  conf: {qtype: int16}\n", ":2: op_config: the model has no operator 'conf'"),
        (
            "node_config:\n\n  /edge/Conv: {qtype: int16}\n",
            ":3: node_config: the model has no node '/edge/Conv'",
        ),
        (
            "node_config: {'/attention/.*': {qtype: int16}}",
            ":1: node_config: no node has a name of the pattern",
        ),
        ("model_config:\n\tall_node_type: int8\n", ":2: a tab indents this line"),
        (
            '{"model_config": {"all_node_type": "int8"',
            ":1: the '{' that opens here is not closed: a '}' is missing",
        ),
        (
            "input_parameters: {input_name: data, scale_value: 1}",
            "which the model does not have; it has 'image'",
        ),
    ],
)
def test_slips_in_configs(tmp_path, samples, text, message):
    config = write(tmp_path, "c.yaml", text)
    line = fail("quantize", MODEL, "--data", samples, "-c", config)
    assert message in line
    if message.startswith(":"):
        assert line.startswith(f"{config}{message}")


def test_a_pattern_names_nodes(tmp_path, samples):
    config = write(
        tmp_path,
        "c.yaml",
        "node_config: {'/attention/*': {qtype: int16}, /edges/Conv: {qtype: int8}}",
    )
    succeed(
        "quantize", MODEL, "--data", samples, "-c", config, "--dry-run", "--json", tmp_path / "r"
    )
    rows = json.loads((tmp_path / "r").read_text())["operands"]
    asked = {row["node"] for row in rows if row["decided_by"] == "node" and row["asked"] == "int16"}
    assert asked and all(name.startswith("/attention/") for name in asked)
    assert {"/attention/MatMul"} <= asked


def test_quantize_fits_a_screen(samples, tmp_path):
    text = succeed("quantize", MODEL, "--data", samples)
    lines = text.splitlines()
    assert len(lines) <= 40
    assert lines[-1] == "nothing is written: -o FILE writes the model"
    worst = lines[lines.index(next(x for x in lines if x.startswith("The worst of "))) + 1 :]
    cosines = [float(line.split()[-1]) for line in worst[2:12]]
    assert cosines == sorted(cosines)
    names = {node["name"] for node in twofold.inspect(MODEL)["simplified"]}
    assert all(line.split()[0] in names for line in worst[2:12])

    whole = succeed("quantize", MODEL, "--data", samples, "--table")
    rows = [
        line.split()[0] for line in whole.splitlines() if line.split() and line.split()[0] in names
    ]
    report = twofold.quantize(MODEL, samples, progress=False)
    assert set(rows) == {row["node"] for row in report["operands"]}

    plan = succeed("quantize", MODEL, "--data", samples, "--plan", tmp_path / "p")
    assert plan.splitlines()[-1] == "no model is written: -o FILE writes the model"


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_tables_keep_to_the_terminal(samples, columns):
    for arguments in (
        ["quantize", MODEL, "--data", samples, "--table"],
        ["verify", MODEL, MODEL, "--data", samples],
        ["inspect", MODEL],
        ["inspect", MODEL, "--lowered"],
        ["targets"],
    ):
        code, shown = in_terminal(*arguments, columns=columns)
        assert code == 0
        rules = [line for line in shown.splitlines() if re.fullmatch(r"-[- ]*", line)]
        assert rules and max(map(len, rules)) <= columns
        assert not [x for x in shown.splitlines() if "\u2026" in x and len(x) > columns]
    code, shown = in_terminal("inspect", MODEL, columns=columns, COLUMNS="40")
    assert max(len(x) for x in shown.splitlines() if re.fullmatch(r"-[- ]*", x)) <= 40
    # A pipe gets all, whatever COLUMNS says.
    assert "\u2026" not in succeed("inspect", MODEL, env=os.environ | {"COLUMNS": "40"})


def test_colours_are_for_terminals():
    assert "\x1b[1;31merror:\x1b[0m there is no" in in_terminal("quantise", columns=80)[1]
    assert "\x1b" not in in_terminal("quantise", columns=80, NO_COLOR="1")[1]
    assert "\x1b" not in in_terminal("quantise", columns=80, TERM="dumb")[1]
    assert "\x1b" not in run("quantise").stderr


@pytest.mark.parametrize("command", ["quantize", "run", "verify"])
def test_samples_takes_the_first(tmp_path, samples, command):
    first = tmp_path / "first.npz"
    np.savez(first, image=np.load(samples)["image"][:2])

    def result(*data):
        out = tmp_path / "out"
        arguments = {
            "quantize": [MODEL, "--plan", out],
            "run": [MODEL, "-o", tmp_path / "o", "--json", out],
            "verify": [MODEL, MODEL, "--json", out],
        }[command]
        succeed(command, *arguments, *data)
        report = json.loads(out.read_text())
        report.pop("seconds", None)
        return report

    assert result("--data", samples, "--samples", "2") == result("--data", first)
    assert result("--data", samples, "--samples", "99") == result("--data", samples)


def test_a_dry_run_needs_no_data_and_writes_nothing(tmp_path):
    config = write(
        tmp_path,
        "c.yaml",
        "model_config: {all_node_type: int8}\nnode_config: {/edges/Conv: {qtype: dual-int16}}",
    )
    text = succeed(
        "quantize", MODEL, "-c", config, "--dry-run", "-o", tmp_path / "q", "--plan", tmp_path / "p"
    )
    assert re.search(r"^/edges/Conv +Conv +input0 int16, input1 int16$", text, re.MULTILINE)
    assert text.splitlines()[-1] == "nothing is written: --dry-run"
    assert sorted(os.listdir(tmp_path)) == ["c.yaml"]
    assert "all_node_type is auto" in succeed("quantize", MODEL, "--dry-run")
    assert "the model has no node" in fail(
        "quantize",
        MODEL,
        "-c",
        write(tmp_path, "d.yaml", "node_config: {x: {qtype: int8}}"),
        "--dry-run",
    )


def test_init_gives_a_config_that_changes_nothing(tmp_path, samples):
    printed = succeed("init", MODEL)
    assert "written" in succeed("init", MODEL, "-o", tmp_path / "c.yaml")
    assert (tmp_path / "c.yaml").read_text() == printed
    plans = []
    for config in ([], ["-c", tmp_path / "c.yaml"]):
        succeed("quantize", MODEL, "--data", samples, *config, "--plan", tmp_path / "p")
        plans.append((tmp_path / "p").read_bytes())
    assert plans[0] == plans[1]

    # Each line that is config but for its '#' is taken too, all of them at once.
    lines = [
        re.sub(r"^#(?! )", "", line) if not line.startswith("# ") else line
        for line in printed.splitlines()
    ]
    lines = [line[1:] if re.match(r"#  \S", line) else line for line in lines]
    config = write(tmp_path, "all.yaml", "\n".join(lines) + "\n")
    succeed("quantize", MODEL, "-c", config, "--dry-run", "--json", tmp_path / "r")
    rows = json.loads((tmp_path / "r").read_text())["operands"]
    named = {
        node["name"]
        for node in twofold.inspect(MODEL)["simplified"]
        if f"#  {node['name']}:" in printed
    }
    assert named and {row["node"] for row in rows if row["decided_by"] == "node"} == named
    assert "#  Conv: {qtype: int16}  # " in printed


def completed(line, folder):
    """What bash offers for a line that is being typed."""
    script = (
        f'eval "$({PROGRAM} completion bash)"\n'
        f"COMP_WORDS=({line}); [[ '{line}' == *' ' ]] && COMP_WORDS+=('')\n"
        "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _twofold; printf '%s\\n' \"${COMPREPLY[@]}\"\n"
    )
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, cwd=folder, timeout=60
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return set(done.stdout.split())


def test_bash_completes_what_there_is(tmp_path):
    commands = completed("twofold ", tmp_path)
    assert {"quantize", "inspect", "run", "debug", "init", "completion"} <= commands
    assert completed("twofold qu", tmp_path) == {"quantize"}
    assert completed("twofold debug run", tmp_path) == {"runall"}
    assert completed("twofold quantize --sav", tmp_path) == {"--save-statistics"}
    assert completed("twofold quantize m.onnx --activation-format ", tmp_path) == {"int8", "uint8"}
    assert completed("twofold debug runall m d --res", tmp_path) == {"--resume"}
    assert completed("twofold quantize -c ", tmp_path) == set()  # then bash offers files
    for command in commands - {"--help", "--version"}:
        options = set(
            re.findall(r"--[a-z][a-z_-]+", succeed(command, "--help").split("Example:")[0])
        )
        assert options - {"--help-all"} >= completed(f"twofold {command} --", tmp_path)


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_every_option(shell):
    script = succeed("completion", shell)
    for command in ("quantize", "verify", "runall"):
        assert command in script
    for option in ("save-statistics", "activation-format", "write-config", "samples"):
        assert option in script
    assert "int8 uint8" in script


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish")
def test_fish_completes_what_there_is():
    def offered(line):
        script = f"{PROGRAM} completion fish | source; complete -C '{line}'"
        done = subprocess.run(["fish", "-c", script], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and done.stderr == "", done.stderr
        return {row.split("\t")[0] for row in done.stdout.splitlines()}

    assert offered("twofold qu") == {"quantize"}
    assert "runall" in offered("twofold debug ") and "quantize" not in offered("twofold debug ")
    assert offered("twofold quantize --sav") == {"--save-statistics"}
    assert offered("twofold quantize m.onnx --activation-format ") == {"int8", "uint8"}
    assert offered("twofold debug runall m d --res") == {"--resume"}


@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh")
def test_zsh_takes_the_script(tmp_path):
    (tmp_path / "_twofold").write_text(succeed("completion", "zsh"))
    script = f"autoload -U compinit; compinit -u -d {tmp_path}/dump; source {tmp_path}/_twofold"
    done = subprocess.run(["zsh", "-fc", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr == "", done.stderr


def test_every_help_has_an_example():
    def commands(*words):
        text = succeed(*words, "--help")
        assert "Example:\n  " in text or not words
        found = re.search(r"^Subcommands:\n((?:  .*\n)+)", text, re.MULTILINE)
        for name in re.findall(r"^  ([\w-]+)", found[1], re.MULTILINE) if found else []:
            commands(*words, name)

    commands()
