"""Packages for Node, installed once by npm into the user's cache folder; without npm a test is skipped and says so."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest


def modules(package: str, version: str) -> Path:
    """The folder node_modules that holds this package in this version."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "paywall" / f"{package}-{version}"
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node and npm are not on this machine")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "node_modules" / package / "package.json").exists():
            quick = ["--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=0", "--fetch-timeout=20000"]
            command = [npm, "install", *quick, "--prefix", str(folder), f"{package}@{version}"]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)
            if done.returncode:
                pytest.skip(f"npm could not install {package} {version} here")
    return folder / "node_modules"


def run(program: Path, *arguments: str) -> str:
    """What this program prints; a failure fails the test with its words."""
    command = ["node", str(program), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
