// One declared dashboard: numbers first, what needs somebody beside the charts, tables across.

import { useSignal } from "@preact/signals";
import type { Cell, FilterChoice } from "../../api";
import { milliseconds, words } from "../../format";
import { Button, CodeBlock, Menu } from "../../ui";
import { ChartCards } from "./cards";
import { Edit } from "./edit";
import { Share } from "./share";
import { AlertsPanel, SourcesPanel } from "./panels";
import { use_title } from "../../title";
import { Waiting } from "./waiting";
import { choose, dashboard, dashboard_error, dashboards, listed, load, route, try_again } from "./state";

/** The declared dashboards, one beside the other. */
export function DashboardTabs() {
  const list = dashboards.value;
  const name = route.value.name ?? list[0]?.name;
  const title = list.find((one) => one.name === name)?.title ?? name;
  use_title(...(title === undefined ? ["Dashboards"] : [title, "Dashboards"]));
  if (list.length < 2) return null; // its title stands below
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

function Actions({ name }: { name: string }) {
  const open = useSignal<"edit" | "embed" | null>(null);
  const close = () => {
    open.value = null;
    void load();
  };
  return (
    <div class="page-actions">
      <Button onClick={() => (open.value = "edit")}>Edit</Button>
      <Menu
        label="Share"
        items={[
          { label: "Full screen", run: () => void document.documentElement.requestFullscreen?.() },
          { label: "Print or save as PDF", run: () => print() },
          { label: "Embed", run: () => (open.value = "embed") },
        ]}
      />
      {open.value === "edit" && <Edit name={name} close={close} />}
      {open.value === "embed" && <Share name={name} close={close} />}
    </div>
  );
}

export function DashboardPage() {
  const page = dashboard.value;
  const error = dashboard_error.value;
  if (page === null) {
    if (error !== null) return <Failed status={error.status} message={error.message} />;
    return listed.value && dashboards.value.length === 0 && route.value.name === null ? <NothingDeclared /> : <Waiting />;
  }
  // The same value again takes the narrowing away.
  const narrow = (column: string, value: Cell) => {
    const before = page.filters.find((filter) => filter.name === column)?.selected ?? [];
    choose(column, before.length === 1 && before[0] === String(value) ? [] : [String(value)]);
  };
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
        <Actions name={page.name} />
      </div>
      {error !== null && (
        <p class="banner" role="status">
          {error.status === 0 ? "The server cannot be reached. These are the last figures." : error.message}
        </p>
      )}
      <div class="columns">
        <div class="chart-side">
          <ChartCards page={page} choose={narrow} />
        </div>
        <aside class="side" aria-label="Alerts and sources">
          <AlertsPanel />
          <SourcesPanel charts={page.charts} />
        </aside>
      </div>
    </div>
  );
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
        <button type="button" class="primary" onClick={try_again}>
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
      <p>
        <a href="/workbench/questions">Ask a question</a>, open it in the editor and save it as a chart; or write a dashboard into the lakefile and run <code>tarn apply lake.yaml</code>. It appears here by itself. One of the example&rsquo;s:
      </p>
      <CodeBlock text={example} label="A dashboard in the lakefile" />
    </div>
  );
}
