"""The clock file holds whole seconds, is replaced at once, and is the same for everybody who reads it."""

import os
import threading

import pytest

from paywall.sandbox.billing.passing import advance
from paywall.sandbox.clockfile import read_offset, write_offset
from paywall.sandbox.config import ConfigError, SandboxConfig
from paywall.sandbox.state.account import Account


def account_with(clock, **files):
    return Account(SandboxConfig("sk_test_x", now=clock, **files))


@pytest.mark.parametrize("offset", [0, 1, 31_622_400])
def test_what_is_written_is_read(tmp_path, offset):
    write_offset(tmp_path / "new" / "offset", offset)
    assert read_offset(tmp_path / "new" / "offset") == offset


def test_no_file_and_an_empty_one_mean_no_offset(tmp_path):
    assert read_offset(tmp_path / "none") == 0
    (tmp_path / "empty").write_text("")
    assert read_offset(tmp_path / "empty") == 0


def test_anything_else_is_refused_with_what_to_do(tmp_path, clock):
    (tmp_path / "offset").write_text("tomorrow")
    with pytest.raises(ConfigError, match="write 0 into it"):
        account_with(clock, clock_file=tmp_path / "offset")


def test_a_reader_never_sees_half_a_number(tmp_path):
    path, seen, done = tmp_path / "offset", set(), threading.Event()
    write_offset(path, 10**9)

    def read():
        while not done.is_set():
            seen.add(read_offset(path))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(300):
        write_offset(path, 10**9 + number % 2)
    done.set()
    reader.join()
    assert seen <= {10**9, 10**9 + 1}
    assert os.listdir(tmp_path) == ["offset"]


def test_the_next_start_goes_on_at_the_files_time(tmp_path, clock):
    path = tmp_path / "offset"
    first = account_with(clock, clock_file=path)
    advance(first, 5000)
    first.store.close()
    assert path.read_text() == "5000\n"
    second = account_with(clock, clock_file=path)
    assert second.now() == clock.seconds + 5000
    second.store.close()


def test_without_a_file_the_state_remembers_the_time(tmp_path, clock):
    first = account_with(clock, state=tmp_path / "state")
    advance(first, 5000)
    first.store.close()
    second = account_with(clock, state=tmp_path / "state")
    assert second.now() == clock.seconds + 5000
    second.store.close()
