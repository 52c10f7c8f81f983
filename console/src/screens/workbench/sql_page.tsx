// The SQL side: tabs with an editor, and what the last statement of the tab brought.

import { useEffect, useRef, useState } from "preact/hooks";
import { milliseconds } from "../../format";
import { now } from "../../live";
import { address, set_query } from "../../navigate";
import { Button, bytes_text, Count, Empty, Field, Loading, Menu, NoPermission, use_chosen_in_sight } from "../../ui";
import { load_tables, tables, tables_error } from "./catalog";
import type { Editor } from "./editor";
import { Grid } from "./grid";
import { History } from "./history";
import { type Order, OrderFields, sql_in_order } from "./order";
import { read_parameters } from "./parameters";
import { Plan } from "./plan";
import { Query } from "./queries";
import { QuickChart } from "./quick_chart";
import { Save } from "./save";
import { Schema } from "./schema";
import { active, add_tab, change_tab, choose_tab, close_tab, type EditorTab, marks, queries, refusals, run, starting, tabs } from "./state";

/** Its lists' words leave the address with it. */
function close_history(): void {
  const words = [...address.value.query.keys()].filter((word) => word === "history" || /^(saved|past)\./.test(word));
  set_query(Object.fromEntries(words.map((word) => [word, null])));
}

export function SqlPage() {
  const editor = useRef<Editor | null>(null);
  const [saving, set_saving] = useState<string | null>(null);
  const tab = active.value;

  // A link brings a statement along: /workbench?sql=...
  const linked = address.value.query.get("sql");
  useEffect(() => {
    if (linked === null) return;
    if (!tabs.value.some((one) => one.sql === linked)) {
      const empty = active.value !== null && active.value.sql.trim() === "";
      if (empty) change_tab(active.value!.id, { sql: linked });
      else add_tab(linked);
    } else choose_tab(tabs.value.find((one) => one.sql === linked)!.id);
    set_query({ sql: null });
  }, [linked]);

  if (tab === null) return <Loading what="the editor" />;
  const query = queries.value.get(tab.id) ?? null;
  const working = starting.value === tab.id || (query?.running ?? false);
  const go = () => {
    const selection = editor.current?.selection() ?? { text: tab.sql, from: 0 };
    void run(active.value!, selection.text, selection.from);
  };
  const explain = () => {
    const selection = editor.current?.selection() ?? { text: tab.sql, from: 0 };
    const text = selection.text.trim().replace(/;\s*$/, "");
    if (/^explain\b/i.test(text)) return go();
    // A tab of its own: the result beside it stays. The same one again, when a statement is explained again.
    const [sql, title] = [`explain (analyze, format json)\n${text}`, `Plan of ${tab.title}`];
    const plan = tabs.value.find((one) => one.title === title) ?? add_tab(sql, title);
    change_tab(plan.id, { sql, values: tab.values });
    choose_tab(plan.id);
    void run({ ...plan, values: tab.values }, sql, 0);
  };
  return (
    <div class="sql-page">
      <TabStrip />
      <div class="editor-bar" role="toolbar" aria-label="Statement">
        {working ? (
          <Button kind="danger" onClick={() => void query?.cancel()}>
            Cancel
          </Button>
        ) : (
          <Button kind="primary" onClick={go} title="Ctrl-Enter: all, or what is selected" aria-keyshortcuts="Control+Enter">
            Run
          </Button>
        )}
        <Button onClick={explain} disabled={tab.sql.trim() === ""}>
          Explain
        </Button>
        <Button onClick={() => set_saving(editor.current?.selection().text ?? tab.sql)} disabled={tab.sql.trim() === ""}>
          Save
        </Button>
        <Button onClick={() => set_query({ history: "1" }, true)}>History</Button>
        <span class="editor-hint">Ctrl-Enter runs all, or what is selected</span>
      </div>
      <ParameterFields tab={tab} />
      <div class="sql-body">
        <Schema insert={(text) => editor.current?.insert(text)} />
        <div class="sql-main">
          <EditorPane tab={tab} editor={editor} run={go} />
          <Outcome tab={tab} query={query} working={working} />
        </div>
      </div>
      {saving !== null && <Save sql={saving} title={tab.title} columns={query?.state.value?.columns.map((column) => column.name) ?? []} close={() => set_saving(null)} />}
      {address.value.query.has("history") && <History close={close_history} />}
    </div>
  );
}

function TabStrip() {
  const strip = useRef<HTMLDivElement>(null);
  const list = tabs.value;
  const at = list.findIndex((tab) => tab.id === active.value?.id);
  use_chosen_in_sight(strip, active.value?.id);
  return (
    <div class="editor-tabs">
      <div
        class="tab-list"
        role="tablist"
        aria-label="Statements"
        ref={strip}
        onKeyDown={(event) => {
          const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: list.length - 1 }[event.key];
          if (event.key === "Delete" && active.value) {
            close_tab(active.value.id);
            return;
          }
          if (to === undefined) return;
          event.preventDefault();
          choose_tab(list[(to + list.length) % list.length]!.id);
          setTimeout(() => strip.current?.querySelector<HTMLElement>('[aria-selected="true"]')?.focus());
        }}
      >
        {list.map((tab, i) => (
          <button key={tab.id} type="button" role="tab" aria-selected={i === at} aria-controls="workbench-editor" tabIndex={i === at ? 0 : -1} onClick={() => choose_tab(tab.id)} title="Delete closes it">
            {queries.value.get(tab.id)?.running && <span class="spin" aria-label="running" role="img" />}
            {tab.title}
          </button>
        ))}
      </div>
      <Button kind="quiet" aria-label="New tab" onClick={() => add_tab("")}>
        +
      </Button>
      <Menu
        label="This tab"
        items={[
          { label: "Close this tab", run: () => active.value && close_tab(active.value.id) },
          { label: "Copy into a new tab", run: () => active.value && add_tab(active.value.sql) },
        ]}
      >
        <svg viewBox="0 0 24 24" class="icon" aria-hidden="true">
          <path d="M5 12h.01M12 12h.01M19 12h.01" class="dots" />
        </svg>
      </Menu>
    </div>
  );
}

function ParameterFields({ tab }: { tab: EditorTab }) {
  const names = read_parameters(tab.sql).names;
  if (names.length === 0) return null;
  return (
    <div class="parameters" role="group" aria-label="Parameters">
      {names.slice(0, 24).map((name) => (
        <Field key={name} label={/^\d+$/.test(name) ? `$${name}` : `:${name}`}>
          {(ids) => (
            <input
              {...ids}
              value={tab.values[name] ?? ""}
              placeholder={tab.values[name] === undefined ? "NULL" : ""}
              onInput={(event) => change_tab(tab.id, { values: { ...tab.values, [name]: event.currentTarget.value } })}
            />
          )}
        </Field>
      ))}
    </div>
  );
}

function EditorPane({ tab, editor, run: go }: { tab: EditorTab; editor: { current: Editor | null }; run: () => void }) {
  const host = useRef<HTMLDivElement>(null);
  const [ready, set_ready] = useState(0);
  const latest = useRef(go);
  latest.current = go;
  useEffect(() => {
    let gone = false;
    void load_tables();
    // What was loaded has been read in this moment: it is put to work in another, and the page answers in between.
    const loaded = import("./editor").then((module) => new Promise<typeof module>((go_on) => setTimeout(() => go_on(module))));
    void loaded.then(({ make_editor }) => {
      if (gone || host.current === null) return;
      editor.current = make_editor(host.current, {
        text: active.value?.sql ?? "",
        label: "SQL",
        change: (text) => active.value && change_tab(active.value.id, { sql: text }),
        run: () => latest.current(),
      });
      set_ready((n) => n + 1);
    });
    return () => {
      gone = true;
      editor.current?.destroy();
      editor.current = null;
    };
  }, []);
  useEffect(() => {
    // What stands now, not what stood when this was drawn: a letter may have been typed since.
    editor.current?.set_text(active.value?.sql ?? "");
  }, [ready, tab.id, tab.sql]);
  const mark = marks.value.get(tab.id) ?? null;
  useEffect(() => {
    editor.current?.set_mark(mark);
  }, [ready, tab.id, mark]);
  useEffect(() => {
    if (tables.value !== null) editor.current?.set_tables(tables.value);
  }, [ready, tables.value]);
  return (
    <div class="editor-pane" id="workbench-editor" role="tabpanel" aria-label={tab.title}>
      <div class="editor-host" ref={host} />
      {ready === 0 && <p class="editor-wait">Loading the editor&hellip;</p>}
      {tables_error.value !== null && tables_error.value.status !== 403 && <p class="foot">No completion: {tables_error.value.message}</p>}
    </div>
  );
}

function Outcome({ tab, query, working }: { tab: EditorTab; query: Query | null; working: boolean }) {
  const view = address.value.query.get("view") ?? "rows";
  const refusal = refusals.value.get(tab.id);
  if (refusal !== undefined) {
    if (/not allowed|may not|permission/i.test(refusal)) return <NoPermission what="answer to this statement" message={refusal} />;
    return <Problem text={refusal} />;
  }
  if (query === null) return starting.value === tab.id ? <Loading what="the result" /> : <Hint />;
  const state = query.state.value;
  if (query.lost.value !== null)
    return (
      <Empty title="The result is gone." action={<Button onClick={() => void run(tab, tab.ran || tab.sql, 0)}>Run again</Button>}>
        {query.lost.value.status === 404 ? "Results are kept for a quarter of an hour, and not over a restart of the server." : query.lost.value.message}
      </Empty>
    );
  if (state === null) return <Loading what="the result" />;
  const plan = state.columns.length === 1 && state.columns[0]!.name === "QUERY PLAN";
  const ask = (order: Order) => {
    const made = add_tab(sql_in_order(tab.ran, state.columns, order), `${tab.title}, ${order.column < 0 ? "filtered" : "sorted"}`);
    change_tab(made.id, { values: tab.values });
    void run({ ...made, values: tab.values }, made.sql, 0);
  };
  return (
    <section class="outcome" aria-label="Result">
      <div class="outcome-bar">
        <StateLine query={query} working={working} plan={plan} />
        {state.returns_rows && !plan && (
          <>
            <div class="switch" role="group" aria-label="Show the result as">
              {["rows", "chart"].map((one) => (
                <button key={one} type="button" aria-pressed={view === one} onClick={() => set_query({ view: one === "rows" ? null : one })}>
                  {one === "rows" ? "Rows" : "Chart"}
                </button>
              ))}
            </div>
            {state.state === "done" && state.rows > 1 && view === "rows" && <OrderFields key={state.id} query={query} ask={ask} />}
            {state.state === "done" && (
              <span class="exports">
                <a href={query.export_address("csv")} download="result.csv">
                  CSV
                </a>
                <a href={query.export_address("parquet")} download="result.parquet">
                  Parquet
                </a>
              </span>
            )}
          </>
        )}
      </div>
      {state.error !== undefined && state.state !== "cancelled" && <Problem text={state.error.message} />}
      {state.notices.map((notice, i) => (
        <p key={i} class="foot">
          {notice}
        </p>
      ))}
      {state.truncated && <p class="banner">There are more rows than are kept: these are the first {state.rows.toLocaleString()}.</p>}
      {plan ? (
        <PlanOf query={query} />
      ) : state.returns_rows && state.state !== "failed" ? (
        state.rows === 0 ? (
          working ? <Loading what="rows" /> : <Empty title="No rows.">The statement ran, and nothing matches.</Empty>
        ) : view === "chart" ? (
          <QuickChart key={state.id} query={query} />
        ) : (
          <Grid key={state.id} query={query} label={`Result of ${tab.title}`} ask={ask} />
        )
      ) : null}
    </section>
  );
}

const state_words = { waiting: "Waiting", running: "Running", done: "Done", failed: "Failed", cancelled: "Cancelled" };

function StateLine({ query, working, plan }: { query: Query; working: boolean; plan: boolean }) {
  const state = query.state.value!;
  if (working && query.away.value)
    return (
      <p class="state-line" role="status">
        <strong class="phase failed">Not known</strong>
        <span>The server cannot be reached; whether the statement still runs is asked again.</span>
      </p>
    );
  const elapsed = working ? Math.max(state.milliseconds, now.value - Date.parse(state.started)) : state.milliseconds;
  return (
    <p class="state-line" role="status">
      {working && <span class="spin" aria-hidden="true" />}
      <strong class={`phase ${state.state}`}>{state_words[state.state]}</strong>
      <span title="Time on the server" aria-live={working ? "off" : undefined}>
        {milliseconds(elapsed)}
      </span>
      {working && state.statements > 1 && (
        <span>
          statement {Math.max(1, state.statement)} of {state.statements}
        </span>
      )}
      {working && state.progress !== undefined && (
        <span class="progress" aria-live="off" title="The share of the rows to read that has been read">
          <progress value={state.progress} max={1} aria-label="Rows read" /> {Math.floor(100 * state.progress)} %
        </span>
      )}
      {state.returns_rows ? !plan && <Count value={state.rows} unit="row" /> : state.tag && <span>{state.tag}</span>}
      {state.bytes > 0 && !plan && <span title={`${state.bytes} bytes of rows`}>{bytes_text(state.bytes)}</span>}
    </p>
  );
}

function PlanOf({ query }: { query: Query }) {
  const [text, set_text] = useState<string | null>(null);
  const state = query.state.value!;
  useEffect(() => {
    if (state.state === "done") void query.head(10_000).then((rows) => set_text(rows.map((row) => row[0]).join("\n")), () => set_text(""));
  }, [state.state]);
  return text === null ? <Loading what="the plan" /> : <Plan text={text} />;
}

const Problem = ({ text }: { text: string }) => (
  <p class="sql-problem" role="alert">
    {text}
  </p>
);

function Hint() {
  const list = tables.value ?? [];
  const first = list.slice(0, 6);
  return (
    <Empty title="Rows appear here.">
      {first.length > 0 ? (
        <span class="hint-tables">
          {first.map((table) => (
            <Button key={table.name} onClick={() => active.value && change_tab(active.value.id, { sql: `select *\nfrom ${table.name}\nlimit 1000` })}>
              {table.name}
            </Button>
          ))}
        </span>
      ) : (
        "Write a SELECT, or ask a question without SQL."
      )}
    </Empty>
  );
}
