"""Many writers of one table: each INSERT is a commit of its own, and none may fail."""
import multiprocessing
import time

import psycopg2

WRITERS = 64
PROCESSES = 4


def connect(address, key):
    connection = psycopg2.connect(host=address[0], port=address[1], user=key[0], password=key[1], dbname="lake")
    connection.autocommit = True
    return connection


def write(address, key, writers, seconds, first, results):
    """One process with some of the writers, each a thread (psycopg2 waits without Python's lock)."""
    import threading
    done, failed = [0] * writers, []
    connections = [connect(address, key) for _ in range(writers)]
    end = time.monotonic() + seconds

    def run(i):
        cursor = connections[i].cursor()
        while time.monotonic() < end:
            try:
                cursor.execute(f"insert into appended values ({first + i}, {done[i]})")
                done[i] += 1
            except psycopg2.Error as error:
                failed.append(str(error))
    threads = [threading.Thread(target=run, args=(i,)) for i in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put((sum(done), failed[:3], len(failed)))


def measure(seconds=10):
    """(appends a second, appends that failed, the server's CPU milliseconds for each)."""
    from load import cpu_seconds
    from tarn_server import TarnServer
    with TarnServer() as server:
        address, key = server.address("postgres"), (server.access_key, server.secret_key)
        cursor = connect(address, key).cursor()
        cursor.execute("create table appended (writer int, n bigint)")
        results, each = multiprocessing.Queue(), WRITERS // PROCESSES
        cpu, began = cpu_seconds(server.ready["pid"]), time.monotonic()
        workers = [multiprocessing.Process(target=write, args=(address, key, each, seconds, p * each, results)) for p in range(PROCESSES)]
        for worker in workers:
            worker.start()
        found = [results.get(timeout=seconds + 120) for _ in workers]
        took = time.monotonic() - began
        for worker in workers:
            worker.join()
        used = cpu_seconds(server.ready["pid"]) - cpu
        done = sum(count for count, _, _ in found)
        cursor.execute("select count(*) from appended")
        assert cursor.fetchone()[0] == done, "what was acknowledged is not what is there"
        return done / took, sum(failed for _, _, failed in found), used / max(done, 1) * 1000
