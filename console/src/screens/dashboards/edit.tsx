// A dashboard rearranged: order by dragging or by keys, width, kind and title. What comes of it is the lakefile's YAML: to be
// committed, or applied at once by who may.

import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, ask } from "../../api";
import { apply_item } from "../../lakefile";
import { Button, CodeBlock, Confirm, Dialog, DialogFoot, Field, Loading, toast } from "../../ui";
import { type ChartSpec, type DashboardSpec, dashboard_yaml, kind_of_spec, kinds, with_kind } from "./yaml";

const widths = ["", "third", "half", "full"];
const width_words: Record<string, string> = { "": "as it fits", third: "a third", half: "half", full: "the whole row" };

export function Edit({ name, close }: { name: string; close: () => void }) {
  const [spec, set_spec] = useState<DashboardSpec | null>(null);
  const [problem, set_problem] = useState("");
  const [asking, set_asking] = useState(false);
  const [said, say] = useState("");
  const dragged = useRef<number | null>(null);
  const [goal, set_goal] = useState<number | null>(null); // where what is dragged would come to be
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    ask<DashboardSpec>("GET", `/api/v1/dashboards/${encodeURIComponent(name)}/spec`).then(set_spec, (error: unknown) => {
      if (!(error instanceof ApiError)) throw error;
      set_problem(error.status === 403 ? "Only who may read the lakefile can edit its dashboards (tarn:GetLakefile)." : error.message);
    });
  }, [name]);
  if (spec === null)
    return (
      <Dialog title="Edit" close={close}>
        {problem ? (
          <p class="problem" role="alert">
            {problem}
          </p>
        ) : (
          <Loading what="the dashboard" />
        )}
      </Dialog>
    );
  const change = (at: number, chart: ChartSpec) => set_spec({ ...spec, charts: spec.charts.map((one, i) => (i === at ? chart : one)) });
  const move = (from: number, to: number) => {
    if (to < 0 || to >= spec.charts.length || from === to) return;
    const charts = [...spec.charts];
    const [one] = charts.splice(from, 1);
    charts.splice(to, 0, one!);
    set_spec({ ...spec, charts });
    say(`${one!.title} is now ${to + 1} of ${charts.length}`);
  };
  const yaml = dashboard_yaml(spec);
  return (
    <Dialog title={`Edit ${spec.title}`} close={close} wide>
      <Field label="Title of the page">{(ids) => <input {...ids} value={spec.title} onInput={(event) => set_spec({ ...spec, title: event.currentTarget.value })} />}</Field>
      <p class="hint" id="edit-help">
        Drag a chart by its handle, or move it with the arrow keys there.
      </p>
      <ol class="edit-list" ref={list}>
        {spec.charts.map((chart, i) => (
          <li
            key={i}
            class={`edit-chart ${goal !== i || dragged.current === null || dragged.current === i ? "" : dragged.current < i ? "goal-below" : "goal-above"}`}
            draggable
            onDragStart={(event) => {
              dragged.current = i;
              event.dataTransfer?.setData("text/plain", chart.title);
            }}
            onDragOver={(event) => {
              event.preventDefault();
              set_goal(i);
            }}
            onDragEnd={() => {
              dragged.current = null;
              set_goal(null);
            }}
            onDrop={(event) => {
              event.preventDefault();
              if (dragged.current !== null) move(dragged.current, i);
              dragged.current = null;
              set_goal(null);
            }}
          >
            <button
              type="button"
              class="edit-handle"
              aria-label={`Move ${chart.title}`}
              aria-describedby="edit-help"
              onKeyDown={(event) => {
                const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
                if (by === undefined) return;
                event.preventDefault();
                move(i, i + by);
                setTimeout(() => list.current?.querySelectorAll<HTMLElement>(".edit-handle")[i + by]?.focus());
              }}
            >
              <span aria-hidden="true">&#8942;&#8942;</span>
            </button>
            <input aria-label={`Title of chart ${i + 1}`} value={chart.title} onInput={(event) => change(i, { ...chart, title: event.currentTarget.value })} />
            <select class="edit-kind" aria-label={`Kind of ${chart.title}`} value={kind_of_spec(chart)} onChange={(event) => change(i, with_kind(chart, event.currentTarget.value))}>
              {kinds.map((kind) => (
                <option key={kind}>{kind}</option>
              ))}
            </select>
            <select class="edit-width" aria-label={`Width of ${chart.title}`} value={String(chart.width ?? "")} onChange={(event) => change(i, { ...chart, width: event.currentTarget.value })}>
              {widths.map((width) => (
                <option key={width} value={width}>
                  {width_words[width]}
                </option>
              ))}
            </select>
            <Button kind="quiet" aria-label={`Remove ${chart.title}`} onClick={() => set_spec({ ...spec, charts: spec.charts.filter((_, at) => at !== i) })}>
              &#10005;
            </Button>
          </li>
        ))}
      </ol>
      <p class="sr-only" role="status">
        {said}
      </p>
      <CodeBlock text={yaml} label="Lakefile" />
      <p class="hint">This is the lakefile's text. Commit it there: what is applied from here alone is undone by the next apply of the file.</p>
      <DialogFoot word="Apply" disabled={spec.charts.length === 0} run={() => set_asking(true)} close={close} />
      {asking && (
        <Confirm
          title="Apply this dashboard?"
          word="Apply"
          run={async () => {
            await apply_item(`dashboards.${spec.name}`, () => definition_of(spec));
            toast("Applied.");
            close();
          }}
          close={() => set_asking(false)}
        >
          <p>Everybody sees it at once. Nothing else of the lakefile changes.</p>
        </Confirm>
      )}
    </Dialog>
  );
}

/** As the lakefile has it: what is empty is not said. */
function definition_of(spec: DashboardSpec): Record<string, unknown> {
  const out: Record<string, unknown> = { title: spec.title };
  if (spec.filters.length > 0) out.filters = spec.filters;
  if (spec.embed.length > 0) out.embed = spec.embed;
  out.charts = spec.charts.map((chart) => Object.fromEntries(Object.entries(chart).filter(([, value]) => value !== "" && !(Array.isArray(value) && value.length === 0 && chart.sql === undefined))));
  return out;
}
