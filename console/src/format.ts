// Values as people read them. Exact values stand in the hover text (see exact_time).

import type { Cell, Column } from "./api";

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const rough = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 0 });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });

export function number(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return whole.format(value);
  return Math.abs(value) >= 100 ? rough.format(value) : fine.format(value);
}
export const short_number = (value: number): string => (Math.abs(value) < 1000 ? fine.format(value) : compact.format(value));
export const share = (value: number): string =>
  value > 0 && value < 0.01 ? "<1%" : value < 1 && value > 0.99 ? ">99%" : percent.format(value);

/** A number where there is one; texts that are numbers too (beyond 2^53 they travel as texts). */
export function as_number(cell: Cell | undefined): number | null {
  if (typeof cell === "number") return cell;
  if (typeof cell === "string" && cell.trim() !== "" && Number.isFinite(Number(cell))) return Number(cell);
  return null;
}

/** Milliseconds since 1970 of the server's texts: 2026-11-21, 2026-11-21 15:04:05.123+00, ISO 8601; null: no time. */
export function as_time(cell: Cell | undefined): number | null {
  if (typeof cell !== "string" || !/^\d{4}-\d\d-\d\d/.test(cell)) return null;
  let text = cell.replace(" ", "T");
  if (/T/.test(text)) text = /[+-]\d\d$/.test(text) ? text + ":00" : /Z$|[+-]\d\d:\d\d$/.test(text) ? text : text + "Z";
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : at;
}

export const exact_time = (at: number): string => exact.format(at);
export const exact_day = (at: number): string => day.format(at);

/** "just now", "14 s ago", "3 min ago"; times to come: "in 5 h". */
export function ago(at: number, now: number): string {
  const seconds = Math.round((now - at) / 1000);
  const size = Math.abs(seconds);
  if (size < 3) return "just now";
  const text =
    size < 90 ? `${size} s` : size < 5400 ? `${Math.round(size / 60)} min` : size < 172800 ? `${Math.round(size / 3600)} h` : `${Math.round(size / 86400)} days`;
  return seconds < 0 ? `in ${text}` : `${text} ago`;
}

/** A length of time as a lakefile says it: "15 min". */
export function duration(seconds: number): string {
  const units = [
    ["day", 86_400],
    ["h", 3600],
    ["min", 60],
  ] as const;
  for (const [word, size] of units) if (seconds >= size && seconds % size === 0) return `${number(seconds / size)} ${word}${word === "day" && seconds > size ? "s" : ""}`;
  return `${number(seconds)} s`;
}

export function hours(value: number): string {
  if (value < 1) return `${Math.max(0, Math.round(value * 60))} min`;
  if (value < 72) return `${rough.format(value)} h`;
  return `${rough.format(value / 24)} days`;
}

export function milliseconds(value: number): string {
  return value < 10 ? `${value.toFixed(1)} ms` : value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(value < 10_000 ? 2 : 1)} s`;
}

/** "hours_to_empty" -> "Hours to empty", "shelf_id" -> "Shelf", "p_empty" -> "Chance empty". */
export function words(name: string): string {
  let text = name.replace(/^p_(?=[a-z])/, "chance_").replace(/_id$/, "").replace(/_at$/, "").replace(/_/g, " ").trim();
  if (text === "") text = name;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export type CellKind = "text" | "number" | "id" | "hours" | "share" | "state" | "time" | "day" | "truth";

/** How a column's cells are drawn: by its type, and by the names that the lake's own tables use. */
export function kind_of(column: Column): CellKind {
  const numeric = /^(smallint|integer|bigint|numeric|real|double)/.test(column.type);
  if (/^timestamp/.test(column.type)) return "time";
  if (column.type === "date") return "day";
  if (column.type === "boolean") return "truth";
  if (/^(state|status)$/.test(column.name)) return "state";
  if (!numeric) return "text";
  if (/^hours(_|$)/.test(column.name)) return "hours";
  if (/^p_[a-z]/.test(column.name) || /_share$/.test(column.name)) return "share";
  return /(^|_)id$/.test(column.name) ? "id" : "number";
}

/** A PostgreSQL array's text, {a,"b c"}, or a JSON array as its parts; null: neither. */
export function parts_of(text: string): string[] | null {
  if (text.startsWith("[")) {
    try {
      const parsed: unknown = JSON.parse(text);
      return Array.isArray(parsed) ? parsed.map(String) : null;
    } catch {
      return null;
    }
  }
  if (!text.startsWith("{") || !text.endsWith("}")) return null;
  const parts = text.slice(1, -1).match(/"(?:[^"\\]|\\.)*"|[^,]+/g) ?? [];
  return parts.map((part) => (part.startsWith('"') ? part.slice(1, -1).replace(/\\(.)/g, "$1") : part));
}

export function plain(cell: Cell, column: Column): string {
  if (cell === null) return "\u2013";
  const kind = kind_of(column);
  const value = as_number(cell);
  if (kind === "time" || kind === "day") {
    const at = as_time(cell);
    return at === null ? String(cell) : kind === "day" ? exact_day(at) : exact_time(at);
  }
  if (value === null || kind === "text" || kind === "id" || kind === "state") {
    const text = String(cell);
    return kind === "text" ? (parts_of(text)?.join(", ") ?? text) : text;
  }
  return kind === "share" ? share(value) : kind === "hours" ? hours(value) : number(value);
}
