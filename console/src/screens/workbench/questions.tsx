// Questions without SQL: a table, measures, groups, filters. It draws, and shows the SELECT that it wrote. The whole
// question stands in the address.

import { useEffect, useState } from "preact/hooks";
import { ApiError, ask, type Cell } from "../../api";
import { Bars } from "../../charts/bars";
import { LineChart } from "../../charts/line_chart";
import { DataTable } from "../../charts/table";
import { as_number, milliseconds, number, words } from "../../format";
import { address, navigate, set_query } from "../../navigate";
import { Button, Card, CodeBlock, Count, Empty, Failed, Field, Loading } from "../../ui";
import { load_tables, tables, tables_error } from "./catalog";
import { Query } from "./queries";
import { grains, is_number, is_time, type Measure, measures_of, operators, type Question, question_address, question_sql, read_question } from "./question";
import { draw_columns } from "./quick_chart";
import { add_tab } from "./state";

/** Measures that the lakefile gives the tables; without the right to read them there are only the plain ones. */
type Declared = Record<string, Record<string, string>>;

async function load_measures(): Promise<Declared> {
  try {
    return (await ask<{ measures: Declared }>("GET", "/api/v1/measures")).measures;
  } catch (error) {
    if (error instanceof ApiError) return {};
    throw error;
  }
}

export function Questions() {
  const [declared, set_declared] = useState<Declared>({});
  useEffect(() => {
    if (tables.value === null) void load_tables();
    void load_measures().then(set_declared);
  }, []);
  const list = tables.value;
  const question = read_question(address.value.query);
  if (list === null) return tables_error.value ? <Failed error={tables_error.value} what="tables" again={() => void load_tables()} /> : <Loading what="the tables" />;
  if (list.length === 0) return <Empty title="There is no table yet.">Declare a source in the lakefile, or ask for a grant: tables appear here as soon as you may see one.</Empty>;
  const table = list.find((one) => one.name === question.table) ?? null;
  const change = (next: Partial<Question>) => navigate(question_address({ ...question, ...next }));
  const measures = table ? measures_of(table, declared[table.name] ?? {}) : [];
  const sql = table ? question_sql(question, table, measures) : null;
  return (
    <div class="questions">
      <section class="card asks" aria-label="Question">
        <Field label="Table">
          {(ids) => (
            <select {...ids} value={table?.name ?? ""} onChange={(event) => navigate(question_address({ table: event.currentTarget.value, measures: ["count"], by: [], filters: [], limit: 1000, as_table: false }))}>
              <option value="">Pick a table</option>
              {list.map((one) => (
                <option key={one.name} value={one.name}>
                  {one.name}
                </option>
              ))}
            </select>
          )}
        </Field>
        {table !== null && (
          <>
            <Measures question={question} all={measures} change={change} />
            <Groups question={question} table={table} change={change} />
            <Filters question={question} table={table} change={change} />
          </>
        )}
      </section>
      <div class="answers">
        {table === null && question.table !== "" ? (
          <Empty title={`There is no table ${question.table}.`}>It is gone, or not visible to you. Pick another one.</Empty>
        ) : table === null ? (
          <Empty title="Pick a table.">Then measures, and what to group them by.</Empty>
        ) : sql === null ? (
          <Empty title="Pick a measure, or what to group by." />
        ) : (
          <Answer key={sql} sql={sql} question={question} timed={is_time(table.columns.find((one) => one.name === question.by[0]?.split("|")[0])?.type ?? "")} />
        )}
      </div>
    </div>
  );
}

type Change = (next: Partial<Question>) => void;

function Chips({ label, chosen, remove }: { label: string; chosen: { key: string; text: string }[]; remove: (at: number) => void }) {
  if (chosen.length === 0) return null;
  return (
    <ul class="chips" aria-label={label}>
      {chosen.map((one, i) => (
        <li key={one.key}>
          {one.text}
          <button type="button" class="quiet" aria-label={`Remove ${one.text}`} onClick={() => remove(i)}>
            &#10005;
          </button>
        </li>
      ))}
    </ul>
  );
}

function Measures({ question, all, change }: { question: Question; all: Measure[]; change: Change }) {
  const chosen = question.measures.map((word) => ({ key: word, text: all.find((one) => one.word === word)?.label ?? word }));
  return (
    <div class="asks-part">
      <Field label="Measures">
        {(ids) => (
          <select {...ids} value="" onChange={(event) => change({ measures: [...question.measures, event.currentTarget.value].slice(0, 6) })}>
            <option value="">Add a measure</option>
            {all.filter((one) => !question.measures.includes(one.word)).map((one) => (
              <option key={one.word} value={one.word}>
                {one.label}
                {one.word.startsWith("m:") ? " (lakefile)" : ""}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Chips label="Chosen measures" chosen={chosen} remove={(at) => change({ measures: question.measures.filter((_, i) => i !== at) })} />
    </div>
  );
}

function Groups({ question, table, change }: { question: Question; table: { columns: { name: string; type: string }[] }; change: Change }) {
  const names = question.by.map((one) => one.split("|")[0]!);
  const with_grain = question.by.findIndex((one) => one.includes("|"));
  return (
    <div class="asks-part">
      <Field label="For each">
        {(ids) => (
          <select
            {...ids}
            value=""
            onChange={(event) => {
              const name = event.currentTarget.value;
              const type = table.columns.find((one) => one.name === name)?.type ?? "";
              change({ by: [...question.by, type.startsWith("timestamp") ? `${name}|day` : is_time(type) ? `${name}|day` : name].slice(0, 3) });
            }}
          >
            <option value="">Add a group</option>
            {table.columns.filter((one) => !names.includes(one.name)).map((one) => (
              <option key={one.name} value={one.name}>
                {words(one.name)} ({one.type})
              </option>
            ))}
          </select>
        )}
      </Field>
      {with_grain >= 0 && (
        <Field label="Time in steps of">
          {(ids) => (
            <select {...ids} value={question.by[with_grain]!.split("|")[1]} onChange={(event) => change({ by: question.by.map((one, i) => (i === with_grain ? `${one.split("|")[0]}|${event.currentTarget.value}` : one)) })}>
              {grains.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          )}
        </Field>
      )}
      <Chips label="Chosen groups" chosen={question.by.map((one) => ({ key: one, text: words(one.split("|")[0]!) + (one.includes("|") ? ` by ${one.split("|")[1]}` : "") }))} remove={(at) => change({ by: question.by.filter((_, i) => i !== at) })} />
    </div>
  );
}

function Filters({ question, table, change }: { question: Question; table: { columns: { name: string; type: string }[] }; change: Change }) {
  const [column, set_column] = useState("");
  const [op, set_op] = useState("eq");
  const [value, set_value] = useState("");
  const bare = op === "none" || op === "some";
  return (
    <form
      class="asks-part"
      onSubmit={(event) => {
        event.preventDefault();
        if (column === "" || (value === "" && !bare)) return;
        change({ filters: [...question.filters, { column, op, value: bare ? "" : value }].slice(0, 12) });
        set_value("");
      }}
    >
      <Field label="Where">
        {(ids) => (
          <select {...ids} value={column} onChange={(event) => set_column(event.currentTarget.value)}>
            <option value="">Add a condition</option>
            {table.columns.map((one) => (
              <option key={one.name} value={one.name}>
                {words(one.name)}
              </option>
            ))}
          </select>
        )}
      </Field>
      {column !== "" && (
        <div class="condition">
          <select aria-label="Compared" value={op} onChange={(event) => set_op(event.currentTarget.value)}>
            {Object.entries(operators).map(([word, text]) => (
              <option key={word} value={word}>
                {text}
              </option>
            ))}
          </select>
          {!bare && <input aria-label="Value" value={value} onInput={(event) => set_value(event.currentTarget.value)} />}
          <Button submit>Add</Button>
        </div>
      )}
      <Chips
        label="Conditions"
        chosen={question.filters.map((one, i) => ({ key: String(i), text: `${words(one.column)} ${operators[one.op]} ${one.value}`.trim() }))}
        remove={(at) => change({ filters: question.filters.filter((_, i) => i !== at) })}
      />
    </form>
  );
}

function Answer({ sql, question, timed }: { sql: string; question: Question; timed: boolean }) {
  const [query, set_asked] = useState<Query | null>(null);
  const [rows, set_rows] = useState<Cell[][] | null>(null);
  const [error, set_error] = useState<ApiError | null>(null);
  const [turn, set_turn] = useState(0);
  useEffect(() => {
    let here = true;
    let mine: Query | null = null;
    let stop: () => void = () => undefined;
    const fail = (failure: unknown) => here && failure instanceof ApiError && set_error(failure);
    Query.start(sql, []).then(
      (made) => {
        mine = made;
        if (!here) return made.close();
        set_asked(made);
        const stop_lost = made.lost.subscribe((lost) => lost !== null && fail(lost));
        const stop_state = made.state.subscribe((state) => {
          if (state?.state === "done") {
            made.head(10_000).then((all) => {
              if (!here) return;
              set_rows(all);
              set_error(null);
            }, fail);
          } else if (state?.state === "failed" || state?.state === "cancelled") set_error(new ApiError(400, state.error?.code ?? "cancelled", state.error?.message ?? "The statement was cancelled."));
        });
        stop = () => {
          stop_lost();
          stop_state();
        };
      },
      fail,
    );
    return () => {
      here = false;
      stop();
      mine?.close();
    };
  }, [turn]);
  // A server that was away is asked again, and so is one that has forgotten the statement by a restart.
  useEffect(() => {
    if (error === null || (error.status !== 0 && error.status !== 404)) return;
    const timer = setTimeout(() => set_turn(turn + 1), 2000);
    return () => clearTimeout(timer);
  }, [error]);
  const state = query?.state.value ?? null;
  const groups = question.by.length;
  const drawing =
    // A least day is no height. What was asked for stands in the answer: the address may name a measure that there is not.
    state !== null && rows !== null && groups === 1 && state.columns.length > 1 && state.columns.slice(1).every((column) => is_number(column.type))
      ? draw_columns(state.columns, rows, { kind: timed ? "line" : "bar", x: 0, measures: state.columns.slice(1).map((_, i) => i + 1) })
      : null;
  const one = groups === 0 && rows !== null && rows.length === 1;
  return (
    <>
      <Card
        title={title_of(question)}
        aside={
          <>
            {state !== null && state.state === "done" && (
              <span class="measure">
                {milliseconds(state.milliseconds)} &middot; <Count value={state.rows} unit="row" />
              </span>
            )}
            {drawing !== null && (
              <button type="button" class="quiet" onClick={() => set_query({ "answer.table": question.as_table ? null : "1" })}>
                {question.as_table ? "Chart" : "Table"}
              </button>
            )}
          </>
        }
      >
        {error !== null ? (
          <Failed error={error} what="answer" again={() => set_turn(turn + 1)} />
        ) : rows === null || state === null ? (
          <Loading what="the answer" />
        ) : rows.length === 0 ? (
          <Empty title="Nothing matches." />
        ) : one ? (
          <div class="figures">
            {state.columns.map((column, i) => {
              const value = as_number(rows[0]![i]);
              return (
                <p key={column.name} class="big-figure">
                  <span class="value">{value === null ? String(rows[0]![i] ?? "\u2013") : number(value)}</span>
                  <span class="measure">{column.name}</span>
                </p>
              );
            })}
          </div>
        ) : drawing === null || question.as_table ? (
          <DataTable title={title_of(question)} columns={state.columns.map((column) => ({ ...column, role: "value" as const }))} rows={rows.slice(0, 1000)} twin={drawing !== null} />
        ) : timed ? (
          <LineChart title={title_of(question)} unit="" columns={drawing.columns} rows={drawing.rows} />
        ) : (
          <Bars title={title_of(question)} unit="" columns={drawing.columns} rows={drawing.rows} />
        )}
      </Card>
      <Card
        title="The SQL of it"
        aside={
          <Button
            onClick={() => {
              add_tab(sql, title_of(question).slice(0, 40));
              navigate("/workbench");
            }}
          >
            Open in the editor
          </Button>
        }
      >
        <CodeBlock text={sql} label="SQL" />
      </Card>
    </>
  );
}

function title_of(question: Question): string {
  const by = question.by.map((one) => {
    const [column, grain] = one.split("|");
    return grain && grain !== column ? `${grain} of ${words(column!).toLowerCase()}` : words(column!).toLowerCase();
  });
  const what = question.measures.map((word) => (word === "count" ? "number of rows" : word.replace(/^m:/, "").replace(":", " of ").replace(/_/g, " ")));
  const text = `${what.length > 0 ? what.join(", ") : "values"}${by.length > 0 ? ` for each ${by.join(" and ")}` : ""} of ${question.table}`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}
