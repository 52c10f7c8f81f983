// The first rows of a result as a chart, of columns that the viewer picks.

import { useEffect, useState } from "preact/hooks";
import type { Cell, Column } from "../../api";
import { Bars } from "../../charts/bars";
import { LineChart } from "../../charts/line_chart";
import { as_time } from "../../format";
import { Empty, Field, Loading } from "../../ui";
import type { Query, QueryColumn } from "./queries";

const drawn_max = 2000;
const numeric = (column: QueryColumn): boolean => /^(smallint|integer|bigint|numeric|real|double)/.test(column.type);

export interface Drawing {
  kind: "line" | "bar";
  x: number;
  measures: number[];
}

/** A time or the first column that is no number along the axis; numbers over it. */
export function guess(columns: QueryColumn[]): Drawing | null {
  let x = columns.findIndex((column) => /^(date|timestamp)/.test(column.type));
  const timed = x >= 0;
  if (x < 0) x = columns.findIndex((column) => !numeric(column));
  if (x < 0) x = 0;
  const measures = columns.flatMap((column, i) => (i !== x && numeric(column) && !/_id$/.test(column.name) ? [i] : [])).slice(0, 4);
  return measures.length === 0 ? null : { kind: timed ? "line" : "bar", x, measures };
}

export function draw_columns(columns: QueryColumn[], rows: Cell[][], how: Drawing): { columns: Column[]; rows: Cell[][] } {
  const picked = [how.x, ...how.measures];
  const out = rows.map((row) => picked.map((i) => row[i] ?? null));
  if (how.kind === "line") out.sort((a, b) => (as_time(a[0]) ?? Number(a[0])) - (as_time(b[0]) ?? Number(b[0])));
  return {
    columns: picked.map((i, at) => ({ name: columns[i]!.name, type: columns[i]!.type, role: at === 0 ? ("x" as const) : ("measure" as const) })),
    rows: how.kind === "bar" ? out.slice(0, 40) : out,
  };
}

export function QuickChart({ query }: { query: Query }) {
  const state = query.state.value!;
  const [rows, set_rows] = useState<Cell[][] | null>(null);
  const [how, set_how] = useState<Drawing | null>(() => guess(state.columns));
  useEffect(() => {
    let here = true;
    set_how(guess(state.columns));
    void query.head(drawn_max).then((answer) => here && set_rows(answer), () => here && set_rows([]));
    return () => {
      here = false;
    };
  }, [query, state.state]);
  if (how === null) return <Empty title="There is no number to draw.">A chart needs a column of numbers, and one to draw them over.</Empty>;
  if (rows === null) return <Loading what="the chart" />;
  const drawing = draw_columns(state.columns, rows, how);
  return (
    <div class="quick-chart">
      <div class="chart-words">
        <Field label="Drawn as">
          {(ids) => (
            <select {...ids} value={how.kind} onChange={(event) => set_how({ ...how, kind: event.currentTarget.value as "line" | "bar" })}>
              <option value="line">Line</option>
              <option value="bar">Bars</option>
            </select>
          )}
        </Field>
        <Field label="Over">
          {(ids) => (
            <select {...ids} value={how.x} onChange={(event) => set_how({ ...how, x: Number(event.currentTarget.value) })}>
              {state.columns.map((column, i) => (
                <option key={i} value={i}>
                  {column.name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <fieldset class="measures">
          <legend>Measures</legend>
          {state.columns.map((column, i) =>
            numeric(column) && i !== how.x ? (
              <label key={i} class="check">
                <input
                  type="checkbox"
                  checked={how.measures.includes(i)}
                  onChange={(event) => set_how({ ...how, measures: event.currentTarget.checked ? [...how.measures, i].slice(-6) : how.measures.filter((one) => one !== i) })}
                />
                {column.name}
              </label>
            ) : null,
          )}
        </fieldset>
      </div>
      {how.measures.length === 0 ? (
        <Empty title="Pick a measure." />
      ) : how.kind === "line" ? (
        <LineChart title="Result" unit="" columns={drawing.columns} rows={drawing.rows} />
      ) : (
        <Bars title="Result" unit="" columns={drawing.columns} rows={drawing.rows} />
      )}
      {state.rows > drawing.rows.length && <p class="foot">Drawn from the first {drawing.rows.length} rows.</p>}
    </div>
  );
}
