// Models: which there are, how good they are, and each with all that is known of it.
import { address } from "../../navigate";
import { use_live } from "../../live";
import { Answered, Badge, Card, Empty, Page, Table, Tag, Time } from "../../ui";
import { ModelPage } from "./model_page";
import { type ModelName, type ModelStep, error_of, gain, model_name, model_path, percent } from "./types";
import "./style.css";

export function Screen() {
  const model = address.value.segments[1];
  return model === undefined ? <Overview /> : <ModelPage key={model} name={model} />;
}

interface Row {
  name: string;
  href: string;
  kind: string;
  state: string;
  versions: number | null;
  current: ModelName["current"];
}


function Overview() {
  const models = use_live<{ models: ModelName[] }>("/api/v1/models", { tables: "*", every_ms: 10_000 });
  const steps = use_live<{ steps: ModelStep[] }>("/api/v1/graph", { tables: "*", every_ms: 10_000 });
  return (
    <Page name="models-screen" title="Models">
      <Answered of={models} what="models" lines={6}>
        {(data) => {
          const known = new Set(data.models.map((model) => model.model));
          const states = new Map((steps.data.value?.steps ?? []).map((step) => [step.table, step.state]));
          const rows: Row[] = data.models.map((model) => ({ name: model_name(model.model), href: model_path(model.model), kind: "forecast", state: states.get(model.model) ?? "", versions: model.versions, current: model.current }));
          for (const step of steps.data.value?.steps ?? [])
            if (step.kind === "model" && step.table !== null && !known.has(step.table))
              rows.push({ name: model_name(step.table), href: model_path(step.table), kind: step.last?.outcome === "done" ? "scores" : "not trained", state: step.state, versions: null, current: null });
          return rows.length === 0 ? (
            <Card title="No models yet">
              <Empty title="No model that you can see.">
                A forecast is a few lines under <code>models:</code> in the lakefile.
              </Empty>
            </Card>
          ) : (
            <Card title="Models">
              <List rows={rows} />
            </Card>
          );
        }}
      </Answered>
    </Page>
  );
}

function List({ rows }: { rows: Row[] }) {
  return (
    <Table
      label="Models"
      word="models"
      {...(rows.length > 8 ? { find: "Filter models" } : {})}
      columns={[
        { name: "model", title: "Model", value: (row) => row.name, show: (row) => <a href={row.href}>{row.name}</a> },
        { name: "kind", title: "Kind", value: (row) => row.kind, show: (row) => <Tag>{row.kind}</Tag>, wide_from: 500 },
        { name: "state", title: "State", value: (row) => row.state, show: (row) => (row.state ? <Badge word={row.state} tone={row.state === "failed" ? "bad" : row.state === "idle" ? "good" : "busy"} /> : "") },
        { name: "error", title: "Error", value: (row) => row.current && error_of(row.current, "model"), show: (row) => (row.current ? percent(error_of(row.current, "model")) : <span class="absent-value">&ndash;</span>), right: true },
        { name: "naive", title: "Seasonal naive", value: (row) => row.current && error_of(row.current, "seasonal_naive"), show: (row) => (row.current ? percent(error_of(row.current, "seasonal_naive")) : <span class="absent-value">&ndash;</span>), right: true, wide_from: 700 },
        { name: "gain", title: "Less error", value: (row) => row.current && gain(row.current), show: (row) => <Gain row={row} />, right: true },
        { name: "version", title: "In use", value: (row) => row.current?.version, show: (row) => (row.current ? `version ${row.current.version} of ${row.versions}` : <span class="absent-value">&ndash;</span>), wide_from: 900 },
        { name: "created", title: "Made", value: (row) => row.current?.created, show: (row) => <Time at={row.current?.created} />, wide_from: 1100 },
      ]}
      rows={rows}
      row_key={(row) => row.name}
    />
  );
}

function Gain({ row }: { row: Row }) {
  const better = row.current && gain(row.current);
  if (better === null) return <span class="absent-value">&ndash;</span>;
  return <Badge word={better >= 0 ? `${(100 * better).toFixed(0)}% less` : `${(-100 * better).toFixed(0)}% more`} tone={better > 0 ? "good" : "warn"} />;
}
