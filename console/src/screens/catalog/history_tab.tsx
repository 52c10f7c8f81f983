// The snapshots that are kept, what each changed, and a way back to each.

import { number } from "../../format";
import { use_live } from "../../live";
import { set_query } from "../../navigate";
import { Answered, Badge, Button, Bytes, Card, CodeBlock, Count, Empty, Sparkline, Table, Time } from "../../ui";
import type { SnapshotLine, TableAnswer } from "./shapes";

export function HistoryTab({ base, found }: { base: string; found: TableAnswer }) {
  const history = use_live<{ snapshots: SnapshotLine[]; total: number; whole: boolean }>(`${base}/snapshots?limit=500`, { tables: [`${found.database}.${found.table}`] });
  return (
    <Answered of={history} what="history">
      {(answer) => {
        const rows = [...answer.snapshots].reverse().flatMap((one) => (typeof one.rows === "number" ? [one.rows] : []));
        const oldest = answer.snapshots[answer.snapshots.length - 1];
        return (
          <>
            <Card
              title="Snapshots"
              aside={
                <span class="unit">
                  {rows.length > 1 && <Sparkline values={rows} label={`Rows over the last ${rows.length} snapshots`} width={140} />} {number(answer.snapshots.length)} of {number(answer.total)} kept
                </span>
              }
            >
              <Table
                label={`Snapshots of ${found.table}`}
                word="history"
                first={30}
                rows={answer.snapshots}
                row_key={(one) => one.id}
                empty={<Empty title="Nothing has been written yet." />}
                columns={[
                  { name: "at", title: "Made", value: (one) => one.at, show: (one) => <Time at={one.at} /> },
                  {
                    name: "operation",
                    title: "Change",
                    value: (one) => one.operation,
                    show: (one) => (
                      <>
                        <span title={operations[one.operation] ?? ""}>{one.operation}</span> {one.current && <Badge word="current" tone="good" />}
                      </>
                    ),
                  },
                  { name: "added", title: "Rows in", right: true, value: (one) => one.rows_added ?? null, show: (one) => (one.rows_added ? <span class="good-text">+{number(one.rows_added)}</span> : <span class="absent-value">&ndash;</span>) },
                  { name: "removed", title: "Rows out", right: true, value: (one) => one.rows_removed ?? null, show: (one) => (one.rows_removed ? <span class="bad-text">&minus;{number(one.rows_removed)}</span> : <span class="absent-value">&ndash;</span>) },
                  { name: "files", title: "Files", right: true, wide_from: 1200, value: (one) => one.files_added ?? null, show: (one) => file_words(one) },
                  { name: "bytes", title: "Written", right: true, wide_from: 700, value: (one) => one.bytes_added ?? null, show: (one) => <Bytes value={one.bytes_added ?? null} /> },
                  { name: "rows", title: "Rows then", right: true, wide_from: 700, value: (one) => one.rows ?? null, show: (one) => <Count value={one.rows ?? null} /> },
                  { name: "id", title: "Snapshot", wide_from: 1200, value: (one) => one.id, show: (one) => <code>{one.id}</code> },
                  {
                    name: "look",
                    title: "Then",
                    unsorted: true,
                    value: () => "",
                    show: (one) =>
                      one.current ? null : (
                        <Button kind="quiet" aria-label={`Show the table as it was at ${one.at}`} onClick={() => set_query({ snapshot: one.id, tab: "sample" }, true)}>
                          Show
                        </Button>
                      ),
                  },
                ]}
              />
            </Card>
            {oldest && (
              <Card title="The same in SQL">
                <CodeBlock
                  label="SQL of time travel"
                  text={`select * from ${found.database}.${found.table} at (version => ${oldest.id});\nselect * from ${found.database}.${found.table} at (timestamp => timestamp '${new Date(Date.parse(oldest.at) + 1000).toISOString().slice(0, 19).replace("T", " ")}');`}
                />
              </Card>
            )}
          </>
        );
      }}
    </Answered>
  );
}

const operations: Record<string, string> = {
  append: "Rows were added",
  overwrite: "Rows were changed: old ones taken out, new ones put in",
  delete: "Rows were taken out",
  replace: "The same rows were written into fewer files",
};

function file_words(one: SnapshotLine): string {
  const added = one.files_added ?? 0;
  const removed = one.files_removed ?? 0;
  if (added === 0 && removed === 0) return "\u2013";
  return [added > 0 ? `+${added}` : "", removed > 0 ? `\u2212${removed}` : ""].filter(Boolean).join(" ");
}
