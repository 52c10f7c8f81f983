// One step: how it fares, what it reads and makes, its definition, its history.
import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { path_of } from "../../api";
import { use_live } from "../../live";
import { Answered, Badge, Button, Card, CodeBlock, Count, Empty, KeyValue, Menu, Page, Table, Tag, Time } from "../../ui";
import { milliseconds } from "../../format";
import { BackfillDialog, RerunDialog, try_run } from "./actions";
import { RunList, Tables } from "./lists";
import { tone_of } from "./nodes";
import { RunBars } from "./run_bars";
import { type Definition, type Run, type StepDetail, run_path, short_name, step_path, table_name, table_path, took } from "./types";

export function StepPage({ name }: { name: string }) {
  const step = use_live<StepDetail>(path_of("/api/v1/steps", name), { tables: "*", every_ms: 3000 });
  const runs = use_live<{ runs: Run[] }>(`/api/v1/runs?limit=200&step=${encodeURIComponent(name)}`, { tables: "*", every_ms: 3000 });
  const [dialog, set_dialog] = useState<"rerun" | "backfill" | null>(null);
  const known = step.data.value;
  return (
    <Page
      name="pipelines"
      title={short_name(name)}
      note={
        known && (
          <>
            <Tag>{known.kind}</Tag> <Badge word={known.state} tone={tone_of(known.state)} />
          </>
        )
      }
      aside={
        known && (
          <>
            <Button kind="primary" onClick={() => try_run(name)}>
              Run now
            </Button>
            <Menu
              label="Rerun"
              items={[
                { label: "From here\u2026", run: () => set_dialog("rerun") },
                ...(known.ranges ? [{ label: "A range of days\u2026", run: () => set_dialog("backfill") }] : []),
              ]}
            />
          </>
        )
      }
    >
      <nav class="crumbs" aria-label="Where this is">
        <a href="/pipelines">Pipelines</a> <span aria-hidden="true">/</span> {short_name(name)}
        <a class="crumb-aside" href={`/pipelines?focus=${encodeURIComponent(name)}`}>
          Show in the graph
        </a>
      </nav>
      <Answered of={step} what="step">
        {(data) => (
          <>
            {data.last?.outcome === "failed" && <Trouble step={data} again={() => try_run(name)} />}
            <div class="two-columns">
              <Card title="How it is">
                <Facts step={data} />
              </Card>
              <Card title="Runs" aside={<span class="measure">time and outcome of the latest</span>}>
                <Answered of={runs} what="history">{(history) => <RunBars runs={history.runs} />}</Answered>
              </Card>
            </div>
            <DefinitionCards step={data} />
          </>
        )}
      </Answered>
      {step.error.value?.status !== 403 && !(step.error.value?.status === 404 && runs.data.value?.runs.length === 0) && (
        <Card title="History">
          <Answered of={runs} what="history">
            {(history) => <RunList runs={history.runs} of_one />}
          </Answered>
        </Card>
      )}
      {dialog === "rerun" && <RerunDialog step={name} close={() => set_dialog(null)} />}
      {dialog === "backfill" && <BackfillDialog step={name} close={() => set_dialog(null)} />}
    </Page>
  );
}

function Trouble({ step, again }: { step: StepDetail; again: () => void }) {
  const run = step.last!;
  return (
    <div class="trouble failed framed" role="status">
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M12 4 3 20h18zm0 6v5m0 2v1" />
      </svg>
      <div>
        <strong>
          <a href={run_path(step.step, run.run)}>Run #{run.run}</a> failed <Time at={run.ended} />
          {step.failures > 1 && `, ${step.failures} times in a row now`}
        </strong>
        <p>{run.error}</p>
        <p class="measure">
          What the table held stays as it was. {step.next ? <>It is tried again <Time at={step.next} />.</> : null}
        </p>
        <Button onClick={again}>Try now</Button>
      </div>
    </div>
  );
}

function Facts({ step }: { step: StepDetail }) {
  const run = step.last;
  const time = run ? took(run) : null;
  const rows: [string, ComponentChildren][] = [["State", <Badge word={step.state} tone={tone_of(step.state)} />]];
  if (step.blocked_by) rows.push(["Blocked by", <a href={step_path(step.blocked_by)}>{short_name(step.blocked_by)}</a>]);
  if (step.waits_for) rows.push(["Waits for", short_name(step.waits_for)]);
  if (step.progress) rows.push(["Doing", <Progress {...step.progress} />]);
  rows.push(
    ["Reads", <Tables names={step.inputs} />],
    ["Makes", step.table ? <a href={table_path(step.table)}>{table_name(step.table)}</a> : "no table"],
    ["Read by", step.readers.length === 0 ? <span class="absent-value">no other step</span> : <span class="name-list">{step.readers.map((one) => <a key={one} href={step_path(one)}>{short_name(one)}</a>)}</span>],
    ["Last run", run ? <><a href={run_path(step.step, run.run)}>#{run.run}</a>, <Time at={run.started} />{time !== null && `, ${milliseconds(time)}`}</> : "not yet"],
  );
  if (run?.rows_written !== undefined) rows.push(["Rows of it", <><Count value={run.rows_written} unit="row" /> written{run.rows_set_aside ? <>, <Count value={run.rows_set_aside} /> set aside</> : null}</>]);
  rows.push(["Runs", step.definition?.schedule ?? "when an input changes"], ["Next run", step.next ? <Time at={step.next} /> : <span class="absent-value">when it is due</span>]);
  return <KeyValue rows={rows} />;
}

function Progress({ what, done, total }: { what: string; done: number; total: number }) {
  if (total === 0) return <>{what}</>;
  return (
    <>
      {what} <progress value={done} max={total} aria-label={what} />
    </>
  );
}

function DefinitionCards({ step }: { step: StepDetail }) {
  const definition = step.definition;
  if (definition === null)
    return (
      <Card title="Definition">
        <Empty title={step.definition_hidden ? "Not visible to you" : "Not in the lakefile any more"}>
          {step.definition_hidden && "SQL names tables and columns: it is shown to who sees all of the tables behind it."}
        </Empty>
      </Card>
    );
  return (
    <>
      {definition.sql !== undefined && (
        <Card title="SQL" aside={<span class="measure">{[definition.key?.length ? `key ${definition.key.join(", ")}` : "", definition.partition ? `partitioned by ${definition.partition}` : ""].filter(Boolean).join(" \u00B7 ")}</span>}>
          {definition.description && <p class="card-text">{definition.description}</p>}
          <CodeBlock text={definition.sql.trim()} label={`SQL of ${short_name(step.step)}`} />
        </Card>
      )}
      {definition.when !== undefined && (
        <Card title="Rule" aside={<a href={`/alerts/${encodeURIComponent(short_name(step.step))}`}>Open the alert</a>}>
          <CodeBlock text={definition.when.trim()} label="Condition of the alert" />
        </Card>
      )}
      {definition.sql === undefined && definition.when === undefined && (
        <Card title="Definition" aside={step.table && <a href={`/models/${encodeURIComponent(step.table)}`}>Open the model</a>}>
          <OtherDefinition definition={definition} />
        </Card>
      )}
      {definition.sql !== undefined && <Checks step={step} checks={definition.checks ?? []} />}
    </>
  );
}

function OtherDefinition({ definition }: { definition: Definition }) {
  const rows: [string, ComponentChildren][] = [];
  for (const [name, value] of Object.entries(definition)) {
    const text = Array.isArray(value) ? value.join(", ") : value !== null && typeof value === "object" ? Object.entries(value).map(([key, one]) => `${key} ${String(one)}`).join(", ") : String(value ?? "");
    if (text !== "") rows.push([name.replace(/_/g, " "), text]);
  }
  return <KeyValue rows={rows} />;
}

const consequences: Record<string, string> = { stop: "stop: the table stays as it was", set_aside: "rows that fail are set aside", warn: "warn" };

function Checks({ step, checks }: { step: StepDetail; checks: { check: string; consequence: string }[] }) {
  const said = [...(step.last?.warnings ?? []), step.last?.error ?? ""].join("\n");
  return (
    <Card title="Checks">
      <Table
        label="Checks of the table"
        word="checks"
        columns={[
          { name: "check", title: "Check", value: (row) => row.check, show: (row) => <code>{row.check}</code> },
          { name: "consequence", title: "When it fails", value: (row) => row.consequence, show: (row) => consequences[row.consequence] ?? row.consequence },
          {
            name: "last",
            title: "Last run",
            value: (row) => said.includes(row.check),
            show: (row) => (step.last === null ? <Badge word="not yet" tone="mute" /> : said.includes(row.check) ? <Badge word="failed" tone={row.consequence === "stop" ? "bad" : "warn"} /> : step.last.outcome === "done" ? <Badge word="passed" tone="good" /> : <Badge word="not reached" tone="mute" />),
          },
        ]}
        rows={checks}
        row_key={(row) => row.check}
        empty={<Empty title="No checks.">A check is a line under <code>checks:</code> in the lakefile.</Empty>}
      />
    </Card>
  );
}
