// Whether a source's database and the lake hold the same: what the last comparison found, and the next one.
import { useState } from "preact/hooks";
import { path_of } from "../../api";
import { do_ask, use_live } from "../../live";
import { Answered, Badge, Button, Card, Count, Empty, Table, Time, toast } from "../../ui";
import { table_name, table_path } from "./types";

interface TableVerdict {
  table: string;
  state: string;
  rows_source: number;
  rows_lake: number;
  rows_estimated: boolean;
  differences: number;
  repaired: number;
  note?: string;
}

interface Verdict {
  running: boolean;
  started: string | null;
  finished: string | null;
  equal: boolean;
  differences: number;
  error: string;
  tables: TableVerdict[];
}

/** `compared`: once at least. */
export function VerdictCard({ source, compared }: { source: string; compared: boolean }) {
  const path = path_of("/api/v1/sources", source, "verify");
  const [begun, set_begun] = useState(false);
  const verdict = use_live<Verdict>(compared || begun ? path : null, { every_ms: 3000 });
  const compare = async () => {
    try {
      await do_ask("POST", path, {});
      set_begun(true);
      verdict.again();
    } catch (error) {
      toast((error as Error).message, "bad");
    }
  };
  const known = verdict.data.value;
  const never = (!compared && !begun) || verdict.error.value?.status === 404;
  return (
    <Card
      title="Compared with its database"
      aside={
        <>
          {known && <VerdictBadge verdict={known} />}
          <Button onClick={() => void compare()} disabled={known?.running ?? false}>
            Compare now
          </Button>
        </>
      }
    >
      {never ? (
        <Empty title="Not compared yet.">Compares each row of the followed tables with its database, while both go on; tarn verify source does the same.</Empty>
      ) : (
        <Answered of={verdict} what="comparison">
          {(data) => (
            <>
              {data.error && <p class="problem">{data.error}</p>}
              <Table
                label="Compared tables"
                word="compared"
                columns={[
                  { name: "table", title: "Table", value: (one) => one.table, show: (one) => <a href={table_path(one.table)}>{table_name(one.table)}</a> },
                  { name: "state", title: "State", value: (one) => one.state, show: (one) => <Badge word={one.state} tone={one.differences > one.repaired ? "bad" : one.state === "equal" ? "good" : "mute"} title={one.note ?? ""} /> },
                  { name: "there", title: "Rows there", value: (one) => one.rows_source, show: (one) => <Count value={one.rows_source} />, right: true },
                  { name: "here", title: "Rows here", value: (one) => one.rows_lake, show: (one) => <Count value={one.rows_lake} />, right: true },
                  { name: "differences", title: "Differences", value: (one) => one.differences, show: (one) => <Count value={one.differences} />, right: true },
                  { name: "repaired", title: "Repaired", value: (one) => one.repaired, show: (one) => <Count value={one.repaired} />, right: true, wide_from: 700 },
                ]}
                rows={data.tables}
                row_key={(one) => one.table}
                empty={<Empty title={data.running ? "It is looking." : "No table that you can see."} />}
              />
              <p class="foot">{data.running ? <span>Began <Time at={data.started} /></span> : <span>Ended <Time at={data.finished} /></span>}</p>
            </>
          )}
        </Answered>
      )}
    </Card>
  );
}

function VerdictBadge({ verdict }: { verdict: Verdict }) {
  if (verdict.running) return <Badge word="comparing" tone="busy" />;
  if (verdict.error) return <Badge word="did not work" tone="warn" />;
  return verdict.equal ? <Badge word="equal" tone="good" /> : <Badge word={`${verdict.differences} ${verdict.differences === 1 ? "difference" : "differences"}`} tone="bad" />;
}
