// How the forecasts did that people saw: each compared with what was measured when its time had come.
import { number } from "../../format";
import { Card, Empty, Table } from "../../ui";
import { ErrorLines } from "./error_lines";
import { type Outcome, type Outcomes, percent } from "./types";
import { NotAnswered } from "./unanswered";

export function CameTrue({ outcomes }: { outcomes: Outcomes | null }) {
  if (outcomes === null) return <Empty title="Nothing is forecast by it now." />;
  if ("error" in outcomes)
    return (
      <Card title="Error over time, as it came true">
        <NotAnswered of={outcomes} what="outcomes" title="No figures" />
      </Card>
    );
  const { total, by_time, by_steps_ahead } = outcomes;
  if (total === null)
    return (
      <Card title="Error over time, as it came true">
        <Empty title="No forecast has come true yet.">When a step of time is over, what was forecast for it is compared with what was measured, and kept.</Empty>
      </Card>
    );
  return (
    <>
      <Card title="Error over time, as it came true" aside={<span class="measure">sum of errors by sum of actuals, percent; less is better</span>}>
        <ErrorLines
          title="Error as it came true"
          points={by_time}
          lines={[
            { name: "model", title: "Its forecasts", value: (point: Outcome) => point.wape },
            { name: "seasonal_naive", title: "Seasonal naive", value: (point: Outcome) => point.seasonal_naive_wape },
          ]}
          beside={[
            { title: "Mean absolute error", value: (point: Outcome) => point.mae, show: (point: Outcome) => number(point.mae) },
            { title: "In p10\u2013p90", value: (point: Outcome) => point.coverage, show: (point: Outcome) => percent(point.coverage) },
            { title: "Forecasts", value: (point: Outcome) => point.forecasts, show: (point: Outcome) => number(point.forecasts) },
          ]}
        />
      </Card>
      <Card title="By steps ahead" aside={<span class="measure">how long before its time each was made</span>}>
        <Table
          label="Error by steps ahead"
          word="steps"
          columns={[
            { name: "steps_ahead", title: "Steps ahead", value: (one: Outcome) => one.steps_ahead ?? 0 },
            { name: "wape", title: "WAPE", value: (one: Outcome) => one.wape, show: (one: Outcome) => percent(one.wape), right: true },
            { name: "seasonal", title: "Seasonal naive", value: (one: Outcome) => one.seasonal_naive_wape, show: (one: Outcome) => percent(one.seasonal_naive_wape), right: true },
            { name: "mae", title: "Mean absolute error", value: (one: Outcome) => one.mae, show: (one: Outcome) => number(one.mae), right: true, wide_from: 600 },
            { name: "coverage", title: "In p10\u2013p90", value: (one: Outcome) => one.coverage, show: (one: Outcome) => percent(one.coverage), right: true },
            { name: "forecasts", title: "Forecasts", value: (one: Outcome) => one.forecasts, show: (one: Outcome) => number(one.forecasts), right: true },
          ]}
          rows={by_steps_ahead}
          row_key={(one) => one.steps_ahead ?? 0}
        />
        <p class="foot">
          <span>
            In all {percent(total.wape)} error, seasonal naive {percent(total.seasonal_naive_wape)}; {percent(total.coverage)} in p10&ndash;p90, where 80% belong.
          </span>
          <span>{number(total.forecasts)} forecasts</span>
        </p>
      </Card>
    </>
  );
}
