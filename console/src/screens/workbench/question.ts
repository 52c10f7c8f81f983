// A question in words that stand in the address, and the SELECT that answers it.

import { sql_name, sql_text } from "../../api";
import type { TableColumns } from "./catalog";

export interface Filter {
  column: string;
  op: string;
  value: string;
}

export interface Question {
  table: string;
  measures: string[]; // "count", "sum:units", "m:revenue" (of the lakefile)
  by: string[]; // columns; of times with their grain: "day|month"
  filters: Filter[];
  limit: number;
  as_table: boolean; // of a drawing
}

export interface Measure {
  word: string;
  label: string;
  sql: string;
}

export const grains = ["hour", "day", "week", "month", "quarter", "year"];
export const operators: Record<string, string> = { eq: "is", ne: "is not", gt: "more than", lt: "less than", ge: "at least", le: "at most", has: "contains", none: "is empty", some: "is not empty" };
const signs: Record<string, string> = { eq: "=", ne: "<>", gt: ">", lt: "<", ge: ">=", le: "<=" };

export const is_time = (type: string): boolean => /^(date|timestamp)/.test(type);
export const is_number = (type: string): boolean => /^(smallint|integer|bigint|numeric|real|double)/.test(type);

export function read_question(query: URLSearchParams): Question {
  return {
    table: (query.get("table") ?? "").replace(/^main\./, ""), // as SQL names it: main is where one looks first
    measures: query.getAll("measure"),
    by: query.getAll("by").slice(0, 3),
    filters: query.getAll("where").flatMap((text) => {
      const [column, op, ...value] = text.split("~");
      return column && op && op in operators ? [{ column, op, value: value.join("~") }] : [];
    }),
    limit: Math.min(10_000, Number(query.get("limit")) || 1000),
    as_table: query.has("answer.table"),
  };
}

export function question_address(question: Question): string {
  const query = new URLSearchParams();
  if (question.table) query.set("table", question.table);
  for (const one of question.measures) query.append("measure", one);
  for (const one of question.by) query.append("by", one);
  for (const one of question.filters) query.append("where", `${one.column}~${one.op}~${one.value}`);
  if (question.limit !== 1000) query.set("limit", String(question.limit));
  if (question.as_table) query.set("answer.table", "1");
  return `/workbench/questions?${query.toString()}`;
}

const nice = (name: string): string => name.replace(/_/g, " ");

/** What can be counted of a table: its declared measures first, then the plain ones of its columns. */
export function measures_of(table: TableColumns, declared: Record<string, string>): Measure[] {
  const out: Measure[] = Object.entries(declared).map(([name, sql]) => ({ word: `m:${name}`, label: nice(name), sql }));
  out.push({ word: "count", label: "number of rows", sql: "count(*)" });
  for (const { name, type } of table.columns) {
    const column = sql_name(name);
    if (is_number(type) && !/(^|_)id$/.test(name)) {
      out.push({ word: `sum:${name}`, label: `sum of ${nice(name)}`, sql: `sum(${column})` });
      out.push({ word: `avg:${name}`, label: `average ${nice(name)}`, sql: `avg(${column})` });
    }
    if (is_number(type) || is_time(type)) {
      out.push({ word: `min:${name}`, label: `least ${nice(name)}`, sql: `min(${column})` });
      out.push({ word: `max:${name}`, label: `most ${nice(name)}`, sql: `max(${column})` });
    }
    out.push({ word: `distinct:${name}`, label: `different ${nice(name)}`, sql: `count(distinct ${column})` });
  }
  return out;
}

function condition(filter: Filter, type: string): string {
  const column = sql_name(filter.column);
  if (filter.op === "none") return `${column} is null`;
  if (filter.op === "some") return `${column} is not null`;
  if (filter.op === "has") return `${column}::text ilike ${sql_text("%" + filter.value.replace(/[\\%_]/g, "\\$&") + "%")} escape '\\'`;
  const value = is_number(type) && /^-?\d+(\.\d+)?$/.test(filter.value) ? filter.value : type === "boolean" ? `${sql_text(filter.value)}::boolean` : is_time(type) ? `${sql_text(filter.value)}::${type.startsWith("date") ? "date" : type}` : sql_text(filter.value);
  return `${column} ${signs[filter.op]!} ${value}`;
}

/** null: there is nothing to ask yet. */
export function question_sql(question: Question, table: TableColumns, all: Measure[]): string | null {
  const type_of = (name: string): string => table.columns.find((column) => column.name === name)?.type ?? "text";
  const groups = question.by.map((one) => {
    const [name = "", grain] = one.split("|");
    return grain && grains.includes(grain) && is_time(type_of(name))
      ? { sql: `date_trunc(${sql_text(grain)}, ${sql_name(name)})${grain === "hour" ? "" : "::date"}`, name, timed: true }
      : { sql: sql_name(name), name, timed: is_time(type_of(name)) };
  });
  const measures = question.measures.flatMap((word) => all.find((one) => one.word === word) ?? []);
  if (groups.length === 0 && measures.length === 0) return null;
  const list = [...groups.map((one) => `${one.sql} as ${sql_name(one.name)}`), ...measures.map((one) => `${one.sql} as ${sql_name(one.label)}`)];
  const from = table.name.split(".").map(sql_name).join(".");
  let sql = `select ${list.join(",\n       ")}\nfrom ${from}`;
  const where = question.filters.filter((one) => one.value !== "" || one.op === "none" || one.op === "some").map((one) => condition(one, type_of(one.column)));
  if (where.length > 0) sql += `\nwhere ${where.join("\n  and ")}`;
  if (groups.length > 0) {
    sql += `\ngroup by ${groups.map((_, i) => i + 1).join(", ")}`;
    const timed = groups.findIndex((one) => one.timed);
    sql += `\norder by ${timed >= 0 ? timed + 1 : measures.length > 0 ? `${groups.length + 1} desc nulls last` : 1}`;
    sql += `\nlimit ${question.limit}`;
  }
  return sql;
}
