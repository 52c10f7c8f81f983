// What stands in each column: computed when it is asked for, of the rows that the viewer sees.

import { useState } from "preact/hooks";
import { ask } from "../../api";
import { as_number, exact_day, exact_time, milliseconds, number } from "../../format";
import { use_live } from "../../live";
import { Answered, Button, Card, Count, Dialog, Empty, Table } from "../../ui";
import type { ColumnProfile, ProfileAnswer } from "./shapes";

export function ProfileTab({ base, snapshot }: { base: string; snapshot: string | null }) {
  const query = snapshot ? `?snapshot=${snapshot}` : "";
  const profile = use_live<ProfileAnswer>(`${base}/profile${query}`, { every_ms: 0 });
  const [open, set_open] = useState<ColumnProfile | null>(null);
  const [more, set_more] = useState<Record<string, ColumnProfile>>({});
  const draw = async (column: ColumnProfile) => {
    const answer = await ask<ProfileAnswer>("GET", `${base}/profile?column=${encodeURIComponent(column.name)}${snapshot ? `&snapshot=${snapshot}` : ""}`);
    if (answer.columns[0]) set_more((known) => ({ ...known, [column.name]: answer.columns[0]! }));
  };
  return (
    <Card title="Profile" aside={profile.data.value && <span class="unit">{milliseconds(profile.data.value.milliseconds)}</span>}>
      <Answered of={profile} what="profile" lines={9}>
        {(answer) =>
          answer.rows === 0 ? (
            <Empty title="No rows that you may see." />
          ) : (
            <>
              <p class="calm-note">
                Of {number(answer.rows)} rows{answer.partial ? ", the first of more" : ""}{answer.exact ? "." : "; distinct values are estimated."}
              </p>
              <Table
                label="Profile of the columns"
                word="profile"
                rows={answer.columns.map((column) => more[column.name] ?? column)}
                row_key={(column) => column.name}
                columns={[
                  {
                    name: "name",
                    title: "Column",
                    value: (column) => column.name,
                    show: (column) => (
                      <span class="profile-name">
                        <strong>{column.name}</strong>
                        <code>{column.type}</code>
                      </span>
                    ),
                  },
                  {
                    name: "values",
                    title: "Values",
                    unsorted: true,
                    value: (column) => column.top?.map((one) => one.value).join(" ") ?? "",
                    show: (column) =>
                      column.not_drawn ? (
                        <Button kind="quiet" onClick={() => void draw(column)}>
                          Draw
                        </Button>
                      ) : (
                        <button type="button" class="quiet picture" onClick={() => set_open(column)}>
                          <span class="sr-only">Figures of {column.name} </span>
                          <Picture column={column} />
                        </button>
                      ),
                  },
                  { name: "nulls", title: "Null", right: true, value: (column) => column.nulls, show: (column) => (column.nulls === 0 ? <span class="absent-value">none</span> : <span title={`${number(column.nulls)} rows`}>{percent(column.nulls / answer.rows)}</span>) },
                  { name: "distinct", title: "Distinct", right: true, value: (column) => column.distinct, show: (column) => <Count value={column.distinct} /> },
                  { name: "min", title: "Least", value: (column) => column.min, show: (column) => <Bound text={column.min} type={column.type} />, wide_from: 700 },
                  { name: "max", title: "Largest", value: (column) => column.max, show: (column) => <Bound text={column.max} type={column.type} />, wide_from: 700 },
                ]}
              />
            </>
          )
        }
      </Answered>
      {open && <Figures column={open} close={() => set_open(null)} />}
    </Card>
  );
}

function Bound({ text, type }: { text: string | null; type: string }) {
  if (text === null) return <span class="absent-value">&ndash;</span>;
  const value = /^(smallint|integer|bigint|numeric|decimal|real|double)/.test(type) ? as_number(text) : null;
  return (
    <span class="text short" title={text}>
      {value === null ? text : number(value)}
    </span>
  );
}

const percent = (share: number): string => (share < 0.001 ? "<0.1%" : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`);
const width = 148;
const height = 34;

function Picture({ column }: { column: ColumnProfile }) {
  if (column.histogram) {
    const counts = column.histogram.counts;
    const most = Math.max(...counts, 1);
    const bar = width / counts.length;
    return (
      <svg class="histogram" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
        {counts.map((count, i) => {
          const tall = count === 0 ? 0 : Math.max(1.5, (count / most) * (height - 2));
          return <rect key={i} x={i * bar + 0.5} y={height - tall} width={Math.max(1, bar - 1)} height={tall} />;
        })}
        <line x1="0" x2={width} y1={height - 0.5} y2={height - 0.5} />
      </svg>
    );
  }
  const top = column.top ?? [];
  if (top.length > 0)
    return (
      <span class="top-values">
        {top.slice(0, 3).map((one) => (
          <span key={one.value}>{one.value}</span>
        ))}
      </span>
    );
  return <span class="absent-value">{column.problem ?? "\u2013"}</span>;
}

function edge(value: number, column: ColumnProfile): string {
  if (column.histogram?.unit !== "epoch_s") return number(value);
  return column.type === "date" ? exact_day(value * 1000) : exact_time(value * 1000);
}

/** The picture's twin: the same as a table. */
function Figures({ column, close }: { column: ColumnProfile; close: () => void }) {
  const bars = column.histogram;
  const rows = bars
    ? bars.counts.map((count, i) => {
        const step = (bars.high - bars.low) / bars.counts.length;
        if (bars.each) return { value: number(bars.low + i), count, at: i };
        return { value: bars.high === bars.low ? edge(bars.low, column) : `${edge(bars.low + i * step, column)} \u2013 ${edge(bars.low + (i + 1) * step, column)}`, count, at: i };
      })
    : (column.top ?? []).map((one, at) => ({ ...one, at }));
  return (
    <Dialog title={`Values of ${column.name}`} close={close} wide>
      <div class="tall">
        <Table
          label={`Values of ${column.name}`}
          word="figures"
          rows={rows.filter((row) => row.count > 0)}
          row_key={(row) => row.at}
          columns={[
            { name: "value", title: bars ? "From \u2013 to" : "Value", value: (row) => row.at, show: (row) => <span class="text">{row.value}</span> },
            { name: "count", title: "Rows", value: (row) => row.count, show: (row) => number(row.count), right: true },
          ]}
        />
      </div>
    </Dialog>
  );
}
