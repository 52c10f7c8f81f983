"""Real sales as the transactions of a shop: each invoice is inserted, some are corrected later, and an invoice whose number begins
with C takes earlier sales back: wholly (a deletion) or in part (an update). It keeps what it did, to compare with.

    replay = RetailReplay(pg)
    replay.create()
    replay.run(lines)       # dictionaries, as csv.DictReader gives them
    replay.rows, replay.log # what the table holds, by key; each change in order: (operation, before, after)
"""
import collections
import datetime
import decimal
import itertools


class RetailReplay:
    COLUMNS = ["line", "invoice", "stock", "description", "quantity", "sold", "price", "customer", "country"]

    def __init__(self, pg):
        self.pg = pg
        self.rows, self.log, self.transactions = {}, [], 0
        self.sales = collections.defaultdict(list)  # (customer, stock): keys of its sales, oldest first

    def create(self):
        self.pg.run("CREATE TABLE sales (line int PRIMARY KEY, invoice text NOT NULL, stock text, description text, quantity int, "
                    "sold timestamp, price numeric(12,3), customer text, country text)")

    def run(self, lines):
        rows = (self._row(number, line) for number, line in enumerate(lines, 1))
        recent = collections.deque()
        with self.pg.connect() as connection, connection.cursor() as cursor:
            for number, (invoice, group) in enumerate(itertools.groupby(rows, key=lambda row: row[1])):
                work = self._cancel(list(group)) if invoice.startswith("C") else self._sell(list(group), recent)
                self._transaction(connection, cursor, work)
                if number % 7 == 6:
                    self._transaction(connection, cursor, self._correct(recent.popleft()))

    def counts(self):
        return sorted(collections.Counter(kind for kind, _, _ in self.log).items())

    # -- what one transaction does: (statement, parameters) ---------------------------------------------------------------

    def _sell(self, group, recent):
        recent.append([row[0] for row in group])
        for row in group:
            self.sales[row[7], row[2]].append(row[0])
            self._tell("I", row)
        return [(f"INSERT INTO sales VALUES ({', '.join(['%s'] * len(self.COLUMNS))})", group)]

    def _cancel(self, group):
        work = []
        for row in group:
            back = -row[4]
            found = next((key for key in reversed(self.sales[row[7], row[2]]) if self.rows[key][4] >= back > 0), None)
            if found is None:
                continue  # sold before the data begins
            if self.rows[found][4] == back:
                self.sales[row[7], row[2]].remove(found)
                self._tell("D", self.rows[found])
                work.append(("DELETE FROM sales WHERE line = %s", [(found,)]))
            else:
                self._change(found, {4: self.rows[found][4] - back})
                work.append(("UPDATE sales SET quantity = quantity - %s WHERE line = %s", [(back, found)]))
        return work

    def _correct(self, keys):
        """An invoice's prices rise by a tenth of a penny, and its texts are tidied."""
        keys = [key for key in keys if key in self.rows]
        for key in keys:
            row = self.rows[key]
            self._change(key, {6: row[6] + decimal.Decimal("0.001"), 3: None if row[3] is None else row[3].lower()})
        return [("UPDATE sales SET price = price + 0.001, description = lower(description) WHERE line = %s", [(key,) for key in keys])]

    # -- inside -------------------------------------------------------------------------------------------------------

    def _transaction(self, connection, cursor, work):
        work = [(statement, parameters) for statement, parameters in work if parameters]
        if not work:
            return
        self.transactions += 1
        with connection.transaction():
            for statement, parameters in work:
                cursor.executemany(statement, parameters)

    def _tell(self, kind, row):
        self.log.append((kind, None if kind == "I" else row, row if kind == "I" else None))
        if kind == "I":
            self.rows[row[0]] = row
        else:
            del self.rows[row[0]]

    def _change(self, key, values):
        before = self.rows[key]
        after = tuple(values.get(place, value) for place, value in enumerate(before))
        self.rows[key] = after
        self.log.append(("U", before, after))

    @staticmethod
    def _row(number, line):
        return (number, line["InvoiceNo"], line["StockCode"], line["Description"] or None, int(line["Quantity"]),
                datetime.datetime.fromisoformat(line["InvoiceDate"]), decimal.Decimal(line["UnitPrice"]).quantize(decimal.Decimal("0.001")),
                line["CustomerID"] or None, line["Country"])
