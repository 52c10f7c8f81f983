"""Models from outside: a lakefile, sales and levels filled by SQL, forecasts, back-test, risk, and what is in use."""
import contextlib
import subprocess
import time

import psycopg2
import pytest

from lake_api import api, until
from tarn_server import TarnServer, binary

LAKEFILE = """
lake: models_test
timezone: America/Bogota
models:
  demand:
    forecast: {of: daily_sales.units, per: [store_id, product_id], ahead: 14d}
    features: [promo, calendar(CO)]
    parameters: {trees: 40, eta: 0.2, max_depth: 4}
  risk:
    stock_out: {on_hand: levels.units, place: shelf_id, demand: demand, incoming: deliveries}
    refresh: on_change
"""

SALES = """
create table daily_sales as
select (date '2026-02-20' + d::int) as day, s::int as store_id, 7 as product_id,
       round((20 + 8 * s) * (1 + 0.5 * sin(2 * pi() * d / 7)) * (case when (d // 5 + s) % 4 = 0 then 1.8 else 1 end)
             * (1 + 0.08 * sin(d * 12.9898 + s * 78.233)))::bigint as units,
       (case when (d // 5 + s) % 4 = 0 then 1 else 0 end)::int as promo
from generate_series(0, 149) t(d), generate_series(1, 4) u(s)"""

LEVELS = """
create table levels as
select s::int as shelf_id, s::int as store_id, 7 as product_id,
       timestamptz '2026-07-18 00:00:00-05' + interval 1 hour * h as read_at,
       greatest(1, case s when 1 then 45 - h else 400 - h end)::int as units
from generate_series(0, 42) t(h), generate_series(1, 4) u(s)"""


def connect(server):
    return server.connect()


def ask(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


def answer(connection, sql):
    """Rows, or nothing while the table is not there yet."""
    try:
        return ask(connection, sql)
    except psycopg2.errors.UndefinedTable:
        return None


def apply(server, lakefile):
    environment = dict(server.client_env(), TARN_ENDPOINT="http://" + server.ready["http"])
    done = subprocess.run([str(binary()), "apply", str(lakefile), "--yes"], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def lake(tarn_binary, tmp_path):
    lakefile = tmp_path / "lake.yaml"
    lakefile.write_text(LAKEFILE)
    server = TarnServer()
    try:
        server.start()
        with contextlib.closing(connect(server)) as connection:
            ask(connection, "create table deliveries (delivery_id bigint, shelf_id int, due_at timestamptz, delivered_at timestamptz, units int)")
            ask(connection, SALES)
            ask(connection, LEVELS)
            ask(connection, "insert into deliveries values (1, 1, '2026-07-20 06:00:00-05', null, 50)")
        apply(server, lakefile)
        yield server
    finally:
        server.close()


def test_sales_become_a_forecast_and_a_risk(lake):
    with contextlib.closing(connect(lake)) as connection:
        until(lambda: answer(connection, "select min(day)::text, max(day)::text, count(*) from demand") ==
                          [("2026-07-19", "2026-08-01", 56)])
        # Anybody can repeat the figures that promoted the version.
        ours, seasonal = ask(connection, """select 100 * sum(abs(forecast - actual)) / sum(actual),
                                                   100 * sum(abs(seasonal_naive - actual)) / sum(actual) from demand_backtest""")[0]
        assert ours < seasonal
        until(lambda: answer(connection, "select count(*) from risk where state in ('ok', 'at_risk')") == [(4,)])
        worst = ask(connection, "select shelf_id, state, p_empty > 0.8, hours_to_empty < 8, reasons from risk order by p_empty desc limit 1")[0]
        assert worst[:4] == (1, "at_risk", True, True), worst
        versions = api(lake, "GET", "/api/v1/models/demand")["versions"]
        assert [v["version"] for v in versions] == [1] and versions[0]["promoted"] and versions[0]["current"]
        wape = {score["method"]: score["wape"] for score in versions[0]["back_test"]["total"]}
        assert abs(wape["model"] - ours) < 1e-6 and abs(wape["seasonal_naive"] - seasonal) < 1e-6
        assert api(lake, "PUT", "/api/v1/models/demand/current", {"version": 1})["current"]
        # The shelf is filled: the risk is over within moments.
        began = time.monotonic()
        ask(connection, "insert into levels values (1, 1, 7, '2026-07-19 19:00:00-05', 300)")
        until(lambda: ask(connection, "select state from risk where shelf_id = 1") == [("ok",)])
        assert time.monotonic() - began < 10
        # A day is over: what comes is forecast anew, by the same version.
        ask(connection, "insert into daily_sales values ('2026-07-20', 1, 7, 30, 0)")
        until(lambda: ask(connection, "select min(day)::text, max(version) from demand") == [("2026-07-20", 1)])


def test_a_restart_keeps_the_model(lake):
    with contextlib.closing(connect(lake)) as connection:
        until(lambda: answer(connection, "select count(*) from demand") == [(56,)])
        made = ask(connection, "select max(made_at) from demand")
    lake.kill()
    lake.start()
    with contextlib.closing(connect(lake)) as connection:
        ask(connection, "insert into daily_sales values ('2026-07-19', 2, 8, 3, 0)")  # no day is over by that
        time.sleep(2)
        assert ask(connection, "select max(made_at), max(version) from demand") == [(made[0][0], 1)]
        ask(connection, "insert into daily_sales values ('2026-07-21', 2, 7, 3, 0)")
        until(lambda: ask(connection, "select min(day)::text, max(version) from demand") == [("2026-07-20", 1)])


def sell(connection, day):
    ask(connection, f"insert into daily_sales select date '{day}', s::int, 7, 25 + 10 * s + day(date '{day}'), 0 from generate_series(1, 4) u(s)")


def test_what_came_of_forecasts_is_kept(lake):
    """Forecasts that were published, beside the sales that came later: over two days, a kill between them."""
    with contextlib.closing(connect(lake)) as connection:
        until(lambda: answer(connection, "select count(*) from demand") == [(56,)])
        assert api(lake, "GET", "/api/v1/models/demand")["outcomes"] == {"total": None, "by_time": [], "by_steps_ahead": []}
        ask(connection, "create table seen_1 as select * from demand")
        sell(connection, "2026-07-20")
        until(lambda: answer(connection, "select day::text, steps_ahead, forecasts from demand_outcomes") == [("2026-07-19", 1, 4)])
        ask(connection, "create table seen_2 as select * from demand")
    lake.kill()
    lake.start()
    with contextlib.closing(connect(lake)) as connection:
        sell(connection, "2026-07-21")
        until(lambda: ask(connection, "select count(*) from demand_outcomes") == [(3,)])
        told = ask(connection, "select day::text, steps_ahead, mae, wape, seasonal_naive_mae, coverage from demand_outcomes order by 1, 2")
        ours = ask(connection, """
            with seen as (select *, (day - date '2026-07-18')::int as ahead from seen_1 union all select *, (day - date '2026-07-19')::int from seen_2)
            select f.day::text, f.ahead, avg(abs(f.units - s.units)), 100 * sum(abs(f.units - s.units)) / sum(s.units),
                   avg(abs(b.units - s.units)), 100 * avg((s.units between f.p10 and f.p90)::int)
            from seen f join daily_sales s using (day, store_id) join daily_sales b on b.day = f.day - 7 and b.store_id = f.store_id
            where f.day <= '2026-07-20' group by 1, 2 order by 1, 2""")
        assert [row[:2] for row in told] == [("2026-07-19", 1), ("2026-07-20", 1), ("2026-07-20", 2)]
        for mine, theirs in zip(ours, told):
            assert [float(one) for one in mine[1:]] == pytest.approx([float(one) for one in theirs[1:]])
        outcomes = api(lake, "GET", "/api/v1/models/demand")["outcomes"]
        assert outcomes["total"]["forecasts"] == 12
        assert outcomes["total"]["mae"] == pytest.approx(sum(float(row[2]) for row in told) / 3)
        assert [one["time"] for one in outcomes["by_time"]] == ["2026-07-19", "2026-07-20"]
        assert [one["forecasts"] for one in outcomes["by_steps_ahead"]] == [8, 4]
    environment = dict(lake.client_env(), TARN_ENDPOINT="http://" + lake.ready["http"])
    shown = subprocess.run([str(binary()), "models", "versions", "demand"], capture_output=True, text=True, env=environment, timeout=60)
    assert f"as it came true, 2026-07-19 to 2026-07-20: error {outcomes['total']['wape']:.1f} % wape" in shown.stdout, shown.stdout + shown.stderr
