"""A sentence for people keeps apart what stands in it, and is plain English to all who do not ask for more."""

import json

from paywall.phrases import N_, Phrase, said

OTHER = {"%(name)s ends on %(day)s": "La %(day)s finas %(name)s", "Monday": "lundo", "Ends": "Finas"}


def gettext(text: str) -> str:
    return OTHER.get(text, text)


def test_it_is_its_english_sentence() -> None:
    phrase = Phrase("%(name)s ends on %(day)s", name="It", day=Phrase("Monday"))
    assert phrase == "It ends on Monday"
    assert json.dumps(phrase) == '"It ends on Monday"'
    assert f"{phrase}." == "It ends on Monday."


def test_it_and_the_phrases_in_it_are_said_in_another_language() -> None:
    phrase = Phrase("%(name)s ends on %(day)s", name="Monday", day=Phrase("Monday"))
    assert phrase.said(gettext) == "La lundo finas Monday", "what is no phrase stays as it is"


def test_without_values_a_per_cent_sign_is_itself() -> None:
    assert Phrase("100 % paid").said(gettext) == "100 % paid"
    assert Phrase("").said(lambda _text: "what a catalogue says of itself") == ""


def test_what_is_no_phrase_stays_as_it_is() -> None:
    assert said("Ends", gettext) == "Ends"
    assert said(Phrase(N_("Ends")), gettext) == "Finas"
    assert said(7, gettext) == 7
