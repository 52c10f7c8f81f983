// One declared dashboard: numbers first, what needs somebody beside the charts, tables across.

import type { Chart, FilterChoice } from "../../api";
import { ChartCard, is_wide, NumberTile } from "../../charts/chart";
import { milliseconds, words } from "../../format";
import { AlertsPanel, SourcesPanel } from "./panels";
import { use_title } from "../../title";
import { choose, dashboard, dashboard_error, dashboards, load, route } from "./state";

/** The declared dashboards, one beside the other. */
export function DashboardTabs() {
  const list = dashboards.value;
  const name = route.value.name ?? list[0]?.name;
  const title = list.find((one) => one.name === name)?.title ?? name;
  use_title(...(title === undefined ? ["Dashboards"] : [title, "Dashboards"]));
  return (
    <nav class="dashboard-tabs" aria-label="Dashboards">
      {list.map((one) => (
        <a key={one.name} href={`/dashboards/${encodeURIComponent(one.name)}`} aria-current={one.name === name ? "page" : undefined}>
          {one.title}
        </a>
      ))}
    </nav>
  );
}

export function DashboardPage() {
  const page = dashboard.value;
  const error = dashboard_error.value;
  if (page === null) {
    if (error !== null) return <Failed status={error.status} message={error.message} />;
    return dashboards.value.length === 0 && route.value.name === null ? <NothingDeclared /> : <Waiting />;
  }
  const numbers = page.charts.filter((chart) => chart.kind === "number");
  const others = page.charts.filter((chart) => chart.kind !== "number");
  const alone = rows_of_their_own(others);
  return (
    <div class="page">
      <div class="page-head">
        <h1>{page.title}</h1>
        {page.filters.length > 0 && (
          <div class="filters" role="group" aria-label="Filters">
            {page.filters.map((filter) => (
              <Filter key={filter.name} filter={filter} />
            ))}
          </div>
        )}
        <span class="cost" title="Time the server took for the whole page">
          {milliseconds(page.milliseconds)}
        </span>
      </div>
      {error !== null && (
        <p class="banner" role="status">
          {error.status === 0 ? "The server cannot be reached. These are the last figures." : error.message}
        </p>
      )}
      {numbers.length > 0 && (
        <section class="tiles" aria-label="Key figures">
          {keyed(numbers).map(([key, chart]) => (
            <NumberTile key={key} chart={chart} />
          ))}
        </section>
      )}
      <div class="columns">
        <section class="charts" aria-label="Charts">
          {keyed(others).map(([key, chart], i) => (
            <ChartCard key={key} chart={chart} wide={alone.has(i)} />
          ))}
        </section>
        <aside class="side" aria-label="Alerts and sources">
          <AlertsPanel />
          <SourcesPanel charts={page.charts} />
        </aside>
      </div>
    </div>
  );
}

/** Small charts stand in pairs; one without a neighbour takes the row. */
function rows_of_their_own(charts: Chart[]): Set<number> {
  const out = new Set<number>();
  for (let i = 0; i < charts.length; i++) {
    if (!is_wide(charts[i]!) && i + 1 < charts.length && !is_wide(charts[i + 1]!)) i++;
    else out.add(i);
  }
  return out;
}

/** A chart keeps its place on the page by its title. */
function keyed(charts: Chart[]): [string, Chart][] {
  const seen = new Map<string, number>();
  return charts.map((chart) => {
    const times = seen.get(chart.title) ?? 0;
    seen.set(chart.title, times + 1);
    return [`${chart.kind} ${chart.title} ${times}`, chart];
  });
}

function Filter({ filter }: { filter: FilterChoice }) {
  const chosen = filter.selected[0] ?? "";
  const values = chosen !== "" && !filter.values.includes(chosen) ? [chosen, ...filter.values] : filter.values;
  const label = words(filter.name);
  return (
    <label class={chosen ? "filter chosen" : "filter"}>
      <span>{label}</span>
      <select
        value={chosen}
        onChange={(event) => {
          const value = event.currentTarget.value;
          choose(filter.name, value === "" ? [] : [value]);
        }}
      >
        <option value="">All</option>
        {values.map((value) => (
          <option key={value} value={value}>
            {value}
          </option>
        ))}
      </select>
    </label>
  );
}

function Waiting() {
  return (
    <div class="page" aria-busy="true" aria-label="Loading the dashboard">
      <div class="page-head">
        <span class="ghost title" />
      </div>
      <div class="tiles">
        {[0, 1, 2].map((i) => (
          <div key={i} class="tile">
            <span class="ghost" />
            <span class="ghost big" />
          </div>
        ))}
      </div>
      <div class="columns">
        <div class="charts">
          <div class="card">
            <span class="ghost" />
            <span class="ghost area" />
          </div>
        </div>
      </div>
    </div>
  );
}

function Failed({ status, message }: { status: number; message: string }) {
  const list = dashboards.value;
  return (
    <div class="empty" role="alert">
      <h1>{status === 404 ? "No such dashboard" : status === 0 ? "The lake does not answer" : "The dashboard did not load"}</h1>
      <p>{message}</p>
      {status === 404 && list[0] ? (
        <p>
          <a href={`/dashboards/${encodeURIComponent(list[0].name)}`}>Open {list[0].title}</a>
        </p>
      ) : (
        <button type="button" class="primary" onClick={() => void load()}>
          Try again
        </button>
      )}
    </div>
  );
}

const example = `dashboards:
  stock:
    filters: [store_id]
    charts:
      - {title: Shelves at risk, number: count(*), from: risk, where: p_empty > 0.8}
      - {title: Sales and forecast, line: [units, demand], by: day, from: daily_sales}`;

function NothingDeclared() {
  return (
    <div class="empty">
      <h1>No dashboard is declared yet</h1>
      <p>Write one into the lakefile, then run <code>tarn apply lake.yaml</code>. It appears here by itself.</p>
      <pre tabIndex={0}>{example}</pre>
    </div>
  );
}
