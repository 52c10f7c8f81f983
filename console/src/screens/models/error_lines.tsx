// Errors by time in percent: a line for each way of forecasting, and the same as a table.
import { useState } from "preact/hooks";
import type { Column } from "../../api";
import { LineChart } from "../../charts/line_chart";
import { Button } from "../../ui";
import { percent } from "./types";

export interface ErrorLine<Point> {
  name: string;
  title: string;
  value: (point: Point) => number | null;
}

/** `beside`: what only the table has. */
export function ErrorLines<Point extends { time?: string }>({ title, points, lines, beside }: { title: string; points: Point[]; lines: ErrorLine<Point>[]; beside: { title: string; show: (point: Point) => string }[] }) {
  const [table, set_table] = useState(false);
  const columns: Column[] = [{ name: "time", type: "date", role: "x" }, ...lines.map((line): Column => ({ name: line.name, type: "double precision", role: "measure" }))];
  return (
    <>
      {table ? (
        <div class="table-frame twin" tabIndex={0} role="region" aria-label={`${title} as a table`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                {[...lines, ...beside].map((one) => (
                  <th scope="col" class="right" key={one.title}>
                    {one.title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {points.map((point) => (
                <tr key={point.time}>
                  <td>{point.time}</td>
                  {lines.map((line) => (
                    <td class="right" key={line.name}>
                      {percent(line.value(point))}
                    </td>
                  ))}
                  {beside.map((one) => (
                    <td class="right" key={one.title}>
                      {one.show(point)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <LineChart title={title} unit="percent" columns={columns} rows={points.map((point) => [point.time ?? null, ...lines.map((line) => line.value(point))])} />
      )}
      <div class="foot">
        <Button kind="quiet" onClick={() => set_table(!table)}>
          {table ? "Show as a chart" : "Show as a table"}
        </Button>
      </div>
    </>
  );
}
