// The lake at a glance: what comes in, what there is, what ran, what is wrong, who reads; each line leads on.

import { LineChart } from "../../charts/line_chart";
import type { Source } from "../../api";
import { duration, number } from "../../format";
import { use_live } from "../../live";
import { lake, me } from "../../session";
import { use_title } from "../../title";
import { Answered, Badge, Bytes, bytes_text, Card, Count, Empty, Loading, Page, Table, Time } from "../../ui";
import { FirstChart, FirstSteps, making, sample_shown } from "./first_steps";
import type { AlertsNow, Catalog, CatalogTable, Growth, Run, Runs, Usage } from "./shapes";
import { Sources } from "./sources";
import "./style.css";

export function Screen() {
  use_title("Home");
  const catalog = use_live<Catalog>("/api/v1/catalog", { tables: "*" });
  const tables = catalog.data.value?.tables ?? null;
  const empty = tables !== null && (tables.length === 0 || sample_shown.value || making.value);
  return (
    <Page title={lake.value || "Your lake"} name="home" note={<Greeting tables={tables} />}>
      {tables === null ? <Answered of={catalog} what="lake" children={() => null} /> : empty ? <Start /> : <Glance tables={tables} />}
    </Page>
  );
}

/** Of a lake without tables. Who may not even see what comes in would declare nothing: to that person it is closed, not empty. */
function Start() {
  const sources = use_live<unknown>("/api/v1/sources", { every_ms: 0 });
  const who = me.value?.user ?? "";
  if (sample_shown.value || making.value) return <FirstSteps may={who} />;
  if (sources.data.value === null && sources.error.value === null) return <Loading what="lake" />;
  if (sources.error.value?.status !== 403) return <FirstSteps may={who} />;
  return (
    <Card title="Nothing is visible to you yet">
      <p class="calm-note">You are signed in as {who}. What a role of yours is granted appears here by itself: ask who administers the lake.</p>
    </Card>
  );
}

function Greeting({ tables }: { tables: CatalogTable[] | null }) {
  if (tables === null || tables.length === 0) return null;
  const newest = tables.reduce<string | null>((best, one) => (one.updated !== null && (best === null || one.updated > best) ? one.updated : best), null);
  return newest === null ? null : (
    <>
      newest change <Time at={newest} />
    </>
  );
}

function Glance({ tables }: { tables: CatalogTable[] }) {
  const runs = use_live<Runs>("/api/v1/runs?limit=1000", { every_ms: 5000 });
  const alerts = use_live<AlertsNow>("/api/v1/alerts", { every_ms: 5000 });
  const sources = use_live<{ sources: Source[] }>("/api/v1/sources", { every_ms: 3000 });
  const whole = tables.filter((one) => one.whole && one.kind === "table");
  const rows = whole.reduce((sum, one) => sum + (one.rows ?? 0), 0);
  const bytes = whole.reduce((sum, one) => sum + (one.bytes ?? 0), 0);
  return (
    <>
      <section class="tiles" aria-label="The lake in numbers">
        <Tile title="Tables" to="/catalog" value={number(tables.length)} about={zones_line(tables)} />
        <Tile title="Stored" to="/catalog?sort=-bytes" value={bytes_text(bytes)} about={`${number(rows)} rows`} />
        <RunsTile runs={runs} />
        <AlertsTile alerts={alerts} />
      </section>
      <div class="home-grid">
        <div class="home-column">
          <Sources tables={tables} sources={sources} />
          <Zones tables={tables} />
          <Readers />
        </div>
        <div class="home-column needs">
          <FirstChart tables={tables} />
          <Troubles tables={tables} sources={sources.data.value?.sources ?? null} runs={runs.data.value?.runs ?? null} alerts={alerts.data.value} />
          <Storage />
        </div>
      </div>
    </>
  );
}

function zones_line(tables: CatalogTable[]): string {
  const zones = new Set(tables.map((one) => one.database)).size;
  return zones === 1 ? "in 1 zone" : `in ${zones} zones`;
}

function Tile(props: { title: string; to: string | null; value: string; about: string; tone?: string }) {
  const inside = (
    <>
      <h2>{props.title}</h2>
      <p class={`value ${props.tone ?? ""}`}>{props.value}</p>
      <p class="foot">{props.about}</p>
    </>
  );
  return props.to === null ? (
    <div class="tile" role="group" aria-label={props.title}>
      {inside}
    </div>
  ) : (
    <a class="tile" href={props.to}>
      {inside}
    </a>
  );
}

type Live<T> = ReturnType<typeof use_live<T>>;

function RunsTile({ runs }: { runs: Live<Runs> }) {
  const to = "/pipelines";
  const found = runs.data.value?.runs;
  if (found === undefined) return runs.error.value ? <Tile title="Runs today" to={null} value={"\u2013"} about={refusal(runs.error.value.status)} /> : <Tile title="Runs today" to={to} value={"\u2026"} about="" />;
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  const today = found.filter((run) => Date.parse(run.started) >= midnight.getTime());
  const count = (outcome: string) => today.filter((run) => run.outcome === outcome).length;
  const failed = count("failed");
  const more = found.length >= 1000 && today.length === found.length ? "+" : "";
  return <Tile title="Runs today" to={to} value={number(today.length) + more} about={`${number(count("done"))} ok, ${number(failed)} failed, ${number(count("running"))} running`} tone={failed > 0 ? "bad-text" : ""} />;
}

function AlertsTile({ alerts }: { alerts: Live<AlertsNow> }) {
  const to = "/alerts";
  const found = alerts.data.value;
  if (found === null) return alerts.error.value ? <Tile title="Open alerts" to={null} value={"\u2013"} about={refusal(alerts.error.value.status)} /> : <Tile title="Open alerts" to={to} value={"\u2026"} about="" />;
  const open = found.alerts.reduce((sum, rule) => sum + rule.open, 0);
  return <Tile title="Open alerts" to={to} value={number(open)} about={found.alerts.length === 0 ? "no rule is declared" : `of ${found.alerts.length} ${found.alerts.length === 1 ? "rule" : "rules"}`} tone={open > 0 ? "bad-text" : ""} />;
}

const refusal = (status: number): string => (status === 403 ? "not visible to you" : status === 0 ? "not reached" : "not answered");

function Storage() {
  const growth = use_live<Growth>("/api/v1/growth?hours=24", { every_ms: 30_000 });
  return (
    <Card title="Storage, last 24 hours" aside={<span class="unit">of what you see whole</span>}>
      <Answered of={growth} what="growth">
        {(found) => {
          const first = found.points[0];
          const last = found.points[found.points.length - 1];
          if (!first || !last || last.bytes === 0) return <Empty title="Nothing is stored yet." />;
          // The line begins where there was something to store.
          const begin = Math.max(0, found.points.findIndex((point) => point.bytes > 0) - 1);
          const points = found.points.slice(begin);
          const grown = last.bytes - first.bytes;
          const unit = last.bytes >= 1e9 ? ["GB", 1e9] as const : last.bytes >= 1e6 ? ["MB", 1e6] as const : ["kB", 1e3] as const;
          return (
            <>
              <LineChart
                title="Storage"
                unit={unit[0]}
                columns={[
                  { name: "at", type: "timestamp with time zone", role: "x" },
                  { name: `stored_${unit[0]}`, type: "double precision", role: "measure" },
                ]}
                rows={points.map((point) => [point.at, point.bytes / unit[1]])}
              />
              <p class="foot">
                <span>
                  {grown >= 0 ? "+" : ""}
                  {bytes_text(grown)} in 24 h
                </span>
                <span>{number(last.rows)} rows</span>
                <details class="twin-figures">
                  <summary>As a table</summary>
                  <Table
                    label="Storage by time"
                    word="growth"
                    rows={points}
                    row_key={(point) => point.at}
                    columns={[
                      { name: "at", title: "At", value: (point) => point.at, show: (point) => <Time at={point.at} exact /> },
                      { name: "bytes", title: "Stored", value: (point) => point.bytes, show: (point) => <Bytes value={point.bytes} />, right: true },
                      { name: "rows", title: "Rows", value: (point) => point.rows, show: (point) => <Count value={point.rows} />, right: true },
                    ]}
                  />
                </details>
              </p>
            </>
          );
        }}
      </Answered>
    </Card>
  );
}

interface Zone {
  name: string;
  tables: number;
  rows: number | null; // of the tables that the viewer sees whole; null: of none
  bytes: number | null;
  updated: string | null;
}

function Zones({ tables }: { tables: CatalogTable[] }) {
  const zones = new Map<string, Zone>();
  for (const one of tables) {
    const zone = zones.get(one.database) ?? { name: one.database, tables: 0, rows: null, bytes: null, updated: null };
    zone.tables++;
    if (one.whole) {
      zone.rows = (zone.rows ?? 0) + (one.rows ?? 0);
      zone.bytes = (zone.bytes ?? 0) + (one.bytes ?? 0);
    }
    if (one.updated !== null && (zone.updated === null || one.updated > zone.updated)) zone.updated = one.updated;
    zones.set(one.database, zone);
  }
  return (
    <Card title="Tables by zone">
      <Table
        label="Tables by zone"
        word="zones"
        start_sort="-bytes"
        rows={[...zones.values()]}
        row_key={(zone) => zone.name}
        columns={[
          { name: "name", title: "Zone", value: (zone) => zone.name, show: (zone) => <a href={`/catalog/${encodeURIComponent(zone.name)}`}>{zone.name}</a> },
          { name: "tables", title: "Tables", value: (zone) => zone.tables, right: true },
          { name: "rows", title: "Rows", value: (zone) => zone.rows, show: (zone) => <Count value={zone.rows} />, right: true },
          { name: "bytes", title: "Size", value: (zone) => zone.bytes, show: (zone) => <Bytes value={zone.bytes} />, right: true },
          { name: "updated", title: "Changed", value: (zone) => zone.updated, show: (zone) => <Time at={zone.updated} absent="never" />, wide_from: 480 },
        ]}
      />
    </Card>
  );
}

function Troubles({ tables, sources, runs, alerts }: { tables: CatalogTable[]; sources: Source[] | null; runs: Run[] | null; alerts: AlertsNow | null }) {
  const late = tables.filter((one) => one.late);
  if (sources === null && runs === null && alerts === null && late.length === 0) return null;
  const broken = (sources ?? []).filter((source) => trouble_of(source) !== "");
  // The newest of each step; the runs come newest first.
  const all_failed = (runs ?? []).filter((run) => run.outcome === "failed");
  const times = (step: string) => all_failed.filter((run) => run.step === step).length;
  const failed = all_failed.filter((run, i) => all_failed.findIndex((one) => one.step === run.step) === i).slice(0, 5);
  const open = (alerts?.alerts ?? []).filter((rule) => rule.open > 0 || rule.error);
  return (
    <Card title="What needs somebody">
      {broken.length === 0 && failed.length === 0 && open.length === 0 && late.length === 0 && (
        <p class="calm-note">
          <Badge word="ok" /> No source has a problem, no run has failed of late, no alert is open, and no table is late.
        </p>
      )}
      <ul class="plain-list">
        {broken.map((source) => (
          <li key={source.name}>
            <Badge word={source.last_error ? "failed" : "paused"} />
            <a href={`/pipelines?source=${encodeURIComponent(source.name)}`}>{source.name}</a>
            <p class="problem">{trouble_of(source)}</p>
          </li>
        ))}
        {open.map((rule) => (
          <li key={rule.rule}>
            <Badge word={rule.error ? "failed" : "open"} />
            <a href={`/alerts/${encodeURIComponent(rule.rule)}`}>{rule.rule}</a>
            <span class="measure">{rule.error ? rule.error : `${number(rule.open)} open`}</span>
          </li>
        ))}
        {late.map((one) => (
          <li key={`${one.database}.${one.table}`}>
            <Badge word="late" />
            <a href={`/catalog/${encodeURIComponent(one.database)}/${encodeURIComponent(one.table)}`}>{one.database === "main" ? one.table : `${one.database}.${one.table}`}</a>
            <span class="measure">
              {one.updated === null ? "no rows yet" : <Time at={one.updated} />}, expected every {duration(one.fresh_s ?? 0)}
            </span>
          </li>
        ))}
        {failed.map((run) => (
          <li key={`${run.step} ${run.run}`}>
            <Badge word="failed" />
            <a href={`/pipelines/${encodeURIComponent(run.step)}`}>{run.step}</a>
            <span class="measure">
              {times(run.step) > 1 && `${number(times(run.step))} times, `}
              <Time at={run.started} />
            </span>
            {run.error && <p class="problem">{run.error}</p>}
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** What keeps a source, or one of its tables, from going on. */
const trouble_of = (source: Source): string => source.last_error || source.tables.map((table) => table.paused || table.last_error).find((text) => text) || "";

function Readers() {
  const usage = use_live<Usage>("/api/v1/usage?hours=24", { every_ms: 30_000 });
  if (usage.error.value?.status === 403) return null; // the trail is not theirs to read
  return (
    <Card title="Who reads, last 24 hours" aside={<a href="/access?tab=audit">Audit trail</a>}>
      {usage.data.value === null ? (
        usage.error.value ? <Answered of={usage} what="readers" children={() => null} /> : <Loading what="readers" />
      ) : (
        <Table
          label="Who reads"
          word="readers"
          start_sort="-times"
          rows={usage.data.value.readers}
          row_key={(one) => one.principal}
          empty={<Empty title="Nobody has read anything yet." />}
          columns={[
            {
              name: "principal",
              title: "Who",
              value: (one) => one.principal,
              show: (one) => (one.principal === "" ? "not signed in" : <a href={`/access?tab=audit&principal=${encodeURIComponent(one.principal)}`}>{one.principal}</a>),
            },
            { name: "what", title: "What", unsorted: true, value: (one) => one.what.map((part) => part.name).join(" "), show: (one) => <What parts={one.what} doors={one.doors} />, wide_from: 480 },
            { name: "times", title: "Requests", value: (one) => one.times, show: (one) => <Count value={one.times} />, right: true },
            { name: "refused", title: "Refused", value: (one) => one.refused, show: (one) => <Count value={one.refused} />, right: true, wide_from: 700 },
            { name: "last", title: "Last", value: (one) => one.last, show: (one) => <Time at={one.last} /> },
          ]}
        />
      )}
    </Card>
  );
}

function What({ parts, doors }: { parts: { name: string; times: number }[]; doors: { name: string; times: number }[] }) {
  const tables = parts.map((part) => part.name.replace(/^table\//, "").replace("/", ".")).slice(0, 2);
  return (
    <span class="parts">
      {(tables.length > 0 ? tables : doors.map((door) => (door.name === "http" ? "console, API" : door.name))).map((one) => (
        <span key={one}>{one}</span>
      ))}
    </span>
  );
}
