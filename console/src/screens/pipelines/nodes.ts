// The graph's answer as nodes and edges: who makes a table, who reads it.
import type { Tone } from "../../ui";
import { ago, milliseconds } from "../../format";
import type { LayoutEdge } from "./layout";
import { type Graph, type Kind, type Source, type Step, short_name, step_path, table_name, table_path, took } from "./types";

export interface GraphNode {
  id: string;
  kind: Kind;
  name: string;
  state: string;
  tone: Tone;
  facts: string; // "1,204 rows, 0.4 s, 3 min ago"
  href: string;
  last?: boolean;
  step?: Step;
}

const compact = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });

export function tone_of(state: string): Tone {
  if (state === "failed" || state === "stopped") return "bad";
  if (state === "blocked" || state === "retrying" || state === "paused" || state === "backing_off") return "warn";
  if (state === "running" || state === "waiting" || state === "loading" || state === "initial_load") return "busy";
  return state === "" || state === "not made here" ? "mute" : "good";
}

/** What a reader sees of a step in one line. */
export function step_facts(step: Step, now: number): string {
  if (step.state === "running" && step.progress) {
    const { what, done, total } = step.progress;
    return total > 0 && done > 0 ? `${what}, ${Math.min(100, Math.round((100 * done) / total))}%` : what;
  }
  if (step.state === "blocked" && step.blocked_by) return `behind ${short_name(step.blocked_by)}`;
  if (step.state === "waiting" && step.waits_for) return `for ${short_name(step.waits_for)}`;
  const run = step.last;
  if (run === null) return "has not run yet";
  const when = ago(Date.parse(run.ended ?? run.started), now);
  if (step.state === "failed") return when;
  if (run.outcome === "running") return `began ${when}`;
  const parts = [];
  if (run.rows_written !== undefined && step.kind !== "alert") parts.push(`${compact.format(run.rows_written)} ${run.rows_written === 1 ? "row" : "rows"}`);
  const time = took(run);
  if (time !== null) parts.push(milliseconds(time));
  return [...parts, when].join(" \u00B7 ");
}

function source_facts(source: Source, now: number): string {
  const newest = source.tables.reduce((last, table) => Math.max(last, table.last_commit ? Date.parse(table.last_commit) : 0), 0);
  const tables = `${source.tables.length} ${source.tables.length === 1 ? "table" : "tables"}`;
  return newest === 0 ? tables : `${tables} \u00B7 ${ago(newest, now)}`;
}

export function nodes_of(graph: Graph, now: number): { nodes: GraphNode[]; edges: LayoutEdge[] } {
  const nodes: GraphNode[] = [];
  const edges: LayoutEdge[] = [];
  const maker = new Map<string, string>(); // table -> node
  for (const source of graph.sources) {
    const id = `source ${source.name}`;
    nodes.push({ id, kind: "source", name: source.name, state: source.state, tone: tone_of(source.state), facts: source_facts(source, now), href: `/pipelines?source=${encodeURIComponent(source.name)}` });
    for (const table of source.tables) maker.set(table.table, id);
  }
  for (const step of graph.steps) {
    if (step.table === null) continue;
    // A table's rejected rows and a forecast's back-test come of the same step.
    for (const table of [step.table, `${step.table}_rejected`, `${step.table}_backtest`, `${step.table}_outcomes`]) if (!maker.has(table)) maker.set(table, step.step);
  }
  // After a start a source speaks of a table only when it has looked at it; where it puts tables is known by its name:
  // erp fills the database erp, shelves the table main.shelves.
  const by_name = (table: string): string | undefined => {
    const dot = table.indexOf(".");
    const source = graph.sources.find((one) => one.name === table.slice(0, dot) || table === `main.${one.name}`);
    return source && `source ${source.name}`;
  };
  const origin = (table: string): string => {
    const known = maker.get(table) ?? by_name(table);
    if (known !== undefined) return known;
    const id = `table ${table}`;
    maker.set(table, id);
    nodes.push({ id, kind: "by hand", name: table_name(table), state: "not made here", tone: "mute", facts: "filled from outside", href: table_path(table) });
    return id;
  };
  const link = (tables: string[], to: string) => {
    for (const from of new Set(tables.map(origin))) if (from !== to) edges.push({ from, to });
  };
  for (const step of graph.steps) {
    nodes.push({ id: step.step, kind: step.kind, name: short_name(step.step), state: step.state, tone: tone_of(step.state), facts: step_facts(step, now), href: step_path(step.step), step });
    link(step.inputs, step.step);
  }
  for (const board of graph.dashboards) {
    const id = `dashboard ${board.name}`;
    nodes.push({ id, kind: "dashboard", name: board.title, state: "", tone: "mute", facts: `${board.tables.length} ${board.tables.length === 1 ? "table" : "tables"}`, href: `/dashboards/${encodeURIComponent(board.name)}`, last: true });
    link(board.tables, id);
  }
  return { nodes, edges };
}

/** A node with all that it is made of and all that is made of it. */
export function related(id: string, edges: LayoutEdge[]): Set<string> {
  const walk = (next: (at: string) => string[]) => {
    const seen = new Set([id]);
    const todo = [id];
    for (let at = todo.pop(); at !== undefined; at = todo.pop())
      for (const one of next(at))
        if (!seen.has(one)) {
          seen.add(one);
          todo.push(one);
        }
    return seen;
  };
  const up = walk((at) => edges.filter((edge) => edge.to === at).map((edge) => edge.from));
  const down = walk((at) => edges.filter((edge) => edge.from === at).map((edge) => edge.to));
  return new Set([...up, ...down]);
}
