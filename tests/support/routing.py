"""Tables of addresses, shared by applications with the same ones: to make a table takes as long as all the rest."""

import copy
from typing import Any

from werkzeug.routing import Map, Rule, RuleFactory

_OPTIONS = ("default_subdomain", "strict_slashes", "merge_slashes", "redirect_defaults", "host_matching")
_rules: dict[tuple[object, ...], Rule] = {}
_known: set[int] = set()
_tables: dict[tuple[object, ...], Map] = {}


def known_rule(rule: str, **options: Any) -> Rule:
    """An address with its options; the same words give the same object, which is never bound to a table."""
    plain = {**options, "methods": frozenset(options.get("methods") or ())}
    if defaults := plain.pop("defaults", None):
        plain["defaults"] = tuple(sorted(defaults.items()))
    try:
        key = (rule, *sorted(plain.items()))
        found = _rules.get(key)
    except TypeError:  # an option that is no plain value
        return Rule(rule, **options)
    if found is None:
        found = _rules[key] = Rule(rule, **options)
        _known.add(id(found))
    return found


class KnownMap(Map):
    """Collects addresses; when it is asked for one, it takes the table that another with the same ones has made."""

    def __init__(self, *args: Any, **options: Any) -> None:
        # each with what Flask writes on it, which the next application may overwrite
        self._collected: list[tuple[Rule, object]] = []
        super().__init__(*args, **options)

    def add(self, rulefactory: RuleFactory) -> None:
        """Keeps them for later."""
        for rule in rulefactory.get_rules(self):
            self._collected.append((rule, getattr(rule, "provide_automatic_options", None)))
        self._remap = True

    def update(self) -> None:
        """Called before each look into the table: has it ready, with all that was added."""
        if not self._remap:
            return
        with self._remap_lock:
            if self._remap:
                made = self._table()
                self._matcher, self._rules_by_endpoint = made._matcher, made._rules_by_endpoint
                self._remap = False

    def _table(self) -> Map:
        words = [(id(rule), automatic) for rule, automatic in self._collected]
        if not _known.issuperset(number for number, _ in words):
            return self._new()
        key = (*words, *(getattr(self, name) for name in _OPTIONS), *self.converters.items())
        if key not in _tables:
            _tables[key] = self._new()
        return _tables[key]

    def _new(self) -> Map:
        made = Map(converters=self.converters, **{name: getattr(self, name) for name in _OPTIONS})
        for rule, automatic in self._collected:
            mine = copy.copy(rule)
            mine.arguments = set(rule.arguments)
            mine.provide_automatic_options = automatic  # type: ignore[attr-defined]
            made.add(mine)
        made.update()
        return made
