"""Plain DuckDB over Parquet files, for comparison: reads a query a line, answers with its milliseconds and its rows.

    peer_duckdb.py THREADS NAME=GLOB ...     each NAME becomes a view over the files
"""
import sys
import time

import duckdb


def main():
    connection = duckdb.connect()
    connection.execute(f"set threads = {sys.argv[1]}")
    for word in sys.argv[2:]:
        name, _, files = word.partition("=")
        connection.execute(f"create view {name} as select * from read_parquet('{files}')")
    print("ready", flush=True)
    for line in sys.stdin:
        begun = time.perf_counter()
        rows = connection.execute(line).fetchall()
        took = (time.perf_counter() - begun) * 1000
        print(f"{took:.3f}\t{rows!r}".replace("\n", " "), flush=True)


if __name__ == "__main__":
    main()
