// The answers that Home asks for.

export interface CatalogTable {
  database: string;
  table: string;
  kind: "table" | "view";
  description: string;
  tags: string[];
  whole: boolean;
  columns: number;
  updated: string | null;
  made_by: { kind: "source" | "step"; name: string; how: string } | null;
  rows?: number | null;
  bytes?: number | null;
  files?: number | null;
  fresh_s?: number; // how long ago its newest change may be
  late?: boolean;
  found_columns?: string[];
}
export interface Catalog {
  tables: CatalogTable[];
  truncated: boolean;
}
export interface Run {
  step: string;
  run: number;
  outcome: string;
  started: string;
  ended: string | null;
  error: string;
}
export interface Runs {
  runs: Run[];
}
export interface AlertsNow {
  alerts: { rule: string; open: number; error: string }[];
}
export interface Growth {
  points: { at: string; bytes: number; rows: number }[];
}
export interface Usage {
  from: string;
  readers: { principal: string; times: number; refused: number; last: string; doors: { name: string; times: number }[]; what: { name: string; times: number }[] }[];
}
