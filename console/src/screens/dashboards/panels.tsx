// Beside the charts: what is wrong now, and how fresh what is shown is.

import type { Cell, Chart, OpenAlert, Source } from "../../api";
import { ago, as_number, exact_time, hours, number, share, words } from "../../format";
import { now } from "../../live";
import { alerts, recoveries, sources } from "./state";
import { State } from "../../charts/table";

/** Beside the charts there is room for more than above them. */
const most_shown = (): number => (innerWidth <= 700 ? 3 : innerWidth <= 1180 ? 4 : 8);

export function AlertsPanel() {
  const found = alerts.value;
  const shown_max = most_shown();
  if (found === null) return null;
  const open = [...found.open].sort((a, b) => (a.since === b.since ? hours_left(a) - hours_left(b) : a.since < b.since ? 1 : -1));
  const broken = found.alerts.filter((rule) => rule.error);
  return (
    <section class="card panel first" aria-labelledby="alerts-title">
      <div class="card-head">
        <h2 id="alerts-title">Open alerts</h2>
        <span class={open.length > 0 ? "count bad" : "count"}>{open.length}</span>
      </div>
      {open.length === 0 && <p class="calm-note">{found.alerts.length === 0 ? "No alert is declared." : "Nothing is open. All is well."}</p>}
      <ul class="alerts" aria-live="polite">
        {open.slice(0, shown_max).map((alert) => (
          <Alert key={alert.id} alert={alert} />
        ))}
      </ul>
      {open.length > shown_max && (
        <p class="calm-note">
          <a href="/alerts">and {number(open.length - shown_max)} more</a>
        </p>
      )}
      {broken.map((rule) => (
        <p key={rule.rule} class="problem">
          {words(rule.rule)} cannot be checked: {rule.error}
        </p>
      ))}
      {recoveries.value.length > 0 && (
        <>
          <h3>Recovered</h3>
          <ul class="alerts recovered">
            {recoveries.value.map((event) => (
              <li key={event.id}>
                <span class="alert-title">
                  <span class="tick-mark" aria-hidden="true">
                    &#10003;
                  </span>{" "}
                  {key_words(event.key)}
                </span>
                <Since at={Date.parse(event.at)} />
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

/** Of alerts that opened together the most urgent stands first. */
function hours_left(alert: OpenAlert): number {
  const name = Object.keys(alert.row).find((one) => /^hours/.test(one));
  return (name === undefined ? null : as_number(alert.row[name])) ?? 0;
}

function key_words(key: Record<string, Cell>): string {
  const parts = Object.entries(key).map(([name, value]) => `${words(name)} ${String(value)}`);
  return parts.length > 0 ? parts.join(", ") : "The lake";
}

/** What of the row says most: hours left and the chance, then one or two more figures. */
function row_words(alert: OpenAlert): string {
  const out: string[] = [];
  for (const [name, cell] of Object.entries(alert.row)) {
    if (name in alert.key || cell === null) continue;
    const value = as_number(cell);
    if (/^hours/.test(name) && value !== null) out.unshift(`${hours(value)} left`);
    else if (/^p_/.test(name) && value !== null) out.push(`${words(name).toLowerCase()} ${share(value)}`);
    else if (value !== null && !/_id$/.test(name)) out.push(`${words(name).toLowerCase()} ${number(value)}`);
  }
  return out.slice(0, 3).map((part) => part.replaceAll(" ", "\u00a0")).join("\u00a0· ");
}

function Alert({ alert }: { alert: OpenAlert }) {
  const silenced = alert.silenced_until !== null;
  return (
    <li class={silenced ? "silenced" : ""}>
      <span class="alert-title">
        <span class="alert-mark" aria-hidden="true" />
        {key_words(alert.key)}
        {silenced && <span class="measure"> silenced</span>}
      </span>
      <Since at={Date.parse(alert.since)} />
      <span class="alert-text">
        {words(alert.rule)}
        {row_words(alert) && <> &ndash; {row_words(alert)}</>}
      </span>
    </li>
  );
}

function Since({ at }: { at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={exact_time(at)}>
      {ago(at, now.value)}
    </time>
  );
}

export function SourcesPanel({ charts }: { charts: Chart[] }) {
  const found = sources.value;
  if (found !== null && found.length > 0)
    return (
      <section class="card panel last" aria-labelledby="sources-title">
        <div class="card-head">
          <h2 id="sources-title">Sources</h2>
        </div>
        <ul class="sources">
          {found.map((source) => (
            <SourceLine key={source.name} source={source} />
          ))}
        </ul>
      </section>
    );
  // Without sources (or the right to list them): how fresh the tables behind the charts are.
  const tables = new Map(charts.flatMap((chart) => chart.tables).map((table) => [table.name, table.at]));
  if (tables.size === 0) return null;
  return (
    <section class="card panel last" aria-labelledby="sources-title">
      <div class="card-head">
        <h2 id="sources-title">Freshness</h2>
      </div>
      <ul class="sources">
        {[...tables].map(([name, at]) => (
          <li key={name}>
            <span class="source-name">{name.replace(/^main\./, "")}</span>
            {at ? <Since at={Date.parse(at)} /> : <span class="measure">no rows yet</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function SourceLine({ source }: { source: Source }) {
  const commits = source.tables.flatMap((table) => (table.last_commit ? [Date.parse(table.last_commit)] : []));
  const rows = source.tables.reduce((sum, table) => sum + table.rows, 0);
  const aside = source.tables.reduce((sum, table) => sum + table.rows_rejected, 0);
  const error = source.last_error || source.tables.find((table) => table.last_error)?.last_error;
  return (
    <li>
      <span class="source-name">
        {source.name} <span class="measure">{source.kind}</span>
      </span>
      {commits.length > 0 ? <Since at={Math.max(...commits)} /> : rows === 0 && <span class="measure">no rows yet</span>}
      <span class="source-text">
        <State word={source.state} />
        <span>{number(rows)} rows</span>
        {aside > 0 && <span class="warn-text">{number(aside)} set aside</span>}
      </span>
      {error && <span class="problem">{error}</span>}
    </li>
  );
}
