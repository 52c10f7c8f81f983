"""Ten thousand connections per door that say nothing more: memory per connection, and others are served."""
import os
import resource
import time

import pytest

from abuse_doors import DOORS, Probe, memory_kb

CROWD = int(os.environ.get("TARN_CROWD", "10000"))
KB_MAX = 20  # of memory, for a connection that has begun to speak


@pytest.fixture(scope="module")
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < CROWD + 500:
        pytest.skip(f"only {hard} files may be open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.long
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_idle_crowd(many_files, own_tarn, door):
    with Probe(own_tarn, pause=0.2) as probe:
        before, began, crowd = memory_kb(own_tarn), time.monotonic(), []
        try:
            for _ in range(CROWD):
                connection = door.connect(own_tarn)
                connection.sendall(door.first)
                crowd.append(connection)
            took, rounds = time.monotonic() - began, len(probe.times)
            per_connection = (memory_kb(own_tarn) - before) / CROWD
            deadline = time.monotonic() + 30
            while len(probe.times) < rounds + 3 and time.monotonic() < deadline and not probe.failed:
                time.sleep(0.05)
            served = len(probe.times) - rounds
        finally:
            for connection in crowd:
                connection.close()
        print(f"{door.name}: {CROWD} connections in {took:.1f} s, {per_connection:.1f} kB each; others: {served} rounds, slowest "
              f"{probe.slowest * 1000:.0f} ms")
        assert served >= 3, "others wait"
        assert per_connection < KB_MAX
