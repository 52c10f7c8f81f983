// What keeps pages fresh, in one place: asking again from time to time, and the server's events that say when.
// A page keeps what it shows until the new answer is there; a lost server is asked again until it is back.

import { type Signal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { ApiError, ask } from "./api";
import { early_or_ask } from "./early";
import { phase } from "./session";

export type Connection = "connecting" | "live" | "asking" | "lost";

/** How the page on screen hears of changes; shown in the frame. */
export const connection = signal<Connection>("connecting");
/** Ticks every second: what draws relative times reads it. */
export const now = signal(Date.now());
/** A question is under way: the frame's dot breathes. */
export const busy = signal(0);

setInterval(() => (now.value = Date.now()), 1000);

export interface Answer<T> {
  /** null until the first answer, and after the address asked for has changed. */
  data: Signal<T | null>;
  /** Of the last question; null when it was answered. */
  error: Signal<ApiError | null>;
  loading: Signal<boolean>;
  /** When the data came, milliseconds since 1970. */
  at: Signal<number | null>;
  again: () => void;
}

export interface LiveOptions {
  /** Asks again after so many milliseconds; 0: only on changes and on again(). Default 15 s with the stream, 5 s without. */
  every_ms?: number;
  /** Asks again when a table has changed ("main.risk"), at most once a second; "*": any table that the viewer sees. */
  tables?: string[] | "*";
}

/** GETs `path` and keeps the answer fresh while the component is there. null: nothing is asked yet. */
export function use_live<T>(path: string | null, options: LiveOptions = {}): Answer<T> {
  const key = path === null ? null : `${path}\n${JSON.stringify(options)}`;
  const keeper = useMemo(() => new Keeper<T>(path, options), [key]);
  useEffect(() => keeper.run(), [keeper]);
  return keeper;
}

class Keeper<T> implements Answer<T> {
  readonly data = signal<T | null>(null);
  readonly error = signal<ApiError | null>(null);
  readonly loading = signal(false);
  readonly at = signal<number | null>(null);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private turn = 0;
  private running = false;
  private last = 0;
  private took = 0;
  private stale = false;

  constructor(
    private readonly path: string | null,
    private readonly options: LiveOptions,
  ) {}

  readonly again = (): void => void this.load();

  run(): () => void {
    this.running = true;
    if (this.path !== null) void this.load();
    const stop = this.options.tables && this.path !== null ? on_change(this.options.tables, () => this.changed()) : () => undefined;
    soon();
    const seen = () => {
      if (!document.hidden && this.stale) this.changed();
    };
    document.addEventListener("visibilitychange", seen);
    return () => {
      this.running = false;
      this.turn++;
      clearTimeout(this.timer);
      document.removeEventListener("visibilitychange", seen);
      stop();
    };
  }

  /** Many changes a second make one question a second, fewer when the answers are slow. */
  private changed(): void {
    this.stale = document.hidden;
    if (this.stale) return;
    const pause = Math.max(1000, 4 * this.took);
    this.later(this.loading.value ? pause : Math.max(0, this.last + pause - performance.now()));
  }

  private later(after_ms: number): void {
    clearTimeout(this.timer);
    if (this.running) this.timer = setTimeout(() => void this.load(), after_ms);
  }

  private async load(): Promise<void> {
    if (this.path === null || phase.value !== "ready") return;
    clearTimeout(this.timer);
    const mine = ++this.turn;
    const begun = performance.now();
    this.loading.value = true;
    busy.value++;
    try {
      const answer = await early_or_ask<T>(this.path);
      if (mine !== this.turn) return;
      this.data.value = answer;
      this.error.value = null;
      this.at.value = Date.now();
      reached();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (mine !== this.turn) return;
      this.error.value = error;
      if (error.status === 0 && error.code !== "cancelled") lost();
    } finally {
      busy.value--;
      if (mine === this.turn) {
        this.loading.value = false;
        this.last = performance.now();
        this.took = this.last - begun;
        const usual = this.options.every_ms ?? (connection.value === "live" ? 15_000 : 5_000);
        // What may not be seen does not come back by asking; what was lost does.
        const status = this.error.value?.status ?? 200;
        if (status === 0 || status >= 500) this.later(2000);
        else if (usual > 0 && status < 400) this.later(usual);
        else if (status === 429 || status === 404) this.later(Math.max(usual, 5_000));
      }
    }
  }
}

/** Asks with the session's rules: a session that has ended leads to signing in, and back to the same address. */
export async function do_ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  busy.value++;
  try {
    const answer = await ask<T>(method, path, body);
    reached();
    return answer;
  } catch (error) {
    if (error instanceof ApiError && error.status === 0 && error.code !== "cancelled") lost();
    throw error;
  } finally {
    busy.value--;
  }
}

let probe: ReturnType<typeof setTimeout> | undefined;

/** Also a page that asks nothing by itself notices when the server is back. */
function lost(): void {
  connection.value = "lost";
  clearTimeout(probe);
  probe = setTimeout(() => {
    if (connection.value !== "lost") return;
    ask("GET", "/api/v1/me").then(reached, (error: unknown) => (error instanceof ApiError && error.status === 0 ? lost() : reached()));
  }, 2000);
}
function reached(): void {
  if (connection.value === "lost") connection.value = [stream, own].some((one) => one?.readyState === EventSource.OPEN) ? "live" : "asking";
}
/** Of a stream: a server that answers nothing else is not about to answer this. */
function connecting(): void {
  if (connection.value !== "lost") connection.value = "connecting";
}

let doubt: ReturnType<typeof setTimeout> | undefined;

/** A stream that was cut is often back within a second; else a page that asks seldom is told now that the server is gone. */
function doubtful(): void {
  clearTimeout(doubt);
  doubt = setTimeout(() => {
    if (connection.value !== "connecting") return;
    ask("GET", "/api/v1/me").catch((error: unknown) => error instanceof ApiError && error.status === 0 && error.code !== "cancelled" && lost());
  }, 1000);
}

// ---- the stream of changes: one for the page, of all that its parts watch

interface Watcher {
  tables: string[] | "*";
  tell: () => void;
}
const watchers = new Set<Watcher>();
let stream: EventSource | null = null;
let stream_address = "";
let own: EventSource | null = null; // that a screen follows by itself
let restart_timer: ReturnType<typeof setTimeout> | undefined;

/** Calls `tell` when one of the tables has changed; returns what ends it. */
export function on_change(tables: string[] | "*", tell: () => void): () => void {
  const watcher: Watcher = { tables, tell };
  watchers.add(watcher);
  soon();
  return () => {
    watchers.delete(watcher);
    soon();
  };
}

function soon(): void {
  clearTimeout(restart_timer);
  restart_timer = setTimeout(connect, 50);
}

function wanted_address(): string {
  if (phase.value !== "ready" || watchers.size === 0) return "";
  const names = new Set<string>();
  for (const watcher of watchers) {
    if (watcher.tables === "*") return "/api/v1/events?tables=*";
    for (const table of watcher.tables) names.add(table);
  }
  return names.size === 0 ? "" : `/api/v1/events?tables=${encodeURIComponent([...names].sort().join(","))}`;
}

function connect(): void {
  const address = wanted_address();
  if (address === stream_address && stream !== null && stream.readyState !== EventSource.CLOSED) return;
  stream?.close();
  stream = null;
  stream_address = address;
  if (address === "") {
    const followed = own !== null && own.readyState !== EventSource.CLOSED;
    if (connection.value !== "lost" && phase.value === "ready" && !followed) connection.value = "asking";
    return;
  }
  stream = follow(address, (tables) => {
    for (const watcher of watchers) {
      if (watcher.tables === "*" || watcher.tables.some((one) => tables.includes(one))) watcher.tell();
    }
  });
}

phase.subscribe(() => soon());

/** Opens a stream of `changed` events and says in the frame how it goes. The caller closes it. */
export function follow(address: string, changed: (tables: string[]) => void, broken: () => void = () => undefined): EventSource {
  connecting();
  const mine = new EventSource(address);
  if (stream_address !== address) own = mine;
  mine.addEventListener("hello", () => (connection.value = "live"));
  mine.addEventListener("changed", (event) => changed((JSON.parse((event as MessageEvent<string>).data) as { tables: string[] }).tables));
  mine.addEventListener("error", () => {
    // The browser comes again by itself, unless the server refused: then pages ask from time to time.
    if (mine.readyState !== EventSource.CLOSED) {
      connecting();
      doubtful();
    } else if (connection.value !== "lost") connection.value = "asking";
    if (mine.readyState === EventSource.CLOSED && stream === mine) {
      stream = null;
      stream_address = "";
      clearTimeout(restart_timer);
      restart_timer = setTimeout(connect, 10_000);
    }
    broken();
  });
  return mine;
}
