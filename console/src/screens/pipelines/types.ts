// What the API says of the pipeline (docs/api.md).

export interface RunInput {
  table: string;
  before: string | null;
  now: string | null;
}

export interface Run {
  step: string;
  run: number;
  cause: string;
  outcome: string;
  started: string;
  ended: string | null;
  mode: string;
  error: string;
  inputs: RunInput[];
  output_snapshot: string | null;
  // Only for who sees all of the tables behind it.
  rows_read?: number;
  rows_written?: number;
  rows_set_aside?: number;
  bytes_written?: number;
  warnings?: string[];
  log?: { at: string; text: string }[];
}

export type Kind = "source" | "table" | "model" | "alert" | "dashboard" | "by hand";

export interface Step {
  step: string;
  kind: Kind;
  state: string;
  table: string | null;
  inputs: string[];
  blocked_by: string;
  waits_for: string;
  failures: number;
  next: string | null;
  last: Run | null;
  progress?: { what: string; done: number; total: number };
  checks?: number;
  schedule?: string;
}

export interface SourceTable {
  table: string;
  last_commit: string | null;
  last_error: string;
  rows?: number;
  rows_rejected?: number;
  note?: string;
  paused?: string;
}

/** Of a database that is followed by its log. */
export interface Capture {
  changes_per_second: number;
  lag_bytes: number;
  lag_seconds: number;
  retained_bytes: number;
}

export interface Source {
  name: string;
  kind: string;
  state: string;
  last_error: string;
  tables: SourceTable[];
  capture?: Capture;
  /** What the last comparison found; null before the first. */
  verified?: { running: boolean } | null;
}

export interface Graph {
  sources: Source[];
  steps: Step[];
  dashboards: { name: string; title: string; tables: string[] }[];
  quiescent: boolean;
  at: string;
}

export interface Definition {
  sql?: string;
  key?: string[];
  schedule?: string;
  partition?: string;
  description?: string;
  checks?: { check: string; consequence: string }[];
  when?: string;
  while?: string;
  [other: string]: unknown;
}

export interface StepDetail extends Step {
  readers: string[];
  definition: Definition | null;
  definition_hidden: boolean;
  ranges: boolean;
}

/** Milliseconds that a run took; null: it is not over. */
export function took(run: Run): number | null {
  return run.ended === null ? null : Date.parse(run.ended) - Date.parse(run.started);
}

/** "tables.erp.sums" -> "erp.sums": a step as people call it. */
export const short_name = (step: string): string => step.replace(/^(tables|models|alerts)\./, "");
export const step_path = (step: string): string => `/pipelines/${encodeURIComponent(step)}`;
export const run_path = (step: string, run: number): string => `${step_path(step)}/${run}`;
/** "main.levels" -> its page in the catalog. */
export function table_path(table: string): string {
  const dot = table.indexOf(".");
  return `/catalog/${encodeURIComponent(table.slice(0, dot))}/${encodeURIComponent(table.slice(dot + 1))}`;
}
/** "main.levels" is called levels. */
export const table_name = (table: string): string => table.replace(/^main\./, "");
