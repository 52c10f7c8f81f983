// How the model would have done on the past: its error by time and in all, beside the naive forecasts.
import { number } from "../../format";
import { Card, Empty, Table } from "../../ui";
import { ErrorLines } from "./error_lines";
import { type ErrorPoint, type Monitor, type Score, type Version, method_names, percent } from "./types";
import { NotAnswered } from "./unanswered";

export function BackTest({ version, monitor }: { version: Version; monitor: Monitor | null }) {
  return (
    <>
      <Card title="Error over time, tried on the past" aside={<span class="measure">sum of errors by sum of actuals, percent; less is better</span>}>
        {monitor === null ? <div class="ghost area" /> : "error" in monitor.errors ? <NotAnswered of={monitor.errors} what="back-test" title="No figures" /> : <Errors points={monitor.errors.points} />}
      </Card>
      <div class="two-columns">
        <Card title="In all" aside={<span class="measure">{version.back_test.rounds.length} rounds, each trained on what was known then</span>}>
          <Table
            label="Back-test in all"
            word="scores"
            columns={[
              { name: "method", title: "Method", value: (score: Score) => method_names[score.method] ?? score.method, show: (score: Score) => <span class="wrapped">{method_names[score.method] ?? score.method}</span> },
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
  if (points.length === 0) return <Empty title="No back-test yet." />;
  return (
    <ErrorLines
      title="Error over time"
      points={points}
      lines={[
        { name: "model", title: "This model", value: (point) => point.model },
        { name: "naive", title: "Naive", value: (point) => point.naive },
        { name: "seasonal_naive", title: "Seasonal naive", value: (point) => point.seasonal_naive },
      ]}
      beside={[
        { title: "Actual", value: (point) => point.actual, show: (point) => point.actual.toFixed(0) },
        { title: "Forecast", value: (point) => point.forecast, show: (point) => point.forecast.toFixed(0) },
      ]}
    />
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
        { name: "round", title: "Round", value: (round) => round.round, wide_from: 500 },
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
