"""Making readers up writes past the one writer, so nothing of the service may call it but its own command."""

import re
from pathlib import Path

import paywall

PACKAGE = Path(paywall.__file__).parent
_IMPORTS = re.compile(r"\s*(from|import)\b.*\bseeding\b")


def test_only_the_command_line_knows_of_made_up_readers() -> None:
    files = [path for path in PACKAGE.rglob("*.py") if path.parent.name != "seeding"]
    naming = [line for path in files for line in path.read_text().splitlines() if _IMPORTS.match(line)]
    assert naming == ["from paywall.seeding.commands import dev_cli"]
