"""./x example orange_juice [--folder DIR]: real sales from a database, real stores from a file, a forecast and its back-test.

The data: ../shared/data/orange_juice (Dominick's Finer Foods, as in the R package bayesm), or the folder in TARN_ORANGE_JUICE.
"""
import argparse
import gzip
import os
import pathlib
import shutil
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(TOP / "examples" / "lib"), str(TOP / "tests")]

from lake import Lake, Refused  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402

PUBLISHED = [("Seasonal naive", 165.06), ("ETS", 70.99), ("Auto ARIMA", 70.80), ("Mean forecast", 70.74),
             ("RNN encoder-decoder", 37.68), ("Dilated CNN", 37.09), ("LightGBM", 36.28)]


def load(database, file):
    """sales.csv.gz into the shop's database, with its own column names."""
    import psycopg2
    with psycopg2.connect(database.url) as connection, connection.cursor() as cursor, gzip.open(file, "rt") as rows:
        names = rows.readline().strip().split(",")
        types = {"store": "int", "brand": "int", "week": "int"}
        cursor.execute("drop table if exists sales")
        cursor.execute("create table sales (" + ", ".join(f"{n} {types.get(n, 'double precision')}" for n in names) +
                       ", primary key (store, brand, week))")
        cursor.copy_expert("copy sales from stdin (format csv)", rows)
        cursor.execute("analyze sales")


def wait_for(what, lake, sql, seconds):
    until = time.monotonic() + seconds
    problem = ""
    while time.monotonic() < until:
        try:
            answer = lake.sql(sql)
            if answer and answer[0][0]:
                return answer
        except Refused as error:
            problem = str(error)
        if not lake.alive():
            raise SystemExit(f"the server ended; its log is {lake.log_file}")
        time.sleep(0.3)
    raise SystemExit(f"{what}: not within {seconds} s. {problem}\nthe server's log: {lake.log_file}")


def show(lake, begun):
    count, total = lake.sql("select count(*), sum(exp(logmove)) from shop.sales")[0]
    print(f"\nrows {int(count)}, units {float(total):.2f}     select count(*), sum(exp(logmove)) from shop.sales")
    print("\nunits by size of the store, joined with the partner's file:")
    query = ("select case when st.sstrvol > 1 then 'larger than its rival' else 'smaller' end, count(*), round(sum(exp(s.logmove))) "
             "from shop.sales s join stores st on st.store = s.store group by 1 order by 1")
    for name, rows, units in lake.sql(query):
        print(f"  {name:<22} {int(rows):>8,} rows {float(units):>16,.0f} units")
    judged = lake.sql("select count(*), 100 * avg(abs(forecast - actual) / actual), 100 * avg(abs(naive - actual) / actual), "
                      "100 * avg(abs(seasonal_naive - actual) / actual) from juice_backtest where actual > 0")[0]
    print(f"\nback-test: 12 rounds, {int(judged[0]):,} forecasts, mean absolute percentage error")
    print("  {:<28} {:>8}  {:>9}".format("", "here", "published"))
    print(f"  {'Naive':<28} {float(judged[2]):>8.2f}  {109.67:>9.2f}")
    for name, published in PUBLISHED:
        here = f"{float(judged[3]):.2f}" if name == "Seasonal naive" else ""
        print(f"  {name:<28} {here:>8}  {published:>9.2f}")
    print(f"  {'Tarn (XGBoost)':<28} {float(judged[1]):>8.2f}")
    print(f"\nfrom the first row to this table: {time.monotonic() - begun:.0f} s")


def main():
    parser = argparse.ArgumentParser(prog="./x example orange_juice")
    parser.add_argument("--folder", type=pathlib.Path, default=TOP / "demo-data" / "orange_juice")
    folder = parser.parse_args().folder.resolve()
    data = pathlib.Path(os.environ.get("TARN_ORANGE_JUICE", TOP.parent / "shared" / "data" / "orange_juice"))
    if not (data / "sales.csv.gz").exists():
        print(f"the data is not at {data}: set TARN_ORANGE_JUICE to a folder with sales.csv.gz and stores.csv")
        return 1
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    os.chmod(folder, 0o755)
    here = pathlib.Path(__file__).resolve().parent
    shutil.copyfile(here / "lake.yaml", folder / "lake.yaml")
    shutil.copytree(here / "sql", folder / "sql")
    (folder / "drop").mkdir()
    database = PostgresServer(folder=folder / "shop-db")
    lake = Lake(folder, folder / "lake.yaml", {"shop_url": database.url})
    try:
        print("the shop's database ...", flush=True)
        database.start()
        load(database, data / "sales.csv.gz")
        begun = time.monotonic()
        lake.start()
        shutil.copyfile(data / "stores.csv", folder / "drop" / ".stores.csv.part")
        (folder / "drop" / ".stores.csv.part").rename(folder / "drop" / "stores.csv")
        wait_for("the sales", lake, "select count(*) from shop.sales", 60)
        wait_for("the stores", lake, "select count(*) from stores", 60)
        print("sales and stores are in the lake; training and judging 12 models ...", flush=True)
        wait_for("the back-test", lake, "select count(*) from juice_backtest", 300)
        show(lake, begun)
    finally:
        lake.stop()
        database.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
