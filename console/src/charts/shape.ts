// Rows of x, series and measure, as the server sends split charts, made into one column for each series.

import type { Cell, Column } from "../api";
import { as_number, plain, short_number } from "../format";

export interface Wide {
  columns: Column[];
  rows: Cell[][];
}

export function widen(columns: Column[], rows: Cell[][]): Wide {
  const series_at = columns.findIndex((column) => column.role === "series");
  if (series_at < 0) return { columns, rows };
  const measure = columns.findIndex((column) => column.role === "measure");
  const sums = new Map<string, number>();
  const lines = new Map<Cell, Map<string, Cell>>();
  for (const row of rows) {
    const series = String(row[series_at]);
    const x = row[0] ?? null;
    sums.set(series, (sums.get(series) ?? 0) + Math.abs(as_number(row[measure]) ?? 0));
    const line = lines.get(x) ?? new Map<string, Cell>();
    line.set(series, row[measure] ?? null);
    lines.set(x, line);
  }
  // The largest first: it gets the first colour, and the ground of a stack.
  const names = [...sums.keys()].sort((a, b) => sums.get(b)! - sums.get(a)!);
  return {
    columns: [columns[0]!, ...names.map((name): Column => ({ name, type: columns[measure]!.type, role: "measure" }))],
    rows: [...lines].map(([x, line]) => [x, ...names.map((name) => line.get(name) ?? null)]),
  };
}

export const colour_of = (series: number): string => `series-${series % 6} ${series >= 6 ? "second" : ""}`;

/** Round steps: 1, 2, 2.5 or 5 times a power of ten, from below the least to above the most. */
export function steps(from: number, to: number, about: number): number[] {
  const rough = (to - from) / Math.max(1, about);
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  const step = [1, 2, 2.5, 5, 10].map((k) => k * power).find((k) => k >= rough) ?? power;
  const out: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to + step * 1e-9; at += step) out.push(Math.abs(at) < step * 1e-9 ? 0 : at);
  return out;
}

/** A tick with as many digits as its step has. */
export function tick_text(at: number, ticks: number[]): string {
  const step = ticks.length > 1 ? Math.abs(ticks[1]! - ticks[0]!) : Math.abs(at) || 1;
  if (step >= 1) return short_number(at);
  return at.toFixed(Math.min(6, Math.ceil(-Math.log10(step) + 1e-9)));
}

export const label_of = (cell: Cell, column: Column): string => plain(cell, column);
