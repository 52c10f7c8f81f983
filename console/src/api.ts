// The server's API as the console uses it: what an answer looks like, and one way to ask.

export type Cell = string | number | boolean | null;
export type Role = "value" | "x" | "measure" | "forecast" | "low" | "high" | "label" | "latitude" | "longitude" | "series" | "trend";

export interface Column {
  name: string;
  type: string;
  role: Role;
  of?: string;
}

export interface Problem {
  code: string;
  message: string;
}

export interface TableAsOf {
  name: string;
  snapshot_id: string;
  at?: string;
}

export interface Chart {
  title: string;
  kind: "number" | "line" | "bar" | "table" | "map" | "area" | "stacked" | "scatter" | "heatmap";
  width?: "" | "third" | "half" | "full";
  from?: string;
  where?: string; // of its rows, beside the page's filters
  by?: string;
  split?: string;
  unit: string;
  milliseconds: number;
  from_cache: boolean;
  tables: TableAsOf[];
  error?: Problem;
  columns?: Column[];
  rows?: Cell[][];
  truncated?: boolean;
  filters_ignored?: string[];
  notes?: string[];
}

export interface FilterChoice {
  name: string;
  values: string[];
  selected: string[];
  more: boolean;
}

export interface Dashboard {
  name: string;
  title: string;
  filters: FilterChoice[];
  charts: Chart[];
  milliseconds: number;
  at: string;
}

export interface DashboardName {
  name: string;
  title: string;
}

export interface Me {
  user: string;
  roles: string[];
  csrf_token?: string;
  lake: string; // of the lakefile; empty before one is applied
}

export interface OpenAlert {
  rule: string;
  id: string;
  key: Record<string, Cell>;
  row: Record<string, Cell>;
  since: string;
  told: string | null;
  silenced_until: string | null;
}

export interface AlertEvent {
  kind: string;
  at: string;
  id: string;
  key: Record<string, Cell>;
}

export interface Alerts {
  alerts: { rule: string; open: number; error: string }[];
  open: OpenAlert[];
}

export interface SourceTable {
  table: string;
  rows: number;
  rows_rejected: number;
  last_commit: string | null;
  newest?: string | null;
  last_error: string;
  paused?: string; // why no changes of it are taken
}

export interface Source {
  name: string;
  kind: string;
  state: string;
  last_error: string;
  tables: SourceTable[];
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

let csrf_token = "";
export function use_csrf_token(token: string | undefined): void {
  csrf_token = token ?? "";
}

let unauthenticated: () => void = () => undefined;
/** Who is told when the server answers 401 (session.ts). */
export function on_unauthenticated(told: () => void): void {
  unauthenticated = told;
}

/** Asks the API; throws ApiError. Status 0: the server could not be reached. */
export async function ask<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (method !== "GET" && csrf_token) headers["x-csrf-token"] = csrf_token;
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      credentials: "same-origin",
      ...(signal ? { signal } : {}),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    if (signal?.aborted) throw new ApiError(0, "cancelled", "The question was called back.");
    throw new ApiError(0, "unavailable", "The server cannot be reached.");
  }
  let text: string;
  try {
    text = await response.text();
  } catch {
    if (signal?.aborted) throw new ApiError(0, "cancelled", "The question was called back.");
    throw new ApiError(0, "unavailable", "The answer broke off.");
  }
  let answer: unknown = null;
  try {
    answer = text ? JSON.parse(text) : null;
  } catch {
    /* not ours: the status says enough */
  }
  if (!response.ok) {
    if (response.status === 401) unauthenticated();
    const error = (answer as { error?: Partial<Problem> } | null)?.error;
    throw new ApiError(response.status, error?.code ?? "internal", error?.message ?? `The server answered ${response.status}.`);
  }
  return answer as T;
}

export interface SqlAnswer {
  columns: { name: string; type: string }[];
  rows: Cell[][];
  tag: string;
}
/** Runs one SQL statement as the viewer and reads all of its rows: for small answers. */
export const ask_sql = (sql: string, database = "main", signal?: AbortSignal): Promise<SqlAnswer> =>
  ask<SqlAnswer>("POST", "/api/v1/sql", { sql, database }, signal);

/** A path of encoded segments: path_of("/api/v1/catalog", "erp", "sales"). */
export const path_of = (base: string, ...segments: string[]): string =>
  base + segments.map((segment) => "/" + encodeURIComponent(segment)).join("");

/** SQL's quoted name and text: the only two ways a screen puts words of others into a statement. */
export const sql_name = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const sql_text = (text: string): string => `'${text.replaceAll("'", "''")}'`;
