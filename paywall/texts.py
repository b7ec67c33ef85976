"""The texts for people in the newsroom's language: gettext's catalogues, found by the English that stands in pages.

A language is a file ``locale/<language>/LC_MESSAGES/paywall.mo``; without one the English stays. docs/texts.md tells
how to make it.
"""

import gettext
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

from jinja2 import Environment, pass_context
from jinja2.runtime import Context

from paywall.phrases import said

DOMAIN = "paywall"
FOLDER = Path(__file__).with_name("locale")
EXTENSION = "jinja2.ext.i18n"
Marked = Callable[..., str]


def catalogue(language: str, folder: Path | None = None) -> gettext.NullTranslations:
    """The translations into ``language`` (such as ``de`` or ``pt-BR``); one that leaves all as it is where none is."""
    return gettext.translation(DOMAIN, folder or FOLDER, [language.replace("-", "_")], fallback=True)


def languages(folder: Path | None = None) -> set[str]:
    """The languages that pages can be in: English, and each that has a catalogue; as tags such as ``pt-BR``."""
    found = (folder or FOLDER).glob(f"*/LC_MESSAGES/{DOMAIN}.mo")
    return {"en"} | {file.parts[-3].replace("_", "-") for file in found}


def install(environment: Environment, language: str, folder: Path | None = None) -> None:
    """Lets templates of ``environment`` say what they mark in ``language``.

    Marked is what stands in ``trans`` blocks and what is given to ``_``. Values in it are escaped where the template
    escapes; what a catalogue brings is taken as it is, so that sentences may hold links.
    """
    environment.add_extension(EXTENSION)
    environment.policies["ext.i18n.trimmed"] = True  # a sentence's line breaks are no part of it
    found = catalogue(language, folder)
    environment.finalize = partial(said, gettext=found.gettext)
    environment.install_gettext_translations(found, newstyle=True)  # type: ignore[attr-defined]
    for name in ("gettext", "ngettext"):
        environment.globals[name] = _with_phrases(cast(Marked, environment.globals[name]), found.gettext)


def _with_phrases(marked: Marked, gettext: Callable[[str], str]) -> Marked:
    """What Jinja calls for a marked text, with the phrases among its values said in the language too."""

    @pass_context
    def call(page: Context, *texts: object, **values: object) -> str:
        return marked(page, *texts, **{name: said(value, gettext) for name, value in values.items()})

    return call
