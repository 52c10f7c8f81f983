// Errors by time in percent: a line for each way of forecasting, and the same as a table.
import type { Column } from "../../api";
import { LineChart } from "../../charts/line_chart";
import { address, list_word, set_query } from "../../navigate";
import { Button, Table, type TableColumn } from "../../ui";
import { percent } from "./types";

export interface ErrorLine<Point> {
  name: string;
  title: string;
  value: (point: Point) => number | null;
}

/** `beside`: what only the table has. */
export function ErrorLines<Point extends { time?: string }>({ title, points, lines, beside }: { title: string; points: Point[]; lines: ErrorLine<Point>[]; beside: { title: string; value: (point: Point) => number | null; show: (point: Point) => string }[] }) {
  const word = list_word(title);
  const table = address.value.query.has(`${word}.table`);
  const columns: Column[] = [{ name: "time", type: "date", role: "x" }, ...lines.map((line): Column => ({ name: line.name, type: "double precision", role: "measure" }))];
  return (
    <>
      {table ? (
        <Table
          label={`${title} as a table`}
          word={word}
          frame="twin"
          height={282}
          rows={points}
          row_key={(point) => point.time ?? ""}
          columns={[
            { name: "time", title: "Time", value: (point) => point.time },
            ...lines.map((line): TableColumn<Point> => ({ name: line.name, title: line.title, right: true, value: line.value, text: (point) => percent(line.value(point)), show: (point) => percent(line.value(point)) })),
            ...beside.map((one): TableColumn<Point> => ({ name: one.title, title: one.title, right: true, value: one.value, text: one.show, show: one.show })),
          ]}
        />
      ) : (
        <LineChart title={title} unit="percent" columns={columns} rows={points.map((point) => [point.time ?? null, ...lines.map((line) => line.value(point))])} />
      )}
      <div class="foot">
        <Button kind="quiet" onClick={() => set_query({ [`${word}.table`]: table ? null : "1" })}>
          {table ? "Show as a chart" : "Show as a table"}
        </Button>
      </div>
    </>
  );
}
