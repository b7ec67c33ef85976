"""How much memory something holds."""

import gc
import tracemalloc
from collections.abc import Callable


def memory(call: Callable[[], object]) -> float:
    """MiB that the result holds."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    result = call()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del result
    return (after - before) / 2**20
