"""Transactions that break followers of a database's log, made from a seed, and the comparison of both sides.

    nasty = NastyTransactions(pg, seed=7)
    nasty.create()
    nasty.run(200)                     # transactions
    differences(pg, lake_rows, nasty.tables())   # [] when the lake equals the source

Money moves between `accounts` and `ledger` so that sum(balance) = sum(amount) after every transaction: whoever shows half of
one breaks the sum. `lake_rows(sql)` answers a query of the lake with tuples.
"""
import decimal
import hashlib
import random

INVARIANT = "SELECT (SELECT coalesce(sum(balance), 0) FROM erp.accounts) - (SELECT coalesce(sum(amount), 0) FROM erp.ledger)"
TABLES = ["accounts", "ledger", "swaps", "wide", "pairs", "whole", "lines", "shape"]

SCHEMA = """
CREATE TABLE accounts (id int PRIMARY KEY, owner text NOT NULL, balance numeric(18,2) NOT NULL, note text);
CREATE TABLE ledger (id bigserial PRIMARY KEY, account int, amount numeric(18,2) NOT NULL, booked timestamptz DEFAULT now());
CREATE TABLE swaps (k int PRIMARY KEY, v text);
CREATE TABLE wide (id int PRIMARY KEY, big text, doc jsonb, small int);
ALTER TABLE wide ALTER big SET STORAGE EXTERNAL;
CREATE TABLE pairs (a int, b text, n int, PRIMARY KEY (a, b));
CREATE TABLE whole (x int, y text);
ALTER TABLE whole REPLICA IDENTITY FULL;
CREATE TABLE lines (n int, line text);
CREATE TABLE shape (id int PRIMARY KEY, c0 int);
INSERT INTO accounts SELECT g, 'owner ' || g, 100, repeat('n', g) FROM generate_series(1, 50) g;
INSERT INTO ledger (account, amount) SELECT g, 100 FROM generate_series(1, 50) g;
INSERT INTO swaps SELECT g, 'v' || g FROM generate_series(1, 20) g;
INSERT INTO wide SELECT g, repeat(md5(g::text), 300), jsonb_build_object('g', g), g FROM generate_series(1, 20) g;
INSERT INTO shape VALUES (1, 1);
"""


class NastyTransactions:
    def __init__(self, pg, seed, ddl=True, truncate=True):
        self.pg = pg
        self.random = random.Random(seed)
        self.count = 0
        self.next_account = 1000
        self.next_column = 1
        self.columns = ["c0"]  # of shape
        self.kinds = [self.transfer] * 6 + [self.open_account] * 2 + [self.close_account] * 2 + [
            self.swap_keys, self.rotate_keys, self.undone_savepoint, self.unchanged_toast, self.changed_toast, self.pair_keys,
            self.whole_rows, self.add_line, self.rolled_back, self.prepared, self.many_rows, self.insert_and_delete, self.touch_shape]
        if truncate:
            self.kinds.append(self.truncate)
        if ddl:
            self.kinds += [self.change_shape] * 2

    def create(self):
        self.pg.run(SCHEMA)

    @staticmethod
    def tables():
        return TABLES

    def run(self, transactions, connection=None):
        own = connection or self.pg.connect()
        try:
            for _ in range(transactions):
                self.count += 1
                self.random.choice(self.kinds)(own)
        finally:
            if connection is None:
                own.close()

    # -- one transaction each -----------------------------------------------------------------------------------------

    def _do(self, connection, *statements):
        with connection.transaction():
            for statement in statements:
                connection.execute(statement)

    def _amount(self):
        return decimal.Decimal(self.random.randint(-5000, 5000)) / 100

    def _account(self):
        return self.random.randint(1, 50)

    def _move(self, account, amount):
        return (f"UPDATE accounts SET balance = balance + {amount} WHERE id = {account}",
                f"INSERT INTO ledger (account, amount) SELECT id, {amount} FROM accounts WHERE id = {account}")

    def transfer(self, connection):
        amount = self._amount()
        self._do(connection, *self._move(self._account(), amount), *self._move(self._account(), -amount))

    def open_account(self, connection):
        self.next_account += 1
        amount = self._amount()
        self._do(connection, f"INSERT INTO accounts VALUES ({self.next_account}, 'new', {amount}, NULL)",
                 f"INSERT INTO ledger (account, amount) VALUES ({self.next_account}, {amount})")

    def close_account(self, connection):
        self._do(connection, "CREATE TEMP TABLE gone ON COMMIT DROP AS SELECT id, balance FROM accounts WHERE id > 1000 "
                 f"ORDER BY md5(id::text || '{self.count}') LIMIT 1",
                 "INSERT INTO ledger (account, amount) SELECT id, -balance FROM gone",
                 "DELETE FROM accounts WHERE id IN (SELECT id FROM gone)")

    def swap_keys(self, connection):
        a, b = self.random.sample(range(1, 21), 2)
        self._do(connection, f"UPDATE swaps SET k = -1 WHERE k = {a}", f"UPDATE swaps SET k = {a} WHERE k = {b}",
                 f"UPDATE swaps SET k = {b} WHERE k = -1")

    def rotate_keys(self, connection):
        self._do(connection, "UPDATE swaps SET k = -k", "UPDATE swaps SET k = CASE WHEN k = -20 THEN 1 ELSE 1 - k END WHERE k < 0")

    def undone_savepoint(self, connection):
        with connection.transaction():
            for statement in self._move(self._account(), self._amount()):
                connection.execute(statement)
            connection.execute("SAVEPOINT a")
            connection.execute(f"UPDATE accounts SET balance = balance + 1 WHERE id = {self._account()}")
            connection.execute("INSERT INTO swaps SELECT g, 'undone' FROM generate_series(5000, 5800) g")
            connection.execute("SAVEPOINT b")
            connection.execute("DELETE FROM wide")
            connection.execute("RELEASE b")
            connection.execute("ROLLBACK TO a")
            connection.execute(f"UPDATE swaps SET v = 'after {self.count}' WHERE k = 3")

    def unchanged_toast(self, connection):
        self._do(connection, f"UPDATE wide SET small = small + 1 WHERE id % 3 = {self.random.randint(0, 2)}",
                 f"UPDATE wide SET id = id + 100 WHERE id = {self.random.randint(1, 20)} AND NOT EXISTS "
                 "(SELECT FROM wide w WHERE w.id = wide.id + 100)")

    def changed_toast(self, connection):
        one = self.random.randint(1, 120)
        self._do(connection, f"INSERT INTO wide VALUES ({one}, repeat('x', 9000), NULL, 0) ON CONFLICT (id) DO UPDATE SET big = "
                 f"repeat(md5('{self.count}'), {self.random.randint(1, 500)})", f"UPDATE wide SET small = 7 WHERE id = {one}")

    def pair_keys(self, connection):
        a, b = self.random.randint(1, 9), self.random.choice("pqr")
        self._do(connection, f"INSERT INTO pairs VALUES ({a}, '{b}', 1) ON CONFLICT (a, b) DO UPDATE SET n = pairs.n + 1",
                 f"UPDATE pairs SET a = a + 10 WHERE a = {a} AND NOT EXISTS (SELECT FROM pairs p WHERE p.a = {a + 10})",
                 "DELETE FROM pairs WHERE a > 15")

    def whole_rows(self, connection):
        x = self.random.randint(1, 5)
        self._do(connection, f"INSERT INTO whole VALUES ({x}, 'same'), ({x}, 'same'), ({x}, NULL)",
                 f"UPDATE whole SET y = 'other' WHERE ctid = (SELECT ctid FROM whole WHERE x = {x} LIMIT 1)",
                 f"DELETE FROM whole WHERE ctid = (SELECT ctid FROM whole WHERE x = {x} ORDER BY ctid DESC LIMIT 1)")

    def add_line(self, connection):
        self._do(connection, f"INSERT INTO lines VALUES ({self.count}, 'a\\b\tc')", f"INSERT INTO lines VALUES ({self.count}, NULL)")

    def rolled_back(self, connection):
        connection.execute("BEGIN")
        connection.execute("UPDATE accounts SET balance = 0")
        connection.execute("INSERT INTO swaps SELECT g, repeat('z', 200) FROM generate_series(6000, 6500) g")
        connection.execute("ROLLBACK")

    def prepared(self, connection):
        name = f"p{self.count}"
        connection.execute("BEGIN")
        for statement in self._move(self._account(), self._amount()):
            connection.execute(statement)
        connection.execute(f"PREPARE TRANSACTION '{name}'")
        other = self.pg.connect()
        try:
            self.add_line(other)
        finally:
            other.close()
        connection.execute(f"{'COMMIT' if self.random.random() < 0.7 else 'ROLLBACK'} PREPARED '{name}'")

    def many_rows(self, connection):
        n = self.random.randint(500, 2000)
        self._do(connection, f"INSERT INTO ledger (account, amount) SELECT 1, 1 FROM generate_series(1, {n})",
                 f"UPDATE accounts SET balance = balance + {n} WHERE id = 1", f"UPDATE swaps SET v = v || '.' WHERE length(v) < 20")

    def insert_and_delete(self, connection):
        self._do(connection, "INSERT INTO swaps VALUES (900, 'short')", "UPDATE swaps SET v = 'lived' WHERE k = 900",
                 "DELETE FROM swaps WHERE k = 900", "INSERT INTO pairs VALUES (99, 'x', 1)", "DELETE FROM pairs WHERE a = 99")

    def truncate(self, connection):
        self._do(connection, "INSERT INTO pairs VALUES (50, 'before', 1) ON CONFLICT DO NOTHING", "TRUNCATE pairs, whole",
                 "INSERT INTO pairs VALUES (51, 'after', 1)")

    def touch_shape(self, connection):
        column = self.random.choice(self.columns)
        self._do(connection, f"INSERT INTO shape (id, {column}) VALUES ({self.random.randint(1, 40)}, {self.count % 1000}) ON CONFLICT (id) "
                 f"DO UPDATE SET {column} = {self.count % 1000}")

    def change_shape(self, connection):
        """In one transaction with rows before and after it."""
        kind = self.random.choice(["add", "rename", "drop", "widen"])
        before = f"INSERT INTO shape (id) VALUES ({1_000_000 + 2 * self.count})"
        columns = list(self.columns)  # after it
        if kind == "add" or len(self.columns) < 2:
            name = f"c{self.next_column}"
            self.next_column += 1
            step = f"ALTER TABLE shape ADD COLUMN {name} int" + self.random.choice(["", f" DEFAULT {self.count}"])
            columns.append(name)
        else:
            old = self.random.choice(self.columns)
            if kind == "rename":
                name = f"c{self.next_column}"
                self.next_column += 1
                step = f"ALTER TABLE shape RENAME COLUMN {old} TO {name}"
                columns[columns.index(old)] = name
            elif kind == "drop":
                step = f"ALTER TABLE shape DROP COLUMN {old}"
                columns.remove(old)
            else:
                step = f"ALTER TABLE shape ALTER COLUMN {old} TYPE bigint"
        column = self.random.choice(columns)
        self._do(connection, before, step, f"INSERT INTO shape (id, {column}) VALUES ({1_000_001 + 2 * self.count}, {self.count})")
        self.columns = columns


def columns_of(pg, table):
    return [row[0] for row in pg.rows("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT "
                                      "attisdropped ORDER BY attnum", (table,))]


def digest(rows):
    """Of the rows in any order."""
    texts = sorted("|".join("~" if value is None else str(value) for value in row) for row in rows)
    return len(texts), hashlib.sha256("\n".join(texts).encode()).hexdigest()


def differences(pg, lake_rows, tables):
    """What differs, in words; json as text, since the lake keeps it so."""
    out = []
    for table in tables:
        columns = columns_of(pg, table)
        types = dict(pg.rows("SELECT attname, atttypid::regtype::text FROM pg_attribute WHERE attrelid = %s::regclass", (table,)))
        there = pg.rows(f"SELECT {', '.join(c + '::text' if types[c] == 'jsonb' else c for c in columns)} FROM {table}")
        try:
            here = lake_rows(f"SELECT {', '.join(columns)} FROM erp.{table}")
        except Exception as problem:  # the column is not there yet
            out.append(f"{table}: {str(problem).splitlines()[0]}")
            continue
        if digest(there) != digest(here):
            missing = set(map(str, there)) - set(map(str, here))
            extra = set(map(str, here)) - set(map(str, there))
            out.append(f"{table}: {len(there)} rows there, {len(here)} here; missing {sorted(missing)[:2]}, "
                       f"too many {sorted(extra)[:2]}"[:600])
    return out
