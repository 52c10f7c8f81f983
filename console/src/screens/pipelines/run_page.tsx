// One run: what it read, what it made, how it went, and starting it again from here.
import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { path_of } from "../../api";
import { use_live } from "../../live";
import { Answered, Button, Bytes, Card, Count, Empty, KeyValue, Page, Table, Time } from "../../ui";
import { exact_time, milliseconds } from "../../format";
import { RerunDialog } from "./actions";
import { OutcomeBadge, Took } from "./lists";
import { type Run, run_path, short_name, step_path, table_name, table_path } from "./types";

export function RunPage({ step, number }: { step: string; number: string }) {
  const run = use_live<Run>(path_of("/api/v1/runs", step, number), { every_ms: 4000 });
  const [rerun, set_rerun] = useState(false);
  const known = run.data.value;
  return (
    <Page
      name="pipelines"
      title={`${short_name(step)}, run #${number}`}
      note={known && <OutcomeBadge outcome={known.outcome} />}
      aside={
        known && (
          <Button kind="primary" onClick={() => set_rerun(true)}>
            Rerun from here
          </Button>
        )
      }
    >
      <nav class="crumbs" aria-label="Where this is">
        <a href="/pipelines">Pipelines</a> <span aria-hidden="true">/</span> <a href={step_path(step)}>{short_name(step)}</a> <span aria-hidden="true">/</span> run #{number}
        {Number(number) > 1 && (
          <a class="crumb-aside" href={run_path(step, Number(number) - 1)}>
            The run before
          </a>
        )}
      </nav>
      <Answered of={run} what="run">
        {(data) => (
          <>
            {data.error !== "" && (
              <Card title="Why it failed">
                <pre class="error-text" tabIndex={0}>{data.error}</pre>
                <p class="card-text measure">Nothing of this run was kept: the table is as the run before it left it.</p>
              </Card>
            )}
            {(data.warnings?.length ?? 0) > 0 && (
              <Card title="Warnings">
                <ul class="plain-list">
                  {data.warnings!.map((warning) => (
                    <li key={warning} class="warn-text">
                      {warning}
                    </li>
                  ))}
                </ul>
              </Card>
            )}
            <div class="two-columns">
              <Card title="What it did">
                <Facts run={data} />
              </Card>
              <Card title="Log">
                <Log run={data} />
              </Card>
            </div>
            <Card title="Inputs and output" aside={<span class="measure">as snapshots of the tables</span>}>
              <Snapshots run={data} />
            </Card>
          </>
        )}
      </Answered>
      {rerun && <RerunDialog step={step} close={() => set_rerun(false)} />}
    </Page>
  );
}

const causes: Record<string, string> = { first: "its first run", definition: "its definition changed", input: "an input changed", schedule: "its schedule", time: "time passed", retry: "the run before failed", request: "somebody asked for it" };

function Facts({ run }: { run: Run }) {
  const rows: [string, ComponentChildren][] = [
    ["Outcome", <OutcomeBadge outcome={run.outcome} />],
    ["Because", causes[run.cause] ?? run.cause],
    ["Started", <Time at={run.started} exact />],
    ["Took", run.ended === null ? "still running" : <Took run={run} />],
    ["Computed", run.mode || "in its own way"],
  ];
  if (run.rows_written === undefined) rows.push(["Rows", <span class="absent-value">shown to who sees all of the tables behind it</span>]);
  else
    rows.push(
      ["Rows read", <Count value={run.rows_read} />],
      ["Rows written", <Count value={run.rows_written} />],
      ["Rows set aside", <Count value={run.rows_set_aside} />],
      ["Bytes written", <Bytes value={run.bytes_written} />],
    );
  return <KeyValue rows={rows} />;
}

interface LogRow {
  at: number;
  text: string;
}

function Log({ run }: { run: Run }) {
  if (run.log === undefined) return <Empty title="Not visible to you">The log is shown to who sees all of the tables behind it.</Empty>;
  const begin = Date.parse(run.started);
  const rows: LogRow[] = [{ at: begin, text: `started: ${causes[run.cause] ?? run.cause}` }, ...run.log.map((line) => ({ at: Date.parse(line.at), text: line.text }))];
  if (run.ended !== null) rows.push({ at: Date.parse(run.ended), text: run.outcome });
  return (
    <ol class="run-log">
      {rows.map((row, i) => (
        <li key={i}>
          <time dateTime={new Date(row.at).toISOString()} title={exact_time(row.at)}>
            +{milliseconds(Math.max(0, row.at - begin))}
          </time>
          <span>{row.text}</span>
        </li>
      ))}
    </ol>
  );
}

interface SnapshotRow {
  what: string;
  table: string;
  before: string | null;
  now: string | null;
}

function Snapshots({ run }: { run: Run }) {
  const rows: SnapshotRow[] = run.inputs.map((input) => ({ what: "read", ...input }));
  const output = run.step.startsWith("alerts.") ? null : `main.${short_name(run.step)}`.replace(/^main\.(.*\..*)$/, "$1");
  if (run.output_snapshot !== null && output !== null) rows.push({ what: "made", table: output, before: null, now: run.output_snapshot });
  return (
    <Table
      label="Snapshots that the run read and made"
      word="snapshots"
      columns={[
        { name: "what", title: "Read or made", value: (row) => row.what, unsorted: true },
        { name: "table", title: "Table", value: (row) => row.table, show: (row) => <a href={table_path(row.table)}>{table_name(row.table)}</a> },
        { name: "now", title: "Snapshot", value: (row) => row.now, show: (row) => (row.now === null ? <span class="absent-value">empty</span> : <code>{row.now}</code>) },
        { name: "before", title: "Worked through before", value: (row) => row.before, show: (row) => (row.what === "made" ? "" : row.before === null ? <span class="absent-value">nothing</span> : row.before === row.now ? "the same" : <code>{row.before}</code>), wide_from: 500 },
      ]}
      rows={rows}
      row_key={(row) => row.what + row.table}
      empty={<Empty title="It read no table that you can see." />}
    />
  );
}
