// Rows as a table: numbers to the right, shares and hours with a bar, states with a mark and a word.

import type { Cell, Column } from "../api";
import { ago, as_number, as_time, type CellKind, exact_time, hours, kind_of, parts_of, plain, share, words } from "../format";
import { now } from "../live";
import { list_word } from "../navigate";
import { Sparkline } from "../ui/basic";
import { Table, type TableColumn } from "../ui/table";

const right = new Set<CellKind>(["number", "hours", "share"]);

/** A list (ui/table.tsx), whose word in the address is the title's. `plain`: names and values as they are stored, not as the lake's own
    tables are best read. `twin`: of a drawing; it takes the drawing's place and no more. */
export function DataTable(props: { title: string; columns: Column[]; rows: Cell[][]; twin: boolean; plain?: boolean }) {
  const columns = props.columns.map((column, i): TableColumn<Cell[]> => {
    const kind = kind_of(column);
    const cell = (row: Cell[]): Cell => row[i] ?? null;
    return {
      name: props.columns.findIndex((one) => one.name === column.name) === i ? column.name : `${column.name} ${i + 1}`,
      title: props.plain ? column.name : words(column.name),
      hint: column.name,
      right: right.has(kind),
      unsorted: column.role === "trend",
      value: (row) => (kind === "time" ? as_time(cell(row)) : right.has(kind) || kind === "id" ? (as_number(cell(row)) ?? cell(row)) : cell(row)),
      text: (row) => (cell(row) === null ? "" : `${String(cell(row))} ${plain(cell(row), column)}`),
      show: (row) => (props.plain ? <Plain cell={cell(row)} kind={kind} /> : <Value cell={cell(row)} column={column} kind={kind} />),
    };
  });
  return <Table label={`${props.title}, as a table`} word={list_word(props.title)} {...(props.rows.length > 10 ? { find: `Filter: ${props.title}` } : {})} columns={columns} rows={props.rows} row_key={(_, at) => at} height={props.twin ? 282 : 560} frame={props.twin ? "twin" : "data"} />;
}

function Plain({ cell, kind }: { cell: Cell; kind: CellKind }) {
  if (cell === null) return <span class="absent-value">null</span>;
  const at = kind === "time" ? as_time(cell) : null;
  if (at !== null)
    return (
      <time dateTime={new Date(at).toISOString()} title={exact_time(at)}>
        {String(cell)}
      </time>
    );
  return (
    <span class="text" title={String(cell)}>
      {String(cell)}
    </span>
  );
}

/** Less time is worse: the bar fills towards the moment when nothing is left. */
export function urgency(hours_left: number): "bad" | "warn" | "calm" {
  return hours_left < 4 ? "bad" : hours_left < 12 ? "warn" : "calm";
}

/** A list of numbers, newest first. */
function trend_of(cell: unknown): number[] | null {
  return Array.isArray(cell) ? cell.flatMap((one) => as_number(one as Cell) ?? []).reverse() : null;
}

function Value({ cell, column, kind }: { cell: Cell; column: Column; kind: CellKind }) {
  const trend = column.role === "trend" ? trend_of(cell) : null;
  if (trend !== null) return <Sparkline values={trend} label={`${words(column.name)}: from ${trend[0]} to ${trend[trend.length - 1]}`} />;
  if (cell === null) return <span class="absent-value">&ndash;</span>;
  const value = as_number(cell);
  if (kind === "hours" && value !== null) return <Bar text={hours(value)} part={value / 48} tone={urgency(value)} />;
  if (kind === "share" && value !== null)
    return <Bar text={share(value)} part={value} tone={value > 0.8 ? "bad" : value > 0.4 ? "warn" : "calm"} />;
  if (kind === "state") return <State word={String(cell)} />;
  if (kind === "time") {
    const at = as_time(cell);
    if (at !== null)
      return (
        <time dateTime={new Date(at).toISOString()} title={exact_time(at)}>
          {ago(at, now.value)}
        </time>
      );
  }
  if (kind === "truth") return <>{cell ? "yes" : "no"}</>;
  if (kind === "text") {
    const parts = parts_of(String(cell));
    if (parts !== null)
      return (
        <span class="parts">
          {parts.map((part, i) => (
            <span key={i}>{part}</span>
          ))}
        </span>
      );
    return (
      <span class="text" title={String(cell)}>
        {cell}
      </span>
    );
  }
  return <>{plain(cell, column)}</>;
}

function Bar({ text, part, tone }: { text: string; part: number; tone: string }) {
  return (
    <span class={`with-bar ${tone}`}>
      <span class="figure">{text}</span>
      <span class="bar-track" aria-hidden="true">
        <span class="bar-fill" style={{ width: `${Math.round(100 * Math.min(1, Math.max(0.02, part)))}%` }} />
      </span>
    </span>
  );
}

const tones: Record<string, string> = {
  empty: "bad", failed: "bad", critical: "bad", stopped: "bad",
  low: "warn", at_risk: "warn", risk: "warn", warning: "warn", late: "warn",
  silent: "mute", unknown: "mute", waiting: "mute",
  ok: "good", fine: "good", normal: "good", following: "good", complete: "good",
};
const marks: Record<string, string> = { bad: "\u25A0", warn: "\u25B2", good: "\u25CF", mute: "\u25CB" };

/** A colour is never the only sign: each tone has its own shape, and the word stands beside it. */
export function State({ word }: { word: string }) {
  const tone = tones[word.toLowerCase()] ?? "mute";
  return (
    <span class={`state ${tone}`}>
      <span aria-hidden="true">{marks[tone]}</span> {word.replace(/_/g, " ")}
    </span>
  );
}
