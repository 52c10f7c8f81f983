// A statement on the server: started, asked after until it ends, its rows read in pages. The server keeps the rows for a
// quarter of an hour, so that a page that was loaded again finds them by their id.

import { signal } from "@preact/signals";
import { ApiError, ask, type Cell } from "../../api";
import { do_ask } from "../../live";

export interface QueryColumn {
  name: string;
  type: string;
}

export interface QueryState {
  id: string;
  state: "waiting" | "running" | "done" | "failed" | "cancelled";
  started: string;
  milliseconds: number;
  /** Which of the statements runs or ran last, from 1; 0 before the first. */
  statement: number;
  statements: number;
  /** Of it while it runs, 0 to 1; without it nobody can tell. */
  progress?: number;
  returns_rows: boolean;
  columns: QueryColumn[];
  rows: number;
  bytes: number;
  truncated: boolean;
  tag: string;
  notices: string[];
  error?: { code: string; message: string; reason?: string; position?: number };
}

export const page_rows = 500;
const pages_max = 60;

const path = (id: string, more = ""): string => `/api/v1/queries/${encodeURIComponent(id)}${more}`;

/** What is known of one statement; parts of the page read its signals. */
export class Query {
  readonly state = signal<QueryState | null>(null);
  readonly lost = signal<ApiError | null>(null);
  /** The server did not answer when it was asked last: how far the statement is is not known. */
  readonly away = signal(false);
  /** Rises when rows have come: the grid draws again. */
  readonly arrived = signal(0);
  private readonly pages = new Map<number, Cell[][]>();
  private readonly asked = new Map<number, AbortController>();
  private readonly heads = new AbortController();
  private whole: Promise<Cell[][]> | null = null;
  private closed = false;

  get running(): boolean {
    const state = this.state.value?.state;
    return this.lost.value === null && (state === undefined || state === "waiting" || state === "running");
  }

  static async start(sql: string, parameters: (string | null)[]): Promise<Query> {
    const query = new Query();
    query.state.value = await do_ask<QueryState>("POST", "/api/v1/queries", { sql, parameters, wait_ms: 250 });
    void query.follow();
    return query;
  }

  /** One that was started before, by its id. */
  static resume(id: string): Query {
    const query = new Query();
    void query.follow(id);
    return query;
  }

  /** Ends when the statement has, or close() was called. */
  private async follow(id = this.state.value?.id ?? ""): Promise<void> {
    let wait = this.state.value === null ? 0 : 500;
    while (!this.closed && this.running) {
      try {
        this.state.value = await do_ask<QueryState>("GET", path(id, `?wait_ms=${wait}`));
        this.away.value = false;
        wait = Math.min(2000, wait + 500);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        // Away, starting or too busy to answer: asked again.
        if (error.status !== 0 && error.status !== 429 && error.status < 500) {
          this.lost.value = error;
          return;
        }
        this.away.value = true;
        await new Promise((done) => setTimeout(done, 1000));
      }
    }
  }

  async cancel(): Promise<void> {
    const state = this.state.value;
    if (state === null || !this.running) return;
    await do_ask("DELETE", path(state.id));
  }

  /** Frees what the server keeps; nobody looks at it any more. */
  close(): void {
    this.closed = true;
    for (const one of this.asked.values()) one.abort();
    this.heads.abort();
    const state = this.state.value;
    if (state === null || this.lost.value !== null) return;
    void do_ask("DELETE", path(state.id)).catch(() => undefined);
  }

  /** The row when it is here. */
  row(at: number): Cell[] | undefined {
    return this.pages.get(Math.floor(at / page_rows))?.[at % page_rows];
  }

  /** Asks for the pages of rows [from, to) that are not here; those that nobody wants any more are called back. */
  want(from: number, to: number): void {
    const state = this.state.value;
    if (state === null) return;
    const first = Math.floor(from / page_rows);
    const last = Math.floor(Math.max(from, Math.min(to, state.rows) - 1) / page_rows);
    for (const [page, asked] of this.asked) if (page < first - 1 || page > last + 1) asked.abort();
    for (let page = first; page <= last; page++) {
      const here = this.pages.get(page);
      const there = Math.min(page_rows, state.rows - page * page_rows);
      if (there > 0 && (here === undefined || here.length < there) && !this.asked.has(page)) void this.load(page, state.id);
    }
  }

  private async load(page: number, id: string): Promise<void> {
    const control = new AbortController();
    this.asked.set(page, control);
    try {
      // A page of wide rows comes in pieces.
      for (;;) {
        const here = this.pages.get(page) ?? [];
        const there = Math.min(page_rows, (this.state.value?.rows ?? 0) - page * page_rows);
        if (here.length >= there) break;
        const answer = await fetch_rows(id, page * page_rows + here.length, there - here.length, control.signal);
        if (answer.length === 0) break;
        this.pages.set(page, [...here, ...answer]);
        this.arrived.value++;
      }
      // Furthest first: near pages are looked at again.
      while (this.pages.size > pages_max) {
        let far = page;
        for (const one of this.pages.keys()) if (Math.abs(one - page) > Math.abs(far - page)) far = one;
        this.pages.delete(far);
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 404) this.lost.value = error;
    } finally {
      this.asked.delete(page);
    }
  }

  /** All rows, kept: of a statement that is done. An ApiError "cancelled" when it is closed meanwhile. */
  all(): Promise<Cell[][]> {
    this.whole ??= this.fetch_all();
    this.whole.catch(() => (this.whole = null));
    return this.whole;
  }

  private async fetch_all(): Promise<Cell[][]> {
    const { id, rows } = this.state.value!;
    const out: Cell[][] = [];
    while (out.length < rows) {
      const more = await fetch_rows(id, out.length, 10_000, this.heads.signal);
      if (more.length === 0) break;
      for (const row of more) out.push(row);
    }
    return out;
  }

  /** The first rows, for drawing. An ApiError "cancelled" when it is closed meanwhile. */
  async head(rows: number): Promise<Cell[][]> {
    const state = this.state.value;
    return state === null ? [] : fetch_rows(state.id, 0, rows, this.heads.signal);
  }

  export_address(format: "csv" | "parquet"): string {
    return path(this.state.value?.id ?? "", `/export?format=${format}`);
  }
}

async function fetch_rows(id: string, offset: number, limit: number, stop?: AbortSignal): Promise<Cell[][]> {
  return (await ask<{ rows: Cell[][] }>("GET", path(id, `/rows?offset=${offset}&limit=${limit}`), undefined, stop)).rows;
}
