// The editor's tabs, kept in this browser for each user, and what runs in them; the history of statements, bounded.

import { computed, signal } from "@preact/signals";
import { ApiError } from "../../api";
import { me } from "../../session";
import { offset_of, read_parameters } from "./parameters";
import { Query } from "./queries";

export interface EditorTab {
  id: string;
  title: string;
  sql: string;
  values: Record<string, string>; // of parameters
  query: string | null; // id of the last statement
  ran: string; // its text
}

export interface Past {
  sql: string;
  at: number;
  milliseconds: number;
  rows: number | null;
  error: string;
}

export interface Mark {
  from: number;
  to: number;
  message: string;
}

const tabs_max = 20;
const history_max = 200;
const saved_max = 100;
const text_max = 100_000;

export const tabs = signal<EditorTab[]>([]);
export const active_id = signal("");
export const past = signal<Past[]>([]);
export const saved = signal<{ name: string; sql: string }[]>([]);
/** Of each tab: what runs or ran, what is wrong with it. */
export const queries = signal<ReadonlyMap<string, Query>>(new Map());
export const marks = signal<ReadonlyMap<string, Mark>>(new Map());
export const refusals = signal<ReadonlyMap<string, string>>(new Map());
export const starting = signal<string | null>(null);

export const active = computed(() => tabs.value.find((tab) => tab.id === active_id.value) ?? tabs.value[0] ?? null);

// ---- kept in the browser

let owner = "";
const key = (what: string): string => `tarn.workbench.${owner}.${what}`;

function load<T>(what: string, otherwise: T): T {
  try {
    return (JSON.parse(localStorage.getItem(key(what)) ?? "null") as T | null) ?? otherwise;
  } catch {
    return otherwise;
  }
}
function store(what: string, value: unknown): void {
  try {
    localStorage.setItem(key(what), JSON.stringify(value));
  } catch {
    /* full or forbidden: the page works without */
  }
}

/** Called when the screen opens: another user of the same browser has tabs of their own. */
export function open_workbench(): void {
  const user = me.value?.user ?? "";
  if (owner === user && tabs.value.length > 0) return;
  owner = user;
  tabs.value = load<EditorTab[]>("tabs", []).slice(0, tabs_max);
  past.value = load<Past[]>("history", []);
  saved.value = load("saved", []);
  queries.value = new Map(tabs.value.flatMap((tab) => (tab.query ? [[tab.id, Query.resume(tab.query)] as const] : [])));
  marks.value = new Map();
  refusals.value = new Map();
  if (tabs.value.length === 0) add_tab("");
  active_id.value = load("active", tabs.value[0]!.id);
}

function keep_tabs(next: EditorTab[]): void {
  tabs.value = next;
  store("tabs", next);
}

export function choose_tab(id: string): void {
  active_id.value = id;
  store("active", id);
}

export function add_tab(sql: string, title?: string): EditorTab {
  let number = 1;
  while (tabs.value.some((tab) => tab.title === `Query ${number}`)) number++;
  const tab: EditorTab = { id: `t${Date.now().toString(36)}${Math.floor(performance.now())}`, title: title ?? `Query ${number}`, sql, values: {}, query: null, ran: "" };
  const kept = tabs.value.length >= tabs_max ? tabs.value.slice(1) : tabs.value;
  keep_tabs([...kept, tab]);
  choose_tab(tab.id);
  return tab;
}

export function close_tab(id: string): void {
  queries.value.get(id)?.close();
  set_query_of(id, null);
  const at = tabs.value.findIndex((tab) => tab.id === id);
  keep_tabs(tabs.value.filter((tab) => tab.id !== id));
  if (tabs.value.length === 0) add_tab("");
  else if (active_id.value === id) choose_tab(tabs.value[Math.max(0, at - 1)]!.id);
}

export function change_tab(id: string, change: Partial<EditorTab>): void {
  keep_tabs(tabs.value.map((tab) => (tab.id === id ? { ...tab, ...change } : tab)));
}

export function save_query(name: string, sql: string): void {
  saved.value = [{ name, sql }, ...saved.value.filter((one) => one.name !== name)].slice(0, saved_max);
  store("saved", saved.value);
}
export function forget_saved(name: string): void {
  saved.value = saved.value.filter((one) => one.name !== name);
  store("saved", saved.value);
}

function remember(one: Past): void {
  past.value = [one, ...past.value.filter((other) => other.sql !== one.sql)].slice(0, history_max);
  store("history", past.value);
}
export function forget_history(): void {
  past.value = [];
  store("history", []);
}

// ---- running

function with_entry<T>(map: ReadonlyMap<string, T>, id: string, value: T | null): ReadonlyMap<string, T> {
  const next = new Map(map);
  if (value === null) next.delete(id);
  else next.set(id, value);
  return next;
}
function set_query_of(id: string, query: Query | null): void {
  queries.value = with_entry(queries.value, id, query);
}

/** Runs the text in the tab; `at` is where it begins in the editor. */
export async function run(tab: EditorTab, text: string, at: number): Promise<void> {
  if (text.trim() === "" || starting.value === tab.id || queries.value.get(tab.id)?.running) return;
  queries.value.get(tab.id)?.close();
  set_query_of(tab.id, null);
  marks.value = with_entry(marks.value, tab.id, null);
  refusals.value = with_entry(refusals.value, tab.id, null);
  const read = read_parameters(text);
  starting.value = tab.id;
  try {
    const query = await Query.start(read.sql, read.names.map((name) => tab.values[name] ?? null));
    set_query_of(tab.id, query);
    change_tab(tab.id, { query: query.state.value!.id, ran: text.slice(0, text_max) });
    const stop = query.state.subscribe((state) => {
      if (state === null || state.state === "waiting" || state.state === "running") return;
      queueMicrotask(() => stop());
      remember({
        sql: text.slice(0, text_max), at: Date.parse(state.started), milliseconds: state.milliseconds,
        rows: state.returns_rows ? state.rows : null, error: state.state === "done" ? "" : (state.error?.message ?? state.state),
      });
      if (state.state !== "failed" || state.error?.position === undefined) return;
      const from = at + read.place(offset_of(read.sql, state.error.position));
      const word = /^[\w"]+|^\S/.exec(text.slice(from - at))?.[0].length ?? 0;
      marks.value = with_entry(marks.value, tab.id, { from: Math.min(from, at + text.length), to: Math.min(from + Math.max(1, word), at + text.length), message: state.error.message });
    });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    refusals.value = with_entry(refusals.value, tab.id, error.message);
  } finally {
    starting.value = null;
  }
}
