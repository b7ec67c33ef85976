"""`pip install .` gives a content service the verifier, and nothing that it does not need."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from paywall.settings import ROOT

TRY = """
from paywall.verifier import Verifier
print(Verifier(issuer="http://127.0.0.1:9").check("x", require="news").reason)
"""


def test_a_fresh_environment_gets_itsdangerous_and_cryptography_alone(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(ROOT / "paywall", source / "paywall", ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / file, source / file)
    env = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", env], check=True)  # this one's pip fills it
    python = env / "bin" / "python"
    before = packages(python)
    done = subprocess.run(
        [*pip(python), "install", "--quiet", "--no-compile", source], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert packages(python) - before == {"paywall", "itsdangerous", "cryptography", "cffi", "pycparser"}
    tried = subprocess.run([python, "-c", TRY], cwd=tmp_path, capture_output=True, text=True)
    assert (tried.returncode, tried.stdout) == (0, "malformed\n"), tried.stderr
    typed = env / "lib" / f"python3.{sys.version_info.minor}" / "site-packages" / "paywall" / "verifier" / "py.typed"
    assert typed.exists()


def packages(python: Path) -> set[str]:
    """The names of what is installed."""
    found = subprocess.run([*pip(python), "list", "--format", "json"], capture_output=True, text=True, check=True)
    return {one["name"].lower() for one in json.loads(found.stdout)}


def pip(python: Path) -> list[str]:
    """The beginning of a command about the environment of this Python."""
    return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
