"""The file that tells other programs how far the sandbox's time is ahead; only the sandbox writes it."""

import os
import tempfile
from pathlib import Path

from paywall.sandbox.config import ConfigError


def read_offset(path: Path) -> int:
    """Return the seconds that a clock file holds, none where it is not there yet; ConfigError for anything else."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return 0
    try:
        return int(text or "0")
    except ValueError:
        raise ConfigError(f"The clock file {path} must hold a whole number of seconds: write 0 into it.") from None


def write_offset(path: Path, offset: int) -> None:
    """Replace the clock file at once, so that nobody ever reads half a number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{offset}\n")
    Path(name).chmod(0o644)
    Path(name).replace(path)
