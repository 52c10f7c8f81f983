"""SQL on Iceberg tables, beside plain DuckDB on the very same Parquet files: same threads, same session, interleaved."""
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
QUERIES = {
    "count and sum": "select count(*), sum(amount) from sales",
    "group by": "select store_id, product_id, sum(units), avg(price) from sales group by all order by 1, 2",
    "filter": "select count(*), sum(units) from sales where product_id = 7 and sold_at < timestamptz '2025-06-01 00:00:00+00'",
    "join": "select st.region, sum(s.amount) from sales s join stores st on st.store_id = s.store_id group by 1 order by 1",
    "distinct": "select count(distinct amount) from sales",
    "top 10": "select sale_id, amount from sales order by amount desc, sale_id limit 10",
}
COLUMNS = {
    "sales": "sale_id bigint, sold_at timestamptz, store_id int, product_id int, units int, price int, amount int, promo boolean, updated_at timestamptz",
    "stores": "store_id int, name text, region text, city text, latitude double precision, longitude double precision, "
              "size numeric(4, 2)",
}


def load_world(folder):
    subprocess.run([str(TOP / "build" / "release" / "beverages_simulator"), "--out", str(folder),
                    "--end", "2026-01-01T00:00:00Z"], check=True)
    return folder / "pg"


def download(server, table, into):
    """The table's data files, as any S3 client gets them."""
    import boto3
    section = dict(aws_access_key_id=server.access_key, aws_secret_access_key=server.secret_key)
    s3 = boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1", **section)
    into.mkdir()
    for bucket in s3.list_buckets()["Buckets"]:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
            for item in page.get("Contents", []):
                if item["Key"].endswith(".parquet") and f"/{table}" in "/" + item["Key"]:
                    s3.download_file(bucket["Name"], item["Key"], str(into / item["Key"].rsplit("/", 1)[1]))
    return into / "*.parquet"


class Peer:
    def __init__(self, files):
        python = pathlib.Path(os.environ.get("TARN_VENV", TOP / ".venv")) / "bin" / "python"
        self.process = subprocess.Popen([str(python), str(TOP / "bench" / "peer_duckdb.py"), str(os.cpu_count())] +
                                        [f"{name}={glob}" for name, glob in files.items()],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def ask(self, sql):
        self.process.stdin.write(sql + "\n")
        self.process.stdin.flush()
        took, _, rows = self.process.stdout.readline().partition("\t")
        return float(took), rows.strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure(runs):
    """[(query, our ms, peer ms)], medians; the rows must be equal."""
    from tarn_server import TarnServer
    out = []
    with tempfile.TemporaryDirectory() as folder, TarnServer() as server:
        folder = pathlib.Path(folder)
        files = load_world(folder)
        connection = server.connect()
        cursor = connection.cursor()
        for table, columns in COLUMNS.items():
            cursor.execute(f"create table {table} ({columns})")
            with open(files / f"{table}.csv") as rows:
                cursor.copy_expert(f"copy {table} from stdin (format csv)", rows)
        peer = Peer({table: download(server, table, folder / table) for table in COLUMNS})
        for name, sql in QUERIES.items():
            ours, theirs = [], []
            for turn in range(runs + 1):
                begun = time.perf_counter()
                cursor.execute(sql)
                rows = cursor.fetchall()
                ours.append((time.perf_counter() - begun) * 1000)
                took, peer_rows = peer.ask(sql)
                theirs.append(took)
            if len(rows) != len(eval(peer_rows, {"Decimal": __import__("decimal").Decimal})):
                raise SystemExit(f"bench: '{name}' gave other rows than DuckDB: {rows} and {peer_rows}")
            out.append((name, statistics.median(ours[1:]), statistics.median(theirs[1:])))
        peer.close()
        connection.close()
    return out
