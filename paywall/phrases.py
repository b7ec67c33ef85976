"""Sentences for people that code makes: English as they stand, and what stands in them kept apart for translators."""

from collections.abc import Callable
from typing import Self


def N_(text: str) -> str:
    """Marks a text that is translated where it is used; tools that list texts know this name."""
    return text


class Phrase(str):
    """English text that a catalogue can say in another language where a page or a letter is written.

    ``text`` is the English with its values by name, as in ``Your access ended on %(day)s.``; ``values`` may be phrases
    themselves. Everywhere else it is the English sentence. Without values ``text`` is taken as it is.
    """

    __slots__ = ("text", "values")
    text: str
    values: dict[str, object]

    def __new__(cls, text: str, **values: object) -> Self:
        made = super().__new__(cls, text % values if values else text)
        made.text, made.values = text, values
        return made

    def said(self, gettext: Callable[[str], str]) -> str:
        """The sentence as ``gettext`` has it, its values too."""
        text = gettext(self.text) if self.text else ""
        values = {name: said(value, gettext) for name, value in self.values.items()}
        return text % values if values else text


def said(value: object, gettext: Callable[[str], str]) -> object:
    """A phrase as ``gettext`` has it; anything else as it is."""
    return value.said(gettext) if isinstance(value, Phrase) else value
