// Do the inputs still look like those that the model learnt from? Shares of the rows by value, then and now.
import { useState } from "preact/hooks";
import { number } from "../../format";
import { Badge, Button, Card } from "../../ui";
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

function Input({ input }: { input: DriftInput }) {
  const [table, set_table] = useState(false);
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
      <table class={table ? "" : "shares"} aria-label={`Shares of rows by ${input.column}`}>
        <thead class={table ? "" : "sr-only"}>
          <tr>
            <th scope="col">{input.column}</th>
            {!table && <th scope="col">Bars</th>}
            <th scope="col" class="right">
              Trained on
            </th>
            <th scope="col" class="right">
              Latest
            </th>
          </tr>
        </thead>
        <tbody>
          {input.bins.map((bin) => (
            <tr key={bin.label}>
              <th scope="row">{bin.label}</th>
              {!table && (
                <td class="share-cell">
                  <Bar share={bin.trained / most} tone="then" />
                  <Bar share={bin.latest / most} />
                </td>
              )}
              <td class="right">{(100 * bin.trained).toFixed(0)}%</td>
              <td class="right">{(100 * bin.latest).toFixed(0)}%</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="foot">
        <span class="legend-then">trained on</span>
        <span class="legend-now">latest</span>
        {input.trained_mean !== null && input.latest_mean !== null && (
          <span>
            mean {number(input.trained_mean)} then, {number(input.latest_mean)} now
          </span>
        )}
        <Button kind="quiet" onClick={() => set_table(!table)}>
          {table ? "With bars" : "As a table"}
        </Button>
      </div>
    </Card>
  );
}
