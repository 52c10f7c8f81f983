"""Counts every hop of the way, at its source and in the lake, each with the query that anyone can repeat."""
from lake import Refused


class Hop:
    def __init__(self, what, source_query, source, lake_query, lake):
        self.what, self.source_query, self.source, self.lake_query, self.lake = what, source_query, source, lake_query, lake

    @property
    def equal(self):
        return self.source == self.lake


def plain(value):
    """A number as Python has it, whatever the wire made of it."""
    return int(value) if isinstance(value, (int, float)) or str(value).lstrip("-").isdigit() else value


def count_hops(lake, company, scales, world, receiver):
    hops = []

    def add(what, source_query, source, lake_query):
        try:
            found = plain(lake.sql(lake_query)[0][0])
        except (Refused, OSError) as error:
            found = str(error)
        hops.append(Hop(what, source_query, plain(source), lake_query, found))

    for table in ("stores", "products", "customers", "shelf_map", "deliveries"):
        query = f"select count(*) from {table}"
        add(f"erp.{table}", query, company.value(query), f"select count(*) from erp.{table}")
    query = "select count(*) from deliveries where delivered_at is not null"
    add("erp.deliveries done", query, company.value(query), query.replace("deliveries", "erp.deliveries", 1))
    query = "select count(*) from sales"
    add("erp.sales", query, company.value(query), "select count(*) from erp.sales")
    query = "select sum(amount) from sales"
    add("erp.sales, money", query, company.value(query), "select sum(amount) from erp.sales")
    told = world.state["readings_told"] + world.state["hours_told"] * company.value("select count(*) from shelf_map")
    add("shelves", "readings acknowledged (PUBACK)", told, "select count(*) from shelves")
    add("shelves, keys", "readings acknowledged (PUBACK)", told,
        "select count(*) from (select distinct shelf_id, seq from shelves)")
    good, bad = world.weather_lines()
    add("weather", "lines of drop/weather/*.csv", good, "select count(*) from weather")
    if bad:  # the table comes with its first row
        add("weather_rejected", "lines that are no weather", bad, "select count(*) from weather_rejected")
    add("holidays", "lines of drop/holidays/*.jsonl", world.holidays(), "select count(*) from holidays")
    add("levels", "readings acknowledged (PUBACK)", told, "select count(*) from levels")
    query = "select sum(units) from sales"
    add("daily_sales, units", query, company.value(query), "select sum(units) from daily_sales")
    query = "select count(*) from shelf_map"
    add("risk", query, company.value(query), "select count(*) from risk")
    return hops


def print_hops(hops):
    width = max(len(hop.what) for hop in hops)
    print(f"\n{'':4}{'hop':<{width}}  {'at the source':>15}  {'in the lake':>15}")
    for hop in hops:
        mark = "ok " if hop.equal else "!! "
        print(f"{mark} {hop.what:<{width}}  {hop.source:>15,}  {hop.lake if isinstance(hop.lake, str) else format(hop.lake, ','):>15}")
        print(f"      source: {hop.source_query}\n      lake:   {hop.lake_query}")
    print(flush=True)
