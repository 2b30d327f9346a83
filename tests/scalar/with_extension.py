"""Runs a script in which `import twofold` takes the extension of another build.

usage: with_extension.py FOLDER SCRIPT [ARGUMENT...]
"""

import importlib.util
import runpy
import sys
from pathlib import Path


def load_extension(folder):
    (path,) = Path(folder).glob("_twofold*.so")
    spec = importlib.util.spec_from_file_location("twofold._twofold", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)


folder, script, *arguments = sys.argv[1:]
load_extension(folder)
sys.argv = [script, *arguments]
runpy.run_path(script, run_name="__main__")
