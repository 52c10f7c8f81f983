// How the model would have done: its error by time and in all, beside the naive forecasts.
import { useState } from "preact/hooks";
import type { Cell, Column } from "../../api";
import { LineChart } from "../../charts/line_chart";
import { number } from "../../format";
import { Button, Card, Empty, Table } from "../../ui";
import { type ErrorPoint, type Monitor, type Score, type Version, method_names, percent } from "./types";

const columns: Column[] = [
  { name: "time", type: "date", role: "x" },
  { name: "model", type: "double precision", role: "measure" },
  { name: "naive", type: "double precision", role: "measure" },
  { name: "seasonal_naive", type: "double precision", role: "measure" },
];

export function BackTest({ version, monitor }: { version: Version; monitor: Monitor | null }) {
  return (
    <>
      <Card title="Error over time" aside={<span class="measure">sum of errors by sum of actuals, percent; less is better</span>}>
        {monitor === null ? <div class="ghost area" /> : "error" in monitor.errors ? <Empty title="No figures">{monitor.errors.error.message}</Empty> : <Errors points={monitor.errors.points} />}
      </Card>
      <div class="two-columns">
        <Card title="In all" aside={<span class="measure">{version.back_test.rounds.length} rounds, each trained on what was known then</span>}>
          <Table
            label="Back-test in all"
            word="scores"
            columns={[
              { name: "method", title: "Method", value: (score: Score) => method_names[score.method] ?? score.method },
              { name: "wape", title: "WAPE", value: (score: Score) => score.wape, show: (score: Score) => percent(score.wape), right: true },
              { name: "mape", title: "MAPE", value: (score: Score) => score.mape, show: (score: Score) => percent(score.mape), right: true },
              { name: "bias", title: "Bias", value: (score: Score) => score.bias, show: (score: Score) => percent(score.bias), right: true },
              { name: "coverage", title: "In p10\u2013p90", value: (score: Score) => score.coverage, show: (score: Score) => percent(score.coverage), right: true },
            ]}
            rows={version.back_test.total}
            row_key={(score) => score.method}
          />
          <p class="foot">
            <span>80% of actuals belong in p10&ndash;p90.</span>
            <span>{number(version.back_test.total[0]?.forecasts ?? 0)} forecasts each</span>
          </p>
        </Card>
        <Card title="By round">
          <Rounds version={version} />
        </Card>
      </div>
    </>
  );
}

function Errors({ points }: { points: ErrorPoint[] }) {
  const [table, set_table] = useState(false);
  if (points.length === 0) return <Empty title="No back-test yet." />;
  const rows: Cell[][] = points.map((point) => [point.time, point.model, point.naive, point.seasonal_naive]);
  return (
    <>
      {table ? (
        <div class="table-frame twin" tabIndex={0} role="region" aria-label="Error over time as a table">
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col" class="right">This model</th>
                <th scope="col" class="right">Naive</th>
                <th scope="col" class="right">Seasonal naive</th>
                <th scope="col" class="right">Actual</th>
                <th scope="col" class="right">Forecast</th>
              </tr>
            </thead>
            <tbody>
              {points.map((point) => (
                <tr key={point.time}>
                  <td>{point.time}</td>
                  <td class="right">{percent(point.model)}</td>
                  <td class="right">{percent(point.naive)}</td>
                  <td class="right">{percent(point.seasonal_naive)}</td>
                  <td class="right">{point.actual.toFixed(0)}</td>
                  <td class="right">{point.forecast.toFixed(0)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <LineChart title="Error over time" unit="percent" columns={columns} rows={rows} />
      )}
      <div class="foot">
        <Button kind="quiet" onClick={() => set_table(!table)}>
          {table ? "Show as a chart" : "Show as a table"}
        </Button>
      </div>
    </>
  );
}

function Rounds({ version }: { version: Version }) {
  const metric = version.back_test.metric;
  const of = (round: Version["back_test"]["rounds"][number], method: string) => round.scores.find((score) => score.method === method)?.[metric] ?? null;
  return (
    <Table
      label="Back-test by round"
      word="rounds"
      columns={[
        { name: "round", title: "Round", value: (round) => round.round },
        { name: "origin", title: "Known up to", value: (round) => round.origin },
        { name: "model", title: "This model", value: (round) => of(round, "model"), show: (round) => percent(of(round, "model")), right: true },
        { name: "naive", title: "Naive", value: (round) => of(round, "naive"), show: (round) => percent(of(round, "naive")), right: true },
        { name: "seasonal", title: "Seasonal naive", value: (round) => of(round, "seasonal_naive"), show: (round) => percent(of(round, "seasonal_naive")), right: true },
      ]}
      rows={version.back_test.rounds}
      row_key={(round) => round.round}
      empty={<Empty title="No rounds." />}
    />
  );
}
