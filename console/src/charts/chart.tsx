// A chart's card: its title, its rows drawn, the same rows as a table, its cost, and what went wrong.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Cell, Chart } from "../api";
import { Bars } from "./bars";
import { ago, as_number, exact_time, hours, kind_of, milliseconds, number, plain, share, words } from "../format";
import { Heatmap } from "./heatmap";
import { LineChart } from "./line_chart";
import { PlaceMap } from "./place_map";
import { now } from "../live";
import { address, list_word, set_query } from "../navigate";
import { Scatter } from "./scatter";
import { widen } from "./shape";
import { Stacked } from "./stacked";
import { DataTable } from "./table";
import { Sparkline } from "../ui/basic";
import { use_turn } from "../ui/turn";

export function NumberTile({ chart }: { chart: Chart }) {
  // With an axis: the newest value, how it changed, and the points before it.
  const rows = chart.rows ?? [];
  const value_at = Math.max(0, chart.columns?.findIndex((one) => one.role === "value" || one.role === "measure") ?? 0);
  const cell = rows[rows.length - 1]?.[value_at] ?? null;
  const column = chart.columns?.[value_at];
  const value = as_number(cell);
  const kind = column ? kind_of(column) : "number";
  const text = value === null ? (cell === null || !column ? "\u2013" : plain(cell, column)) : kind === "hours" ? hours(value) : kind === "share" ? share(value) : number(value);
  const tile = useRef<HTMLDivElement>(null);
  const before = useRef(text);
  useEffect(() => {
    if (before.current === text) return;
    before.current = text;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    tile.current?.animate([{ backgroundColor: "var(--flash)" }, { backgroundColor: "var(--card)" }], { duration: 1200, easing: "ease-out" });
  }, [text]);
  return (
    <div class="tile" ref={tile} role="group" aria-label={chart.title}>
      <h2>{chart.title}</h2>
      {chart.error ? (
        <Trouble chart={chart} small />
      ) : (
        <p class="value">
          {text}
          {chart.unit && <span class="unit"> {chart.unit}</span>}
        </p>
      )}
      {rows.length > 1 && !chart.error && <Change rows={rows} at={value_at} title={chart.title} before={rows[rows.length - 2]![0] ?? null} />}
      <Foot chart={chart} />
    </div>
  );
}

/** Against the point before: a sign, a word and a share, so that colour says nothing alone. */
function Change({ rows, at, title, before }: { rows: Cell[][]; at: number; title: string; before: Cell }) {
  const values = rows.flatMap((row) => as_number(row[at]) ?? []);
  const [last, previous] = [values[values.length - 1], values[values.length - 2]];
  if (last === undefined || previous === undefined) return null;
  const part = previous === 0 ? null : (last - previous) / Math.abs(previous);
  const sign = last > previous ? "\u25B2" : last < previous ? "\u25BC" : "\u25CF";
  return (
    <p class="change">
      <span title={`${number(previous)} at ${String(before)}`}>
        <span aria-hidden="true">{sign}</span> {last === previous ? "as before" : part === null ? number(Math.abs(last - previous)) : `${number(Math.abs(100 * part))}%`}
        <span class="sr-only">{last > previous ? " more than before" : last < previous ? " less than before" : ""}</span>
      </span>
      <Sparkline values={values} label={`${title}, the last ${values.length} values`} width={88} height={22} />
    </p>
  );
}

export const is_wide = (chart: Chart): boolean => ["table", "line", "area"].includes(chart.kind);

/** Narrows the page to a value of a column; absent where the page has no such filter. */
export type Choose = (column: string, value: Cell) => void;

/** `later`: it is below what is seen first, and is drawn when its turn comes. */
export function ChartCard({ chart, wide, later = false, filters = [], choose, rows_link }: { chart: Chart; wide: boolean; later?: boolean; filters?: string[]; choose?: Choose; rows_link?: string | null }) {
  const turn = use_turn(later);
  const word = `${list_word(chart.title)}.table`;
  const as_table = address.value.query.has(word);
  const drawn = chart.kind !== "table" && !chart.error && (chart.rows?.length ?? 0) > 0;
  return (
    <article class={`card ${chart.width ? `w-${chart.width}` : wide ? "wide" : ""}`} aria-label={chart.title}>
      <div class="card-head">
        <h2>{chart.title}</h2>
        {chart.unit && <span class="unit">{chart.unit}</span>}
        {rows_link && !chart.error && (
          <a class="rows-link" href={rows_link} aria-label={`Rows of ${chart.title}`}>
            Rows
          </a>
        )}
        {drawn && (
          <button type="button" class="quiet" onClick={() => set_query({ [word]: as_table ? null : "1" })}>
            {as_table ? "Chart" : "Table"}
          </button>
        )}
      </div>
      {turn ? <Drawing chart={chart} as_table={as_table} filters={filters} choose={choose} /> : <span class="ghost area" aria-busy="true" />}
      <Foot chart={chart} />
    </article>
  );
}

function Drawing({ chart, as_table, filters, choose }: { chart: Chart; as_table: boolean; filters: string[]; choose: Choose | undefined }): ComponentChildren {
  if (chart.error) return <Trouble chart={chart} />;
  const columns = chart.columns ?? [];
  const rows = chart.rows ?? [];
  if (rows.length === 0) {
    return (
      <div class="nothing" role="status">
        {chart.kind === "table" ? "No rows: nothing matches right now." : "No data yet. The chart fills as rows arrive."}
      </div>
    );
  }
  if (as_table || chart.kind === "table") return <DataTable title={chart.title} columns={columns} rows={rows} twin={as_table} />;
  const drawn = chart.kind === "heatmap" ? { columns, rows } : widen(columns, rows);
  const same = { title: chart.title, unit: chart.unit, columns: drawn.columns, rows: drawn.rows };
  const pick = choose && chart.by && filters.includes(chart.by) ? (value: Cell) => choose(chart.by!, value) : undefined;
  const pick_series = choose && chart.split && filters.includes(chart.split) ? (series: string) => choose(chart.split!, series) : undefined;
  const both_ways = { choose: pick, choose_series: pick_series };
  const joined = drawn.columns !== columns;
  if (chart.kind === "line") return <LineChart {...same} {...both_ways} joined={joined} />;
  if (chart.kind === "area") return <LineChart {...same} {...both_ways} filled joined={joined} />;
  if (chart.kind === "bar" && drawn.columns === columns) return <Bars {...same} choose={pick} />;
  if (chart.kind === "bar" || chart.kind === "stacked") return <Stacked {...same} {...both_ways} />;
  if (chart.kind === "scatter") return <Scatter {...same} choose={pick} />;
  if (chart.kind === "heatmap") {
    const both = pick || pick_series ? (x: Cell, series: string) => (pick_series ? pick_series(series) : pick?.(x)) : undefined;
    return <Heatmap {...same} choose={both} />;
  }
  const key = columns.find((column) => column.role === "label")?.name;
  return <PlaceMap title={chart.title} columns={columns} rows={rows} choose={choose && key && filters.includes(key) ? (value) => choose(key, value) : undefined} />;
}

function Trouble({ chart, small }: { chart: Chart; small?: boolean }) {
  const error = chart.error!;
  const hidden = error.code === "permission_denied";
  const absent = error.code === "not_found";
  const title = hidden ? "Not visible to you" : absent ? "Not there yet" : "This chart did not work";
  return (
    <div class={`trouble ${hidden ? "hidden-from" : absent ? "absent" : "failed"} ${small ? "small" : ""}`} role="status" title={error.message}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        {hidden ? (
          <path d="M7 11V8a5 5 0 0 1 10 0v3m-11 0h12v9H6z" />
        ) : absent ? (
          <path d="M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zm0 4v4l3 2" />
        ) : (
          <path d="M12 4 3 20h18zm0 6v5m0 2v1" />
        )}
      </svg>
      <div>
        <strong>{title}</strong>
        {!small && <p>{error.message}</p>}
      </div>
    </div>
  );
}

function Foot({ chart }: { chart: Chart }) {
  const times = chart.tables.flatMap((table) => (table.at ? [Date.parse(table.at)] : []));
  const newest = times.length > 0 ? Math.max(...times) : null;
  const about = chart.tables.map((table) => `${table.name}: ${table.at ? exact_time(Date.parse(table.at)) : "no rows yet"}`).join("\n");
  const remarks = [...(chart.filters_ignored ?? []).map((filter) => `not narrowed by ${words(filter).toLowerCase()}`), ...(chart.notes ?? [])];
  return (
    <p class="foot">
      {newest !== null && <span title={about}>{ago(newest, now.value)}</span>}
      {!chart.error && (
        <span title={chart.from_cache ? "Kept from an earlier question: no table has changed since" : "Time of the query"}>
          {milliseconds(chart.milliseconds)}
          {chart.from_cache && " · kept"}
        </span>
      )}
      {chart.truncated && <span>the first {chart.rows?.length ?? 0} rows</span>}
      {remarks.map((text) => (
        <span key={text} class="remark">
          {text}
        </span>
      ))}
    </p>
  );
}
