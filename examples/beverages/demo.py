"""The beverage company from end to end: its database, its shelf scales, a partner's files, and the lake over them.

    ./x demo                   runs until Ctrl-C; a second start goes on where it stopped
    ./x demo --once            ends when the first alert has arrived and every hop has been counted
    ./x demo --pull-the-plug   kills the server in mid-flow, starts it again, several times; then counts
    --folder DIR               where everything lives (default: demo-data)
    --fresh                    begins anew: what is in the folder goes
    --stores N, --days N       a smaller company
"""
import argparse
import os
import pathlib
import random
import shutil
import signal
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(TOP / "examples" / "lib"), str(TOP / "tests")]

from feed import Company, Scales, World  # noqa: E402
from hops import count_hops, print_hops  # noqa: E402
from lake import Lake  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402
from webhook_receiver import WebhookReceiver  # noqa: E402

SPEED = 1800  # an hour of the company takes two seconds until it has caught up with the clock
TIME_LIMIT = {"start": 240, "alert": 300, "hops": 180}  # seconds


class Stages:
    """Says what goes on, with the time since the beginning."""

    def __init__(self):
        self.begun = time.monotonic()
        self.last = ""
        self.next_tick = 0

    def say(self, text):
        print(f"[{time.monotonic() - self.begun:5.0f} s] {text}", flush=True)

    def tick(self, text):
        """Only what changed, and not more often than every few seconds."""
        if text != self.last and time.monotonic() > self.next_tick:
            self.last = text
            self.next_tick = time.monotonic() + 3
            self.say(text)


class GaveUp(Exception):
    pass


def wait_for(what, seconds, done, tick=None):
    """`done()` until it gives something. GaveUp names what was waited for."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answer = done()
        if answer:
            return answer
        if tick:
            tick()
        time.sleep(0.5)
    raise GaveUp(f"{what}: not within {seconds} s")


class Demo:
    def __init__(self, folder, stages, stores, days):
        self.folder = folder
        self.stages = stages
        self.world = World(folder, speed=SPEED, stores=stores, days=days)
        self.database = PostgresServer(folder=folder / "company-db")
        self.receiver = WebhookReceiver(secret=self.world.secret("dispatch_key"))
        self.lake = self.company = self.scales = None

    # -- start --------------------------------------------------------------------------------------------------------

    def start(self):
        say = self.stages.say
        say(f"the company: {self.world.state['stores']} stores, {self.world.state['days']} days of sales (seed {self.world.seed})")
        self.world.write_history()
        self.database.start()
        self.company = Company(self.database, self.world)
        loaded = self.company.load()
        say(f"its database: PostgreSQL on port {self.database.port}, {loaded:,} sales")
        self.receiver.start()
        self.lake = Lake(self.folder, self.lakefile(), secrets={
            "erp_url": self.company.lake_url(), "dispatch_webhook": self.receiver.url + "/dispatch",
            "dispatch_key": self.receiver.secret})
        self.lake.start()
        say(f"the lake: {self.lake.http}, declared by examples/beverages/lake.yaml")
        self.world.drop_files()
        self.scales = Scales(self.lake, self.world)
        self.scales.start(self.company, self.database)

    def lakefile(self):
        """The lakefile with its SQL beside the folder that it takes files from; yours to change and apply."""
        ours = TOP / "examples" / "beverages"
        target = self.folder / "lake.yaml"
        if not target.exists():
            shutil.copytree(ours / "sql", self.folder / "sql", dirs_exist_ok=True)
            shutil.copyfile(ours / "lake.yaml", target)
        for source in ("weather", "holidays"):
            (self.folder / "drop" / source).mkdir(parents=True, exist_ok=True)
        return target

    def first_dashboard(self):
        """Every stage in turn, until the risk of each shelf is known."""
        def tick():
            self.stages.tick(self.lake.stages_line())
        wait_for("the first rows of erp.sales", TIME_LIMIT["start"], lambda: self.lake.count("erp.sales"), tick)
        wait_for("the first readings", TIME_LIMIT["start"], lambda: self.lake.count("shelves"), tick)
        wait_for("the first forecast", TIME_LIMIT["start"], lambda: self.lake.count("demand"), tick)
        wait_for("the first risk", TIME_LIMIT["start"], lambda: self.lake.count("risk"), tick)
        self.stages.say("the first dashboard is there")

    def invite(self):
        lake = self.lake
        print(f"\nConsole      {lake.http}\nSign in      {lake.sign_in_link()}   (works once)\n")
        print("The five shelves most likely to run empty:")
        rows = lake.sql("select shelf_id, store_id, product_id, units, round(hours_to_empty, 1), round(p_empty, 2) from risk "
                        "where p_empty > 0.5 and units > 0 order by hours_to_empty limit 5")
        print("  shelf  store  product  units  hours to empty  chance")
        for row in rows:
            print("  {:>5}  {:>5}  {:>7}  {:>5}  {:>14}  {:>6}".format(*row))
        print("\nTry next:")
        for command in lake.commands(self.folder):
            print("  " + command)
        print(f"\nEverything is in {self.folder}. One second is {SPEED // 60} minutes of the company until it catches up "
              "with the clock.\n", flush=True)

    # -- the three ways to go on --------------------------------------------------------------------------------------

    def until_stopped(self):
        def tick():
            self.stages.tick(self.lake.stages_line())
        while True:
            told = {}
            for alert in self.receiver.take():
                key = alert["data"]["key"]  # of a test message it is another
                told.setdefault(alert["type"], []).append(", ".join(f"{name} {value}" for name, value in key.items()))
            for kind, keys in told.items():  # dozens at once, when the company's hours are seconds
                more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
                self.stages.say(f"{kind}: {'; '.join(keys[:3])}{more}")
            if not self.lake.alive():
                raise GaveUp("the server ended by itself; its log is " + str(self.lake.log_file))
            self.check_feed()
            tick()
            time.sleep(2)

    def first_alert(self):
        alert = wait_for("the first alert", TIME_LIMIT["alert"], self.receiver.first,
                         lambda: self.stages.tick(self.lake.stages_line()))
        self.stages.say(f"the first alert has arrived, signature checked: {alert['type']}, shelf {alert['data']['key']['shelf_id']}")

    def pull_the_plug(self, times=5):
        chance = random.Random(self.world.seed)
        for turn in range(1, times + 1):
            time.sleep(chance.uniform(2, 7))
            self.lake.kill()
            self.stages.say(f"plug pulled ({turn} of {times}): SIGKILL")
            time.sleep(chance.uniform(0, 1.5))
            begun = time.monotonic()
            self.lake.start()
            self.stages.say(f"started again in {(time.monotonic() - begun) * 1000:.0f} ms")

    def check_feed(self):
        if self.scales.trouble is not None:
            raise GaveUp(f"the company no longer tells what happens: {self.scales.trouble!r}")

    def count(self):
        """Stops the company, lets the lake catch up, compares each hop. True: no difference."""
        self.scales.pause()
        self.check_feed()
        self.stages.say("the company pauses; every hop is counted")
        hops = []

        def equal():
            hops[:] = count_hops(self.lake, self.company, self.scales, self.world, self.receiver)
            return all(hop.equal for hop in hops)
        try:
            wait_for("equal counts", TIME_LIMIT["hops"], equal)
        except GaveUp:
            pass
        print_hops(hops)
        return all(hop.equal for hop in hops)

    def stop(self):
        for part in (self.scales, self.lake, self.database, self.receiver):
            if part is not None:
                part.stop()


def parse():
    parser = argparse.ArgumentParser(prog="./x demo", description=__doc__.split("\n")[0])
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--once", action="store_true", help="end when the first alert has arrived and every hop is counted")
    way.add_argument("--pull-the-plug", action="store_true", help="kill the server in mid-flow, several times, and count")
    parser.add_argument("--folder", type=pathlib.Path, default=TOP / "demo-data")
    parser.add_argument("--fresh", action="store_true", help="begin anew")
    parser.add_argument("--stores", type=int, default=40)
    parser.add_argument("--days", type=int, default=730)
    return parser.parse_args()


def main():
    options = parse()
    folder = options.folder.resolve()
    if options.fresh and folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    os.chmod(folder, 0o755)  # PostgreSQL runs as another user when this is root
    stages = Stages()
    stages.say(f"the demo's folder: {folder}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    demo = Demo(folder, stages, options.stores, options.days)
    try:
        demo.start()
        demo.first_dashboard()
        demo.invite()
        if options.pull_the_plug:
            demo.pull_the_plug()
        if options.once or options.pull_the_plug:
            demo.first_alert()
            good = demo.count()
            stages.say("every hop is complete" if good else "there are differences")
            return 0 if good else 1
        demo.until_stopped()
    except GaveUp as reason:
        print(f"\nthe demo gave up: {reason}\nthe server's log: {folder / 'server.log'}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopping; ./x demo goes on from here", flush=True)
        return 0
    finally:
        demo.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
