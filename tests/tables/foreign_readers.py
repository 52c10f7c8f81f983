#!/usr/bin/env python3
"""pyiceberg reads the tables that we write: foreign_readers.py TEST_BINARY FOLDER

Writes Parquet files with field ids, has the test ForeignReaders.Dump of TEST_BINARY (tarn_tables_test) make tables of them in
FOLDER, and compares each state of each table, read by pyiceberg, with the rows that went in. Needs pyiceberg[pyarrow].
"""
import datetime
import os
import pathlib
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.table import StaticTable

DAY = 20000  # since 1970
FOLDER = pathlib.Path(sys.argv[2]).resolve()


class LakeFolder(PyArrowFileIO):
    """s3://lake/... is FOLDER/out/lake/..."""

    def new_input(self, location):
        return super().new_input(location.replace("s3://", str(FOLDER / "out") + "/"))


def with_ids(fields):
    return pa.schema([pa.field(name, kind, nullable, metadata={"PARQUET:field_id": str(number)})
                      for number, name, kind, nullable in fields])


ROWS = with_ids([(1, "id", pa.int64(), False), (2, "name", pa.string(), True), (3, "day", pa.date32(), True)])
RENAMED = with_ids([(1, "id", pa.int64(), False), (2, "title", pa.string(), True), (3, "day", pa.date32(), True),
                    (4, "extra", pa.int32(), True)])
DELETES = with_ids([(2147483546, "file_path", pa.string(), False), (2147483545, "pos", pa.int64(), False)])


def rows_of(first, count, day):
    date = None if day is None else datetime.date(1970, 1, 1) + datetime.timedelta(days=day)
    return [{"id": i, "name": f"n{i}" if i % 3 else None, "day": date} for i in range(first, first + count)]


def write_inputs():
    """Returns the data files' rows by name, and the positions deleted by delete file."""
    (FOLDER / "in").mkdir(parents=True)
    files, deletes, lines = {}, {}, []
    for number, (count, day) in enumerate([(100, DAY), (50, DAY + 1), (70, None), (30, DAY), (20, DAY + 2)]):
        name, first = f"f{number}.parquet", number * 1000
        rows = rows_of(first, count, day)
        later = number > 2
        table = [dict(title=r["name"], id=r["id"], day=r["day"], extra=7) for r in rows] if later else rows
        path = FOLDER / "in" / name
        pq.write_table(pa.Table.from_pylist(table, schema=RENAMED if later else ROWS), path)
        files[name] = [(r["id"], r["name"], r["day"], 7 if later else None) for r in rows]
        lines.append(f"{name} {count} {path.stat().st_size} {first} {first + count - 1} {'-' if day is None else day}")
    for of, day, number in (("f0.parquet", DAY, 0), ("f2.parquet", None, 1), ("f0.parquet", DAY, 2)):
        positions = [3, 4, 5 + number, 20 + number]
        for table in ("plain", "parted"):
            name = f"{table}-d{number}.parquet"
            deletes[name] = (of, positions)
            lines.append(f"{name} {len(positions)} 1000 0 0 {'-' if day is None else day} {of}")
    (FOLDER / "in" / "files.txt").write_text("\n".join(lines) + "\n")
    return files, deletes


def place_files(location, table, files, deletes):
    data = FOLDER / "out" / location.removeprefix("s3://") / "data"
    data.mkdir(parents=True, exist_ok=True)
    for name in files:
        (data / name).write_bytes((FOLDER / "in" / name).read_bytes())
    for name, (of, positions) in deletes.items():
        if name.startswith(table):
            rows = [{"file_path": f"{location}/data/{of}", "pos": p} for p in positions]
            pq.write_table(pa.Table.from_pylist(rows, schema=DELETES), data / name)


def read(table, **scan):
    rows = table.scan(**scan).to_arrow().to_pylist()
    return sorted(((r["id"], r.get("name", r.get("title")), r["day"], r.get("extra")) for r in rows), key=lambda r: r[0])


def expected(files, deletes, steps, table):
    names = list(files) + [n for n in deletes if n.startswith(table)]
    live = {}
    for name in names[:steps]:
        if name in files:
            live[name] = dict(enumerate(files[name]))
        else:
            of, positions = deletes[name]
            for position in positions:
                live[of].pop(position, None)
    return sorted((row for rows in live.values() for row in rows.values()), key=lambda r: r[0])


def main():
    files, deletes = write_inputs()
    subprocess.run([sys.argv[1], "--gtest_filter=ForeignReaders.Dump"], check=True, stdout=subprocess.DEVNULL,
                   env=dict(os.environ, TARN_FOREIGN_DIR=str(FOLDER)))
    steps, checked = {}, 0
    properties = {"py-io-impl": "foreign_readers.LakeFolder"}
    for line in (FOLDER / "out" / "states.txt").read_text().splitlines():
        name, location = line.split()
        steps[name] = steps.get(name, 0) + 1
        place_files(location.rsplit("/metadata/", 1)[0], name, files, deletes)
        table = StaticTable.from_metadata(location.replace("s3://", str(FOLDER / "out") + "/"), properties)
        want = expected(files, deletes, steps[name], name)
        assert read(table) == want, (name, steps[name])
        some = [r for r in want if r[0] >= 1020 and r[0] < 3010]
        assert read(table, row_filter="id >= 1020 and id < 3010") == some, (name, steps[name], "by bounds")
        if steps[name] > 1:
            assert read(table, row_filter="day is null") == [r for r in want if r[2] is None], (name, "by partition")
            assert table.inspect.files().num_rows == steps[name]
            assert table.inspect.manifests().num_rows >= 1
        checked += 1
    print(f"{checked} states of {len(steps)} tables are the same to pyiceberg")


if __name__ == "__main__":
    sys.modules["foreign_readers"] = sys.modules["__main__"]
    main()
