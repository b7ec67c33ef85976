"""Reads what the metrics say, and how much they rose."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client.parser import text_string_to_metric_families

from paywall.metrics import REGISTRY

Key = tuple[str, frozenset[tuple[str, str]]]


def value(name: str, **labels: str) -> float:
    """The present value of a counter of this process; 0 before its first rise."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


@contextmanager
def rising(name: str, **labels: str) -> Iterator[Callable[[], float]]:
    """Within the block: how much a counter has risen since its start."""
    before = value(name, **labels)
    yield lambda: value(name, **labels) - before


def read(text: str) -> dict[Key, float]:
    """The samples of a scrape, by name and labels."""
    families = text_string_to_metric_families(text)
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def total(text: str, name: str) -> float:
    """A sample's value, over all its labels."""
    return sum(found for (sample, _), found in read(text).items() if sample == name)
