// The pipeline: its graph, its steps, their runs.
import { address, set_query } from "../../navigate";
import { use_live } from "../../live";
import { Answered, Badge, Card, Empty, Page, Tabs, Tag } from "../../ui";
import { GraphView } from "./graph_view";
import { CaptureCard } from "./capture";
import { RunList, SourceList, SourceTroubles, StepList } from "./lists";
import { nodes_of } from "./nodes";
import { RunPage } from "./run_page";
import { StepPage } from "./step_page";
import type { Graph, Run } from "./types";
import { VerdictCard } from "./verdict";
import "./style.css";

export function Screen() {
  const [, step, run] = address.value.segments;
  if (step !== undefined && run !== undefined) return <RunPage key={`${step} ${run}`} step={step} number={run} />;
  if (step !== undefined) return <StepPage key={step} name={step} />;
  return <Overview />;
}

function Overview() {
  const graph = use_live<Graph>("/api/v1/graph", { tables: "*", every_ms: 3000 });
  const known = graph.data.value;
  const running = known?.steps.filter((step) => step.state === "running").length ?? 0;
  const failed = known ? known.steps.filter((step) => step.state === "failed" || step.last?.outcome === "failed").length + known.sources.filter((source) => source.last_error).length : 0;
  return (
    <Page
      name="pipelines"
      title="Pipelines"
      note={
        known && (known.steps.length > 0 || failed > 0) && (
          <span role="status">
            {failed > 0 ? <Badge word={`${failed} failed`} tone="bad" /> : running > 0 ? <Badge word={`${running} running`} tone="busy" /> : known.quiescent ? <Badge word="all worked through" tone="good" /> : <Badge word="at work" tone="busy" />}
          </span>
        )
      }
    >
      <Answered of={graph} what="pipeline" lines={6}>
        {(data) =>
          data.steps.length === 0 && data.sources.length === 0 ? (
            <Card title="Nothing here yet">
              <Empty title="No source, table or model that you can see.">
                Declare them in a lakefile: <code>tarn apply lake.yaml</code>
              </Empty>
            </Card>
          ) : (
            <Views graph={data} />
          )
        }
      </Answered>
    </Page>
  );
}

function Views({ graph }: { graph: Graph }) {
  const picture = { name: "graph", title: "Graph", show: () => <GraphTab graph={graph} /> };
  const source = address.value.query.get("source");
  const chosen = graph.sources.find((one) => one.name === source);
  const steps = (
    <Card title="Steps">
      <StepList graph={graph} />
    </Card>
  );
  const list = {
    name: "list",
    title: "List",
    count: graph.steps.length,
    show: () => (
      <>
        {source === null && steps}
        <Card title={source === null ? "Sources" : `Source ${source}`} aside={source !== null && <a href="/pipelines?view=list">All sources</a>}>
          {chosen && <Tag>{chosen.kind}</Tag>}
          <SourceList graph={graph} only={source} />
        </Card>
        {chosen && <SourceTroubles source={chosen} />}
        {chosen?.capture && <CaptureCard capture={chosen.capture} />}
        {chosen?.kind === "postgres" && <VerdictCard key={source} source={source!} compared={chosen.verified != null} />}
        {source !== null && steps}
      </>
    ),
  };
  const runs = { name: "runs", title: "Runs", show: () => <RunsTab /> };
  // A drawing needs room: on a small screen the list comes first. A source is shown there.
  const tabs = innerWidth < 700 || source !== null ? [list, picture, runs] : [picture, list, runs];
  return <Tabs label="Views of the pipeline" word="view" tabs={tabs} />;
}

function GraphTab({ graph }: { graph: Graph }) {
  const focus = address.value.query.get("focus");
  const { nodes } = nodes_of(graph, 0);
  const known = focus !== null && nodes.some((node) => node.id === focus) ? focus : null;
  return (
    <Card
      title="Graph"
      aside={
        <label class="filter">
          Around
          <select value={known ?? ""} onChange={(event) => set_query({ focus: event.currentTarget.value || null }, true)}>
            <option value="">everything</option>
            {nodes.map((node) => (
              <option key={node.id} value={node.id}>
                {node.kind} {node.name}
              </option>
            ))}
          </select>
        </label>
      }
    >
      <GraphView graph={graph} focus={known} />
    </Card>
  );
}

function RunsTab() {
  const runs = use_live<{ runs: Run[] }>("/api/v1/runs?limit=500", { tables: "*", every_ms: 3000 });
  return (
    <Card title="Runs of all steps" aside={<span class="measure">newest first</span>}>
      <Answered of={runs} what="history">
        {(data) => <RunList runs={data.runs} word="all" />}
      </Answered>
    </Card>
  );
}
