"""Letters as files, for machines without a mail server: one .eml each, whose names sort by time."""

import os
import secrets
from datetime import datetime
from pathlib import Path

from paywall.settings import ROOT


def put(folder: Path, content: bytes, now: datetime) -> Path:
    """Writes one letter and returns its file. A relative folder lies in the project. Raises OSError.

    The file appears whole or not at all, and only its owner may read it: it holds a link that signs somebody in.
    """
    folder = ROOT / folder
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{now:%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}"
    draft, target = folder / f".{name}.part", folder / f"{name}.eml"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    draft.replace(target)
    return target
