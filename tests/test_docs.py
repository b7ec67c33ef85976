"""docs/settings.md names every setting, with the default that it has."""

import re
import tomllib

import pytest
from pydantic_core import PydanticUndefined

from paywall.settings import ROOT, Settings

TEXT = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
FILES = sorted(path.name for path in (ROOT / "config").glob("*.toml") if path.name != "plans.toml")
DEFAULTS = tomllib.loads((ROOT / "config/default.toml").read_text(encoding="utf-8"))
ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \| (.*?) ?\|$", re.MULTILINE)


def documented() -> dict[str, dict[str, tuple[str, str]]]:
    """Type and default of each setting by table, as the page tells them."""
    sections = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]
    tables = {section.split("\n")[0]: ROW.findall(section) for section in sections}
    return {
        title.strip("[]"): {name: (kind, default) for name, kind, default, _, _ in rows}
        for title, rows in tables.items()
        if title.startswith("[")
    }


GROUPS = {name: field.annotation for name, field in Settings.model_fields.items() if name not in ("env", "plans")}


def test_the_page_has_the_tables_that_there_are() -> None:
    assert list(documented()) == list(GROUPS)


@pytest.mark.parametrize("group", GROUPS)
def test_the_page_names_the_settings_that_there_are(group: str) -> None:
    assert list(documented()[group]) == list(GROUPS[group].model_fields)


@pytest.mark.parametrize("group", GROUPS)
def test_the_page_tells_the_true_defaults(group: str) -> None:
    for name, (_, told) in documented()[group].items():
        in_file = DEFAULTS.get(group, {}).get(name)
        in_code = GROUPS[group].model_fields[name].default
        if in_file is not None:
            assert tomllib.loads(f"value = {told.strip('`')}")["value"] == in_file, name
        else:
            assert told == ("required" if in_code is PydanticUndefined else "none"), name


@pytest.mark.parametrize("group", GROUPS)
def test_the_page_says_which_values_are_secret(group: str) -> None:
    for name, (kind, _) in documented()[group].items():
        field = GROUPS[group].model_fields[name]
        assert ("secret" in kind) == ("SecretStr" in f"{field.annotation}"), name


@pytest.mark.parametrize("file", FILES)
def test_the_files_hold_only_documented_settings(file: str) -> None:
    tables = tomllib.loads((ROOT / "config" / file).read_text(encoding="utf-8"))
    for group, values in tables.items():
        assert set(values) <= set(documented()[group]), group


def test_the_example_environment_holds_only_documented_settings() -> None:
    lines = (ROOT / "config/example.env").read_text(encoding="utf-8").splitlines()
    names = {line.split("=")[0] for line in lines if line and not line.startswith("#")} - {"PAYWALL_ENV"}
    assert len(names) > 10
    for name in names:
        group, _, key = name.removeprefix("PAYWALL_").lower().partition("__")
        assert key in documented()[group], name


def test_the_page_names_the_variables_that_choose_the_sources() -> None:
    for name in ("PAYWALL_ENV", "PAYWALL_SETTINGS", "PAYWALL_CONFIG_DIR", "PAYWALL_REHEARSAL"):
        assert f"| `{name}` |" in TEXT
