// A chart's card: its title, its rows drawn, the same rows as a table, its cost, and what went wrong.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Chart } from "../api";
import { Bars } from "./bars";
import { ago, as_number, exact_time, hours, kind_of, milliseconds, number, plain, share, words } from "../format";
import { LineChart } from "./line_chart";
import { PlaceMap } from "./place_map";
import { now } from "../live";
import { DataTable } from "./table";

export function NumberTile({ chart }: { chart: Chart }) {
  const cell = chart.rows?.[0]?.[0] ?? null;
  const column = chart.columns?.[0];
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
      <Foot chart={chart} />
    </div>
  );
}

export const is_wide = (chart: Chart): boolean => chart.kind === "table" || chart.kind === "line";

export function ChartCard({ chart, wide }: { chart: Chart; wide: boolean }) {
  const as_table = useSignal(false);
  const drawn = chart.kind !== "table" && !chart.error && (chart.rows?.length ?? 0) > 0;
  return (
    <article class={`card ${wide ? "wide" : ""}`} aria-label={chart.title}>
      <div class="card-head">
        <h2>{chart.title}</h2>
        {chart.unit && <span class="unit">{chart.unit}</span>}
        {drawn && (
          <button type="button" class="quiet" onClick={() => (as_table.value = !as_table.value)}>
            {as_table.value ? "Chart" : "Table"}
          </button>
        )}
      </div>
      <Drawing chart={chart} as_table={as_table.value} />
      <Foot chart={chart} />
    </article>
  );
}

function Drawing({ chart, as_table }: { chart: Chart; as_table: boolean }): ComponentChildren {
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
  if (chart.kind === "line") return <LineChart title={chart.title} unit={chart.unit} columns={columns} rows={rows} />;
  if (chart.kind === "bar") return <Bars title={chart.title} unit={chart.unit} columns={columns} rows={rows} />;
  return <PlaceMap title={chart.title} columns={columns} rows={rows} />;
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
