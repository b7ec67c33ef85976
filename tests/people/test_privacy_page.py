"""docs/privacy.md tells of every table, and the periods that the settings have."""

import re

from paywall.cli import group
from paywall.people.sections import NOT_PERSONAL, SECTIONS
from paywall.settings import ROOT, Settings, load_settings
from paywall.storage.database import Base

TEXT = (ROOT / "docs/privacy.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", TEXT, re.MULTILINE))
PERIOD = re.compile(r"`retention\.(\w+)` \((\d+) days\)")


def test_the_page_names_every_table_once() -> None:
    assert sorted(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)) == sorted(Base.metadata.tables)


def test_what_is_exported_is_told_of_and_what_holds_nothing_is_not_exported() -> None:
    empty = {name for name, row in ROWS.items() if row.startswith("nothing")}
    assert empty <= NOT_PERSONAL.keys()
    assert not empty & {one.table.__tablename__ for one in SECTIONS}


def test_the_periods_are_those_of_the_settings() -> None:
    told = PERIOD.findall(TEXT)
    rules = load_settings().retention
    assert {name: int(days) for name, days in told} == {name: getattr(rules, name) for name, _ in told}
    assert {name for name, _ in told} == set(Settings.model_fields["retention"].annotation.model_fields)


def test_the_commands_that_the_page_names_exist() -> None:
    for words in re.findall(r"`flask paywall ([a-z -]+)", TEXT):
        command = group
        for word in words.split():
            command = command.commands[word]
        assert command.callback
