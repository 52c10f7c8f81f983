// Steps and runs as tables: the graph's twin in words, and the history.
import { Badge, Bytes, Card, Count, Empty, Name, Table, type TableColumn, Tag, Time } from "../../ui";
import { milliseconds } from "../../format";
import { tone_of } from "./nodes";
import { type Graph, type Run, type Source, type SourceTable, type Step, run_path, short_name, step_path, table_name, table_path, took } from "./types";

export function Took({ run }: { run: Run | null }) {
  const time = run === null ? null : took(run);
  return time === null ? <span class="absent-value">&ndash;</span> : <span class="figure">{milliseconds(time)}</span>;
}

export function Tables({ names }: { names: string[] }) {
  if (names.length === 0) return <span class="absent-value">&ndash;</span>;
  return (
    <span class="name-list">
      {names.map((name) => (
        <a key={name} href={table_path(name)}>
          {table_name(name)}
        </a>
      ))}
    </span>
  );
}

const outcome_tone = { done: "good", failed: "bad", running: "busy", interrupted: "warn", cancelled: "mute" } as const;
export const OutcomeBadge = ({ outcome }: { outcome: string }) => <Badge word={outcome} tone={outcome_tone[outcome as keyof typeof outcome_tone] ?? "mute"} />;

const step_columns: TableColumn<Step>[] = [
  { name: "step", title: "Step", value: (step) => short_name(step.step), show: (step) => <a class="cell-text" href={step_path(step.step)}><Name of={short_name(step.step)} /></a> },
  { name: "kind", title: "Kind", value: (step) => step.kind, show: (step) => <Tag>{step.kind}</Tag>, wide_from: 500 },
  { name: "state", title: "State", value: (step) => step.state, show: (step) => <Badge word={step.state} tone={tone_of(step.state)} /> },
  { name: "reads", title: "Reads", value: (step) => step.inputs.join(" "), show: (step) => <Tables names={step.inputs} />, wide_from: 900 },
  { name: "last", title: "Last run", value: (step) => step.last?.started, show: (step) => (step.last ? <a href={run_path(step.step, step.last.run)}><Time at={step.last.started} /></a> : <Time at={null} />) },
  { name: "rows", title: "Rows", value: (step) => step.last?.rows_written, show: (step) => <Count value={step.last?.rows_written} />, right: true },
  { name: "took", title: "Took", value: (step) => (step.last ? took(step.last) : null), show: (step) => <Took run={step.last} />, right: true, wide_from: 500 },
  { name: "checks", title: "Checks", value: (step) => step.checks, right: true, wide_from: 900 },
  { name: "next", title: "Next run", value: (step) => step.next, show: (step) => <Time at={step.next} />, wide_from: 1200 },
];

export function StepList({ graph }: { graph: Graph }) {
  return (
    <Table
      label="Steps of the pipeline"
      word="steps"
      find="Filter steps"
      columns={step_columns}
      rows={graph.steps}
      row_key={(step) => step.step}
      empty={<Empty title="No steps yet.">Tables with SQL, models and alerts of the lakefile appear here.</Empty>}
    />
  );
}

interface SourceRow {
  source: string;
  kind: string;
  state: string;
  table: string;
  rows: number | undefined;
  rejected: number | undefined;
  last: string | null;
  error: string;
  note: string;
}

/** Of a source that has none yet: it is listed all the same. */
const no_table: SourceTable = { table: "", last_commit: null, last_error: "" };

export function SourceList({ graph, only }: { graph: Graph; only: string | null }) {
  const rows: SourceRow[] = graph.sources
    .filter((source) => only === null || source.name === only)
    .flatMap((source) => (source.tables.length > 0 ? source.tables : [no_table]).map((table) => ({ source: source.name, kind: source.kind, state: table.paused ? "paused" : source.last_error ? "failed" : source.state, table: table.table, rows: table.rows, rejected: table.rows_rejected, last: table.last_commit, error: table.paused || table.last_error || source.last_error, note: table.note ?? "" })));
  return (
    <Table
      label="Tables of sources"
      word="sources"
      columns={[
        ...(only === null ? [{ name: "source", title: "Source", value: (row: SourceRow) => row.source, show: (row: SourceRow) => <a href={`/pipelines?source=${encodeURIComponent(row.source)}`}>{row.source}</a> }, { name: "kind", title: "Kind", value: (row: SourceRow) => row.kind, show: (row: SourceRow) => <Tag>{row.kind}</Tag>, wide_from: 700 }] : []),
        { name: "state", title: "State", value: (row) => row.state, show: (row) => <Badge word={row.state} tone={tone_of(row.state)} /> },
        { name: "table", title: "Table", value: (row) => row.table, show: (row) => (row.table === "" ? <span class="absent-value">none yet</span> : <a class="cell-text" href={table_path(row.table)}><Name of={table_name(row.table)} /></a>) },
        { name: "rows", title: "Rows", value: (row) => row.rows, show: (row) => <Count value={row.rows} />, right: true },
        { name: "rejected", title: "Set aside", value: (row) => row.rejected, show: (row) => (row.rejected ? <a href={table_path(`${row.table}_rejected`)}><Count value={row.rejected} /></a> : <Count value={row.rejected} />), right: true, wide_from: only !== null && rows.some((row) => row.rejected) ? 0 : 500 },
        { name: "last", title: "Last rows", value: (row) => row.last, show: (row) => <Time at={row.last} />, wide_from: only === null ? 440 : 0 },
        { name: "error", title: "Problem", value: (row) => row.error || row.note, show: (row) => (row.error ? <span class="problem cell-text" title={row.error}>{row.error}</span> : row.note ? <span class="warn-text cell-text" title={row.note}>{row.note}</span> : ""), wide_from: 900 },
      ]}
      rows={rows}
      row_key={(row) => `${row.source} ${row.table}`}
      empty={<Empty title="No source that you can see." />}
    />
  );
}

/** What is wrong with a source and each of its tables, in whole: it says what to do. */
export function SourceTroubles({ source }: { source: Source }) {
  const told = source.tables.flatMap((table) => {
    const problem = table.paused || table.last_error;
    return [...(problem ? [{ table: table.table, word: table.paused ? "paused" : "failed", text: problem }] : []), ...(table.note ? [{ table: table.table, word: "note", text: table.note }] : [])];
  });
  const of_all = source.last_error && !told.some((one) => one.text === source.last_error) ? source.last_error : "";
  if (told.length === 0 && of_all === "") return null;
  return (
    <Card title="Problems and notes">
      <ul class="plain-list troubles">
        {of_all && (
          <li>
            <Badge word="failed" /> <span>{of_all}</span>
          </li>
        )}
        {told.map((one) => (
          <li key={`${one.table} ${one.word}`}>
            <Badge word={one.word} tone={one.word === "failed" ? "bad" : "warn"} />
            <span>
              <a href={table_path(one.table)}>{table_name(one.table)}</a>: {one.text}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

const run_columns: TableColumn<Run>[] = [
  { name: "step", title: "Step", value: (run) => short_name(run.step), show: (run) => <a class="cell-text" href={step_path(run.step)}><Name of={short_name(run.step)} /></a> },
  { name: "run", title: "Run", value: (run) => run.run, show: (run) => <a href={run_path(run.step, run.run)} aria-label={`Run ${run.run} of ${short_name(run.step)}`}>#{run.run}</a> },
  { name: "outcome", title: "Outcome", value: (run) => run.outcome, show: (run) => <OutcomeBadge outcome={run.outcome} /> },
  { name: "started", title: "Started", value: (run) => run.started, show: (run) => <Time at={run.started} /> },
  { name: "took", title: "Took", value: (run) => took(run), show: (run) => <Took run={run} />, right: true },
  { name: "rows", title: "Rows", value: (run) => run.rows_written, show: (run) => <Count value={run.rows_written} />, right: true },
  { name: "bytes", title: "Bytes", value: (run) => run.bytes_written, show: (run) => <Bytes value={run.bytes_written} />, right: true, wide_from: 900 },
  { name: "cause", title: "Because of", value: (run) => run.cause, wide_from: 900 },
  { name: "mode", title: "Computed", value: (run) => run.mode, show: (run) => run.mode || <span class="absent-value">&ndash;</span>, wide_from: 1200 },
  { name: "error", title: "Problem", value: (run) => run.error || run.warnings?.[0], show: (run) => (run.error ? <span class="problem cell-text" title={run.error}>{run.error}</span> : run.warnings?.length ? <span class="warn-text cell-text" title={run.warnings.join("\n")}>{run.warnings[0]}</span> : ""), wide_from: 700 },
];

export function RunList({ runs, of_one, word }: { runs: Run[]; of_one?: boolean; word?: string }) {
  return (
    <Table
      label={of_one ? "Runs of this step" : "Runs"}
      word={word ?? "runs"}
      find="Filter runs"
      columns={of_one ? run_columns.slice(1) : run_columns}
      rows={runs}
      first={20}
      row_key={(run) => `${run.step} ${run.run}`}
      empty={<Empty title="Nothing has run yet." />}
    />
  );
}
