"""Put into an unpacked wheel the licences of all that is in it and was not written here.

    python tools/wheel_licenses.py FOLDER

That is the libraries that auditwheel has put beside the extension, and the headers and sources
that the extension was compiled from, as ninja knows them. Debian's packages have their licences in
/usr/share/doc/PACKAGE/copyright, Python's beside their metadata. Ends with 1 at a file whose
licence is not known.
"""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
SITE = Path(sysconfig.get_path("purelib"))
TARGETS = ("twofold_core", "twofold_cli", "_twofold", "nanobind-static")
COMMON = Path("/usr/share/common-licenses")
# Headers of C and C++ themselves ask for nothing where compiled code is passed on.
LANGUAGE = re.compile(r"libc6-dev|linux-libc-dev|lib(gcc|stdc\+\+)-\d+-dev")


def output_of(*command: str | Path, check: bool = True) -> str:
    """What a program prints."""
    errors = None if check else subprocess.DEVNULL
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=errors, text=True, check=check
    ).stdout


def bundled_libraries(tree: Path) -> dict[str, Path]:
    """The names of the libraries in the wheel, and the files that they are copies of."""
    (extension,) = (tree / "twofold").glob("_twofold.*.so")
    extension = ROOT / "python" / "twofold" / extension.name  # as it was linked
    linked = [
        Path(path).resolve() for path in re.findall(r"=> (/\S+)", output_of("ldd", extension))
    ]
    origins = {path.name: path for path in linked}
    # auditwheel puts a hash into each name.
    names = sorted(path.name for path in tree.glob("*.libs/*"))
    return {name: origins[re.sub(r"-[0-9a-f]{8}(?=\.so)", "", name)] for name in names}


def compiled_files() -> set[Path]:
    """All files that the extension's objects were compiled from."""
    files, wanted = set(), False
    for line in output_of("ninja", "-C", BUILD, "-t", "deps").splitlines():
        if not line.startswith(" "):
            wanted = any(f"CMakeFiles/{target}.dir/" in line for target in TARGETS)
        elif wanted:
            files.add(Path(os.path.normpath(BUILD / line.strip())))
    return files


def debian_packages(files: Iterable[Path]) -> dict[Path, str]:
    """The packages that files are from; without files that are from none."""
    # Since Debian merged the two folders, packages still list files of /lib that lie in /usr/lib.
    names = {path: path for path in files}
    names |= {Path("/", *path.parts[2:]): path for path in files if path.parts[1] == "usr"}
    packages = {}
    for line in output_of("dpkg", "-S", *names, check=False).splitlines():
        package, _, name = line.partition(": ")
        if Path(name) in names:
            packages[names[Path(name)]] = package.partition(":")[0]
    return packages


def add_debian_licenses(folder: Path, packages: Iterable[str]) -> None:
    """Copies what packages say about their licences, and the licences that they only name."""
    for package in sorted(set(packages)):
        text = Path("/usr/share/doc", package, "copyright").read_text()
        (folder / package).mkdir()
        (folder / package / "copyright").write_text(text)
        for name in re.findall(rf"{COMMON}/([\w.-]*\w)", text):
            (folder / COMMON.name).mkdir(exist_ok=True)
            shutil.copyfile(COMMON / name, folder / COMMON.name / name)


def add_python_licenses(folder: Path, files: Iterable[Path]) -> None:
    """Copies the licences of the packages in .venv that files are from."""
    for name in sorted({path.relative_to(SITE).parts[0] for path in files}):
        (folder / name).mkdir()
        for path in importlib.metadata.files(name) or []:
            if ".dist-info/licenses/" in str(path):
                shutil.copyfile(path.locate(), folder / name / path.name)
    # What those packages hold of others says it in its first comment.
    for path in files:
        if "ext" in path.parts:
            comment = path.read_text().partition("*/")[0].removeprefix("/**")
            (folder / f"{path.parts[path.parts.index('ext') + 1]}.txt").write_text(comment)


def main() -> None:
    """Adds the licences to the wheel that was taken apart in the folder that is named."""
    tree = Path(sys.argv[1])
    (folder,) = tree.glob("*.dist-info/licenses")
    libraries = bundled_libraries(tree)
    files = compiled_files() | set(libraries.values())
    packages = debian_packages(files)
    from_site = {path for path in files if path.is_relative_to(SITE)}
    # The wheel runs in a Python, so that it does not bring one.
    ours = (ROOT / "src", ROOT / "include", ROOT / "python", BUILD, sysconfig.get_path("include"))
    for path in sorted(files - packages.keys() - from_site):
        if not any(path.is_relative_to(known) for known in ours):
            sys.exit(f"error: {path} is part of the wheel, but of no package: what licence has it?")
    add_debian_licenses(folder, (name for name in packages.values() if not LANGUAGE.match(name)))
    add_python_licenses(folder, from_site)
    versions = [
        output_of("dpkg-query", "-W", "-f", f"{name}: ${{Package}} ${{Version}}\n", packages[path])
        for name, path in libraries.items()
    ]
    (folder / "libraries.txt").write_text("".join(versions))


if __name__ == "__main__":
    main()
