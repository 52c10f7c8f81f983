// One model: how good it is, what it learnt, its versions, its inputs, and asking it.
import { useState } from "preact/hooks";
import { path_of } from "../../api";
import { do_ask, use_live } from "../../live";
import { Answered, Badge, Button, Card, Confirm, Empty, KeyValue, Loading, Page, Table, Tabs, Time, toast } from "../../ui";
import { BackTest } from "./back_test";
import { DriftCards } from "./drift";
import { CameTrue } from "./came_true";
import { Features } from "./features";
import { ScoreByHand } from "./score";
import { type ModelStep, type Monitor, type Outcomes, type Version, error_of, gain, model_name, percent } from "./types";

export function ModelPage({ name }: { name: string }) {
  const versions = use_live<{ versions: Version[]; outcomes: Outcomes | null }>(path_of("/api/v1/models", name) + "?limit=200", { tables: "*", every_ms: 10_000 });
  const list = versions.data.value?.versions ?? [];
  const monitor = use_live<Monitor>(list.length === 0 ? null : path_of("/api/v1/models", name, "monitor"), { every_ms: 60_000 });
  const current = list.find((version) => version.current) ?? null;
  const table = name.includes(".") ? name : `main.${name}`;
  const again = () => {
    versions.again();
    monitor.again();
  };
  return (
    <Page
      name="models-screen"
      title={model_name(name)}
      note={
        current && (
          <>
            <Badge word={`version ${current.version} in use`} tone="good" /> <span class="measure">made <Time at={current.created} /></span>
          </>
        )
      }
    >
      <nav class="crumbs" aria-label="Where this is">
        <a href="/models">Models</a> <span aria-hidden="true">/</span> {model_name(name)}
        <span class="crumb-aside">
          <a href={`/catalog/${table.split(".").map(encodeURIComponent).join("/")}`}>{list.length === 0 ? "Its rows" : "Its forecasts"}</a> {"\u00B7"} <a href={`/pipelines/${encodeURIComponent("models." + model_name(name))}`}>Its runs</a>
        </span>
      </nav>
      <Answered of={versions} what="model" lines={6}>
        {(data) =>
          data.versions.length === 0 ? (
            <WithoutVersions table={table} />
          ) : (
            <>
              <Tiles version={current ?? data.versions[0]!} />
              <Tabs
                label="Views of the model"
                tabs={[
                  { name: "backtest", title: "Back-test", show: () => <BackTest version={current ?? data.versions[0]!} monitor={monitor.data.value} /> },
                  { name: "outcomes", title: "As it came true", show: () => <CameTrue outcomes={data.outcomes} /> },
                  { name: "features", title: "Features", show: () => <Features version={current ?? data.versions[0]!} /> },
                  { name: "inputs", title: "Drift", show: () => <DriftCards monitor={monitor.data.value} /> },
                  { name: "versions", title: "Versions", count: data.versions.length, show: () => <Versions versions={data.versions} done={again} /> },
                  { name: "score", title: "Score by hand", show: () => (current === null ? <Empty title="No version is in use." /> : <ScoreByHand key={current.version} version={current} />) },
                ]}
              />
            </>
          )
        }
      </Answered>
    </Page>
  );
}

/** It keeps none (stock-out risk), has none yet, or is not there for the viewer. */
function WithoutVersions({ table }: { table: string }) {
  const graph = use_live<{ steps: ModelStep[] }>("/api/v1/graph", { tables: "*", every_ms: 10_000 });
  if (graph.data.value === null && graph.error.value === null) return <Loading what="model" lines={3} />;
  const step = graph.data.value?.steps.find((one) => one.kind === "model" && one.table === table);
  if (step === undefined)
    return (
      <Card title="No version">
        <Empty title="It has not been trained, or is not visible to you.">A version is made when the model&rsquo;s step first runs.</Empty>
      </Card>
    );
  const trouble = step.last?.outcome === "failed" ? step.last.error : "";
  if (step.last?.outcome !== "done")
    return (
      <Card title="No version yet" aside={<Badge word={step.state} />}>
        <Empty title="It has not been trained.">{trouble || "A version is made when the model\u2019s step first runs."}</Empty>
      </Card>
    );
  return (
    <Card title="How it is" aside={<Badge word={step.state} />}>
      <p class="calm-note">It learns nothing by itself, so that it keeps no versions: each run computes all of its rows from what its inputs hold.</p>
      <KeyValue
        rows={[
          ["Computed from", step.inputs.map(model_name).join(", ")],
          ["Last run", <Time at={step.last.ended} />],
          ["Its rows", <a href={`/catalog/${table.split(".").map(encodeURIComponent).join("/")}?tab=sample`}>{model_name(table)}</a>],
        ]}
      />
    </Card>
  );
}

function Tiles({ version }: { version: Version }) {
  const better = gain(version);
  const metric = version.back_test.metric.toUpperCase();
  const tiles: [string, string, string][] = [
    [`Error (${metric})`, percent(error_of(version, "model")), "in the back-test"],
    ["Seasonal naive", percent(error_of(version, "seasonal_naive")), "the season before, again"],
    ["Less error than that", better === null ? "\u2013" : percent(100 * better), better !== null && better < 0 ? "it is worse" : "of the naive error"],
    ["In p10\u2013p90", percent(version.back_test.total.find((score) => score.method === "model")?.coverage), "80% is right"],
  ];
  return (
    <div class="tiles">
      {tiles.map(([title, value, note]) => (
        <section class="tile" key={title} aria-label={title}>
          <h2>{title}</h2>
          <div class="value">{value}</div>
          <div class="foot">{note}</div>
        </section>
      ))}
    </div>
  );
}

function Versions({ versions, done }: { versions: Version[]; done: () => void }) {
  const [wanted, set_wanted] = useState<Version | null>(null);
  const current = versions.find((version) => version.current);
  const back = wanted !== null && current !== undefined && wanted.version < current.version;
  return (
    <Card title="Versions" aside={<span class="measure">newest first</span>}>
      <Table
        label="Versions of the model"
        word="versions"
        columns={[
          { name: "version", title: "Version", value: (one) => one.version },
          { name: "use", title: "In use", value: (one) => one.current, show: (one) => (one.current ? <Badge word="in use" tone="good" /> : one.promoted ? <span class="measure">was in use</span> : <span class="measure">not promoted</span>) },
          { name: "created", title: "Made", value: (one) => one.created, show: (one) => <Time at={one.created} />, wide_from: 500 },
          { name: "trained_to", title: "Knows up to", value: (one) => one.trained_to, wide_from: 500 },
          { name: "error", title: "Error", value: (one) => error_of(one, "model"), show: (one) => percent(error_of(one, "model")), right: true },
          { name: "naive", title: "Seasonal naive", value: (one) => error_of(one, "seasonal_naive"), show: (one) => percent(error_of(one, "seasonal_naive")), right: true, wide_from: 500 },
          { name: "why", title: "Why", value: (one) => one.why, show: (one) => <span class="cell-text" title={one.why}>{one.why}</span>, wide_from: 1100 },
          {
            name: "action",
            title: "Change",
            value: () => "",
            unsorted: true,
            right: true,
            show: (one) =>
              one.current ? (
                ""
              ) : !one.usable ? (
                <span class="measure">of another definition</span>
              ) : (
                <Button aria-label={`${current && one.version < current.version ? "Roll back to" : "Promote"} version ${one.version}`} onClick={() => set_wanted(one)}>
                  {current && one.version < current.version ? "Roll back" : "Promote"}
                </Button>
              ),
          },
        ]}
        rows={versions}
        row_key={(one) => one.version}
      />
      {wanted && (
        <Confirm
          title={back ? `Roll back to version ${wanted.version}` : `Promote version ${wanted.version}`}
          word={back ? "Roll back" : "Promote"}
          close={() => set_wanted(null)}
          run={async () => {
            await do_ask("PUT", path_of("/api/v1/models", wanted.model, "current"), { version: wanted.version });
            toast(`Version ${wanted.version} is in use; its forecasts are made now.`);
            done();
          }}
        >
          <p>
            Version {wanted.version} has {percent(error_of(wanted, "model"))} error in its back-test{current && <>; version {current.version}, in use now, has {percent(error_of(current, "model"))}</>}.
          </p>
          <p>The forecasts are made again with it; who put it into use is kept in the audit trail.</p>
        </Confirm>
      )}
    </Card>
  );
}
