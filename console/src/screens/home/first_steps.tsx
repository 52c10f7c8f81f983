// An empty lake: three ways in as lines to paste, and a sample table that ends in a chart at once.

import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { ApiError, ask_sql, type Cell } from "../../api";
import { LineChart } from "../../charts/line_chart";
import { DataTable } from "../../charts/table";
import { use_live } from "../../live";
import { Button, Card, CodeBlock, Empty, Tabs } from "../../ui";

const folder = `lake: my_lake
sources:
  sales:
    folder: drop/sales/*.csv      # a file dropped here becomes rows of main.sales`;
const mqtt = `lake: my_lake
sources:
  shelves:
    mqtt: stores/{store_id}/shelves/{shelf_id}
    columns: {store_id: int, shelf_id: int, read_at: timestamptz, grams: double}
    commit: 1s`;
const postgres = `lake: my_lake
sources:
  erp:
    postgres: \${secret:erp_url}   # tarn secrets set erp_url
    tables: [stores, products, sales]
    follow: {every: 5s, by: updated_at}`;

/** The sample's chart stays although the lake is not empty any more, until the viewer goes on. */
export const sample_shown = signal(false);
/** The table is on its way: its first rows must not take this page away. */
export const making = signal(false);
const sample_rows = signal<Cell[][] | null>(null);

export function FirstSteps({ may }: { may: string }) {
  return (
    <>
      {sample_shown.value && <Sample may={may} />}
      <Card title="First steps">
        <div class="first-steps">
          <p>
            Say in a file <code>lake.yaml</code> where rows come from, apply it, and this page fills by itself.
          </p>
          <Tabs
            label="Where rows come from"
            word="from"
            tabs={[
              { name: "folder", title: "CSV folder", show: () => <Way text={folder} name="a folder of CSV files" then={"mkdir -p drop/sales   # beside lake.yaml\ncp sales.csv drop/sales/"} /> },
              { name: "mqtt", title: "MQTT", show: () => <Way text={mqtt} name="sensors over MQTT" then={`mosquitto_pub -t stores/1/shelves/7 -m '{"read_at": "2026-01-01T12:00:00Z", "grams": 5200}'`} /> },
              { name: "postgres", title: "PostgreSQL", show: () => <Way text={postgres} name="a PostgreSQL database" before="tarn secrets set erp_url   # asks for it: postgres://reader:...@host/db" /> },
            ]}
          />
        </div>
      </Card>
      {!sample_shown.value && <Sample may={may} />}
    </>
  );
}

/** What the command line must know once: this server, and the key that the first start left beside its data. */
const who = `export TARN_ENDPOINT=${location.origin}
export AWS_SHARED_CREDENTIALS_FILE=data/root.credentials   # in the server's data folder`;

function Way({ text, name, before, then }: { text: string; name: string; before?: string; then?: string }) {
  return (
    <ol class="ways">
      <li>
        <p>
          Write <code>lake.yaml</code>:
        </p>
        <CodeBlock text={text} label={`lake.yaml for ${name}`} />
      </li>
      <li>
        <p>See what it would do, then do it:</p>
        <CodeBlock text={`${who}\n${before ? before + "\n" : ""}tarn plan lake.yaml\ntarn apply lake.yaml`} label="Commands that apply the lakefile" />
      </li>
      {then && (
        <li>
          <p>Give it something:</p>
          <CodeBlock text={then} label={`A first row for ${name}`} />
        </li>
      )}
    </ol>
  );
}

/** There are rows, and nothing is drawn of them yet. */
export function FirstChart({ tables }: { tables: { database: string; table: string; updated: string | null }[] }) {
  const dashboards = use_live<{ dashboards: unknown[] }>("/api/v1/dashboards", { every_ms: 0 });
  if (dashboards.data.value?.dashboards.length !== 0) return null;
  const newest = [...tables].sort((a, b) => ((a.updated ?? "") < (b.updated ?? "") ? 1 : -1))[0]!;
  const name = newest.database === "main" ? newest.table : `${newest.database}.${newest.table}`;
  return (
    <Card title="Next: a chart">
      <p class="calm-note">
        <a href={`/workbench/questions?${new URLSearchParams({ table: name, measure: "count" }).toString()}`}>Ask something of {name}</a> without SQL: a measure, and what to group it by. <em>Open in the editor</em>, <em>Save</em> and{" "}
        <em>Chart</em> put the answer on a dashboard.
      </p>
    </Card>
  );
}

const create = "create table main.sample_sales (day date, region text, units int)";
const fill = `insert into main.sample_sales
select current_date - 59 + i::int, r.region, (80 + 25 * sin(i / 9.0) + 30 * (extract(isodow from current_date - 59 + i::int) >= 6)::int + r.more)::int
from range(0, 60) t(i), (values ('north', 20), ('south', 0)) r(region, more)`;
const draw = `select day,
       sum(units) filter (region = 'north') as north,
       sum(units) filter (region = 'south') as south
from main.sample_sales group by day order by day`;

function Sample({ may }: { may: string }) {
  const [busy, set_busy] = useState(false);
  const [problem, set_problem] = useState("");
  const make = async () => {
    set_busy(true);
    set_problem("");
    making.value = true;
    try {
      await ask_sql(create).catch((error: unknown) => {
        if (!(error instanceof ApiError) || error.code !== "already_exists") throw error;
      });
      await ask_sql(fill);
      sample_rows.value = (await ask_sql(draw)).rows;
      sample_shown.value = true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      set_problem(error.status === 403 ? `${may || "You"} may not make a table: ask who administers the lake. (${error.message})` : error.message);
    } finally {
      making.value = false;
      set_busy(false);
    }
  };
  const rows = sample_rows.value;
  const columns = [
    { name: "day", type: "date", role: "x" as const },
    { name: "north", type: "bigint", role: "measure" as const },
    { name: "south", type: "bigint", role: "measure" as const },
  ];
  return (
    <Card title={rows === null ? "Or see it work first" : "Units sold a day, of the sample"}>
      {rows === null ? (
        <Empty title="A small table of sales, and a chart of it" action={<Button kind="primary" disabled={busy} onClick={() => void make()}>{busy ? "Making it\u2026" : "Make a sample table"}</Button>}>
          It makes main.sample_sales by three SQL statements, which are shown below. Drop it when you have seen enough.
        </Empty>
      ) : (
        <>
          <LineChart title="Units sold a day" unit="units" columns={columns} rows={rows} />
          <details>
            <summary>As a table</summary>
            <DataTable title="Units sold a day" columns={columns} rows={rows} twin />
          </details>
          <p class="foot">
            <a href="/catalog/main/sample_sales" onClick={() => (sample_shown.value = false)}>
              Open the table in the catalog
            </a>
            <Button onClick={() => (sample_shown.value = false)}>Show the lake at a glance</Button>
          </p>
        </>
      )}
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <details class="sql-details">
        <summary>The SQL</summary>
        <CodeBlock text={`${create};\n\n${fill};\n\n${draw};`} label="SQL of the sample" />
      </details>
    </Card>
  );
}
