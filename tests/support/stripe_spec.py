"""Stripe's own description of its objects and requests, where a copy of it lies beside this repository."""

import functools
import importlib.util
import warnings
from pathlib import Path
from typing import Any

import pytest

STRIPE_FILES = Path(__file__).resolve().parents[3] / "shared" / "stripe"
RECORDED = STRIPE_FILES / "recorded" / "pay-rails-pay" / "vcr"
REASON = f"Stripe's API description is not in {STRIPE_FILES.name} beside the repository"

needs_spec = pytest.mark.skipif(not (STRIPE_FILES / "validate.py").exists(), reason=REASON)


@functools.cache
def load_checker() -> Any:
    """Return the checker, read once per run."""
    found = importlib.util.spec_from_file_location("stripe_validate", STRIPE_FILES / "validate.py")
    module = importlib.util.module_from_spec(found)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the checker leaves closing its file to the interpreter
        found.loader.exec_module(module)
        return module.Spec(str(STRIPE_FILES / "openapi-subset.json"))


def spec() -> Any:
    """Return the checker, or skip the calling test with a reason."""
    if not (STRIPE_FILES / "validate.py").exists():
        pytest.skip(REASON)
    return load_checker()


def problems_of(body: dict[str, Any]) -> list[str]:
    """Return what is wrong with an answer of the API; skips the test where there is no description."""
    return [str(problem) for problem in spec().check_object(body)]


def request_problems(method: str, path: str, text: str) -> list[str]:
    """Return what Stripe's description would refuse of a request."""
    return [str(problem) for problem in spec().check_request(method, path, text)]
