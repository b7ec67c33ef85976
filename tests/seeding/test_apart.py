"""Making readers up writes past the one writer, so nothing of the service may call it but its own command."""

from pathlib import Path

import paywall
from tests.support import architecture

TREE = architecture.read_tree(Path(paywall.__file__).parent)


def test_only_the_command_line_knows_of_made_up_readers() -> None:
    users = {
        (one.module, one.target)
        for one in architecture.imports(TREE)
        if architecture.part(one.target) == "seeding" != architecture.part(one.module)
    }
    assert users == {("paywall.cli", "paywall.seeding.commands")}
