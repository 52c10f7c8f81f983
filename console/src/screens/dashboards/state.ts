// What the screen knows, as signals; and what makes it know more: loading, the stream of changes.

import { effect, signal, untracked } from "@preact/signals";
import { type AlertEvent, type Alerts, ApiError, ask, type Dashboard, type DashboardName, type Source } from "../../api";
import { early_or_ask } from "../../early";
import { connection, follow } from "../../live";
import { address, is_list_word, navigate } from "../../navigate";
import { lake, phase } from "../../session";

export const dashboards = signal<DashboardName[]>([]);
/** The list has come: that it is empty means that nothing is declared. */
export const listed = signal(false);
export const dashboard = signal<Dashboard | null>(null);
export const dashboard_error = signal<ApiError | null>(null);
export const alerts = signal<Alerts | null>(null);
export const recoveries = signal<(AlertEvent & { rule: string })[]>([]);
export const sources = signal<Source[] | null>(null);
export const loading = signal(false);
export const route = signal(read_route());

export interface Route {
  name: string | null; // of the dashboard
  filters: Map<string, string[]>;
}

function read_route(): Route {
  const match = /^\/dashboards\/([^/]+)\/?$/.exec(location.pathname);
  const filters = new Map<string, string[]>();
  new URLSearchParams(location.search).forEach((value, name) => {
    if (name !== "token" && !is_list_word(name)) filters.set(name, [...(filters.get(name) ?? []), value]);
  });
  return { name: match ? decodeURIComponent(match[1]!) : null, filters };
}

function query_of(filters: Map<string, string[]>): string {
  const query = new URLSearchParams();
  for (const [name, values] of filters) for (const value of values) query.append(name, value);
  const text = query.toString();
  return text ? "?" + text : "";
}

/** Narrows the page; how its tables are sorted stays. */
export function choose(filter: string, values: string[]): void {
  const filters = new Map(route.value.filters);
  if (values.length > 0) filters.set(filter, values);
  else filters.delete(filter);
  const name = dashboard.value?.name ?? route.value.name;
  if (!name) return;
  const lists = [...address.value.query].filter(([word]) => is_list_word(word)).map(([word, text]): [string, string[]] => [word, [text]]);
  navigate(`/dashboards/${encodeURIComponent(name)}${query_of(new Map([...filters, ...lists]))}`);
}

/** The screen is there: loads, and follows the address until what it returns is called. */
export function open_screen(): () => void {
  let asked = "";
  const stop = effect(() => {
    if (!address.value.path.startsWith("/dashboards") && address.value.path !== "/") return;
    untracked(() => {
      // A table of the page that is sorted is no other question.
      const next = read_route();
      const question = address.value.path + query_of(next.filters);
      if (question === asked) return;
      asked = question;
      route.value = next;
      if (dashboards.value.length === 0) begin();
      else open_dashboard();
    });
  });
  return () => {
    stop();
    turn++;
    stop_watching();
    loading.value = false;
  };
}

// ---- the list

/** The list, and the dashboard that it leads to. A server that is away is asked again until it is back. */
function begin(): void {
  clearTimeout(timer);
  const mine = turn;
  enter().then(
    () => {
      if (name_now() !== null) return;
      dashboard_error.value = null;
      if (connection.value === "lost") connection.value = "asking";
    },
    (error: unknown) => {
      fail(error);
      if (mine === turn && error instanceof ApiError && (error.status === 0 || error.status >= 500)) timer = setTimeout(begin, 2000);
    },
  );
}

export function try_again(): void {
  if (name_now() === null) begin();
  else void load();
}

async function enter(): Promise<void> {
  // Where the address names a dashboard, it need not wait for the list.
  if (route.value.name !== null) {
    open_dashboard();
    return load_list();
  }
  await load_list();
  open_dashboard();
}

async function load_list(): Promise<void> {
  const list = await ask<{ dashboards: DashboardName[]; lake?: string }>("GET", "/api/v1/dashboards");
  dashboards.value = list.dashboards;
  listed.value = true;
  lake.value = list.lake ?? ""; // a lakefile may have been applied since
}

// ---- one dashboard, kept fresh

let shown = ""; // what is on the page: name and filters
let turn = 0; // answers to older questions are thrown away
let timer: ReturnType<typeof setTimeout> | undefined;
let last_load = 0;
let last_took = 0;

const name_now = (): string | null => route.value.name ?? dashboards.value[0]?.name ?? null;

function open_dashboard(): void {
  const name = name_now();
  if (name === null) {
    // Nothing is declared yet: somebody may be about to.
    clearTimeout(timer);
    timer = setTimeout(begin, 5000);
    return;
  }
  if (dashboard.value?.name !== name) dashboard.value = null;
  watch(name);
  void load();
}

export async function load(): Promise<void> {
  const name = name_now();
  if (name === null || phase.value !== "ready") return;
  clearTimeout(timer);
  timer = undefined;
  const mine = ++turn;
  const begun = performance.now();
  loading.value = true;
  try {
    const page = early_or_ask<Dashboard>(`/api/v1/dashboards/${encodeURIComponent(name)}${query_of(route.value.filters)}`);
    const side = load_side();
    const answer = await page;
    if (mine !== turn) return;
    dashboard.value = answer;
    dashboard_error.value = null;
    shown = name;
    if (connection.value === "lost") connection.value = "asking";
    await side;
  } catch (error) {
    if (mine === turn) fail(error);
  } finally {
    if (mine === turn) {
      loading.value = false;
      last_load = performance.now();
      last_took = last_load - begun;
      // The stream tells of changes; times of day and sources' states change without one.
      schedule(connection.value === "live" ? 15_000 : 5_000);
    }
  }
}

function fail(error: unknown): void {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 401) return;
  if (error.status === 0) connection.value = "lost";
  dashboard_error.value = error;
  if (error.status !== 0) void load_list().catch(() => undefined);
}

function schedule(after_ms: number): void {
  clearTimeout(timer);
  timer = setTimeout(() => void load(), after_ms);
}

/** Many changes a second make one question a second, fewer when the answers are slow. */
function changed(): void {
  if (document.hidden) {
    stale = true;
    return;
  }
  if (loading.value && shown === name_now()) {
    schedule(1000);
    return;
  }
  const pause = Math.max(1000, 4 * last_took);
  schedule(Math.max(0, last_load + pause - performance.now()));
}

let stale = false;
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && stale) {
    stale = false;
    changed();
  }
});

// What a viewer may not list is not shown; it is not asked for again in this session.
const refused = new Set<string>();

async function optional<T>(path: string): Promise<T | null> {
  if (refused.has(path)) return null;
  try {
    return await ask<T>("GET", path);
  } catch (error) {
    if (error instanceof ApiError && (error.status === 403 || error.status === 404 || error.status === 501)) refused.add(path);
    return null;
  }
}

async function load_side(): Promise<void> {
  const [open, from] = await Promise.all([optional<Alerts>("/api/v1/alerts"), optional<{ sources: Source[] }>("/api/v1/sources")]);
  if (open !== null) alerts.value = open;
  if (from !== null) sources.value = from.sources;
  if (open === null) return;
  const lists = await Promise.all(
    open.alerts.map(async ({ rule }) => {
      const found = await optional<{ events: AlertEvent[] }>(`/api/v1/alerts/${encodeURIComponent(rule)}/events?limit=20`);
      return (found?.events ?? []).filter((event) => event.kind === "recovered").map((event) => ({ ...event, rule }));
    }),
  );
  recoveries.value = lists.flat().sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, 5);
}

// ---- the stream of changes

let stream: EventSource | null = null;
let watched = "";

function watch(name: string): void {
  if (stream !== null && watched === name && stream.readyState !== EventSource.CLOSED) return;
  stop_watching();
  watched = name;
  const mine = follow(`/api/v1/events?dashboard=${encodeURIComponent(name)}`, changed, () => {
    if (stream !== mine) return;
    schedule(2000);
    if (mine.readyState === EventSource.CLOSED) setTimeout(() => stream === mine && name_now() === name && watch(name), 30_000);
  });
  stream = mine;
}

function stop_watching(): void {
  stream?.close();
  stream = null;
  clearTimeout(timer);
}
