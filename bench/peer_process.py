"""Other toolkits in processes of their own, in environments of their own."""

import json
import subprocess
import tempfile


def run_peer(command, timeout):
    """What `command` prints as its last line of JSON, a dict; {"error": its last words} where it prints none.

    It runs in a folder of its own, for at most `timeout` seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                list(map(str, command)), cwd=folder, capture_output=True, text=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired:
            return {"error": f"not done after {timeout:.0f} s"}
    for line in reversed(done.stdout.splitlines()):
        if line.startswith("{"):
            return json.loads(line)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return {"error": lines[-1] if lines else f"exit status {done.returncode}"}
