// Do the inputs still look like those that the model learnt from? Shares of the rows by value, then and now.
import { number } from "../../format";
import { address, list_word, set_query } from "../../navigate";
import { Badge, Button, Card, Table } from "../../ui";
import { Bar } from "./features";
import type { Drift, DriftInput, Monitor } from "./types";
import { NotAnswered } from "./unanswered";

/** The usual reading of a population stability index. */
export function drift_word(index: number | null): { word: string; tone: "good" | "warn" | "bad" | "mute" } {
  if (index === null) return { word: "not known", tone: "mute" };
  if (index < 0.1) return { word: "steady", tone: "good" };
  return index < 0.25 ? { word: "moved", tone: "warn" } : { word: "another population", tone: "bad" };
}

export function DriftCards({ monitor }: { monitor: Monitor | null }) {
  if (monitor === null)
    return (
      <Card title="Inputs">
        <div class="ghost area" />
      </Card>
    );
  if ("error" in monitor.drift)
    return (
      <Card title="Inputs">
        <NotAnswered of={monitor.drift} what="inputs" title="Nothing to compare yet" />
      </Card>
    );
  const drift: Drift = monitor.drift;
  return (
    <>
      <p class="measure">
        {drift.trained_rows.toLocaleString()} rows that version {monitor.version} was trained on, up to {drift.trained_to}, beside {drift.latest_rows.toLocaleString()} from {drift.latest_from} to {drift.latest_to}. The index is the population stability index: under 0.1 steady, above 0.25 another population.
      </p>
      <div class="two-columns">
        {drift.inputs.map((input) => (
          <Input key={input.column} input={input} />
        ))}
      </div>
    </>
  );
}

const percent_of = (share: number): string => `${(100 * share).toFixed(0)}%`;
const points = (bin: { trained: number; latest: number }): string => `${bin.latest > bin.trained ? "+" : ""}${(100 * (bin.latest - bin.trained)).toFixed(1)}`;

function Input({ input }: { input: DriftInput }) {
  const list = `drift-${list_word(input.column)}`;
  const table = address.value.query.has(`${list}.table`);
  const { word, tone } = drift_word(input.stability_index);
  const most = Math.max(1e-9, ...input.bins.flatMap((bin) => [bin.trained, bin.latest]));
  return (
    <Card
      title={input.column}
      aside={
        <>
          <span class="measure">index {input.stability_index === null ? "\u2013" : input.stability_index.toFixed(3)}</span> <Badge word={word} tone={tone} />
        </>
      }
    >
      {table ? (
        <Table
          label={`Shares of rows by ${input.column}`}
          word={list}
          rows={input.bins}
          row_key={(bin) => bin.label}
          columns={[
            { name: "value", title: input.column, value: (bin) => bin.label },
            { name: "trained", title: "Trained on", right: true, value: (bin) => bin.trained, text: (bin) => percent_of(bin.trained), show: (bin) => percent_of(bin.trained) },
            { name: "latest", title: "Latest", right: true, value: (bin) => bin.latest, text: (bin) => percent_of(bin.latest), show: (bin) => percent_of(bin.latest) },
            { name: "moved", title: "Moved", right: true, value: (bin) => bin.latest - bin.trained, text: (bin) => points(bin), show: (bin) => points(bin), hint: "Percentage points between the two" },
          ]}
        />
      ) : (
        <table class="shares" aria-label={`Shares of rows by ${input.column}`}>
          <thead class="sr-only">
            <tr>
              <th scope="col">{input.column}</th>
              <th scope="col">Bars</th>
              <th scope="col">Trained on</th>
              <th scope="col">Latest</th>
            </tr>
          </thead>
          <tbody>
            {input.bins.map((bin) => (
              <tr key={bin.label}>
                <th scope="row">{bin.label}</th>
                <td class="share-cell">
                  <Bar share={bin.trained / most} tone="then" />
                  <Bar share={bin.latest / most} />
                </td>
                <td class="right">{percent_of(bin.trained)}</td>
                <td class="right">{percent_of(bin.latest)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <div class="foot">
        <span class="legend-then">trained on</span>
        <span class="legend-now">latest</span>
        {input.trained_mean !== null && input.latest_mean !== null && (
          <span>
            mean {number(input.trained_mean)} then, {number(input.latest_mean)} now
          </span>
        )}
        <Button kind="quiet" onClick={() => set_query({ [`${list}.table`]: table ? null : "1" })}>
          {table ? "With bars" : "As a table"}
        </Button>
      </div>
    </Card>
  );
}
