// Points of two measures; a third is their size.

import { useSignal } from "@preact/signals";
import type { Cell, Column } from "../api";
import { as_number, number, words } from "../format";
import { Legend, Plot } from "./frame";
import { steps, tick_text } from "./shape";

const height = 300;
const pad = { top: 14, right: 16, bottom: 42, left: 54 };

export function Scatter(props: { title: string; unit: string; columns: Column[]; rows: Cell[][]; choose?: ((value: Cell) => void) | undefined }) {
  const focus = useSignal<number | null>(null);
  const label = props.columns.findIndex((column) => column.role === "label");
  const x_at = props.columns.findIndex((column) => column.role === "x");
  const y_at = props.columns.findIndex((column) => column.role === "measure");
  const size_at = props.columns.findIndex((column, i) => i > y_at && column.role === "measure");
  const points = props.rows.flatMap((row) => {
    const x = as_number(row[x_at]);
    const y = as_number(row[y_at]);
    return x === null || y === null ? [] : [{ x, y, size: size_at < 0 ? null : as_number(row[size_at]), cell: label < 0 ? null : (row[label] ?? null) }];
  });
  points.sort((a, b) => a.x - b.x);
  if (points.length === 0) return <div class="nothing">No row has both measures.</div>;
  const range = (values: number[]): [number, number] => {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const room = (most - least || Math.abs(most) || 1) * 0.06;
    return [least - room, most + room];
  };
  const [left, right] = range(points.map((one) => one.x));
  const [low, high] = range(points.map((one) => one.y));
  const largest = Math.max(...points.map((one) => one.size ?? 0), 0) || 1;
  const at = focus.value !== null && focus.value < points.length ? focus.value : null;
  const [x_name, y_name] = [words(props.columns[x_at]!.name), words(props.columns[y_at]!.name)];
  const say = (i: number) => {
    const one = points[i]!;
    return `${one.cell === null ? "" : `${one.cell}: `}${x_name} ${number(one.x)}, ${y_name} ${number(one.y)}${one.size === null ? "" : `, ${words(props.columns[size_at]!.name)} ${number(one.size)}`}`;
  };
  return (
    <figure class="scatter-chart">
      <Legend names={[]} at={at === null ? <span class="measure">{`${y_name} over ${x_name}${size_at < 0 ? "" : `; size: ${words(props.columns[size_at]!.name)}`}`}</span> : <strong>{say(at)}</strong>} />
      <Plot
        height={height}
        kind="scatter chart"
        label={`${props.title}. ${points.length} points, ${y_name} over ${x_name}. Arrow keys read single points.`}
        leave={() => (focus.value = null)}
        move={(by) => (focus.value = Math.max(0, Math.min(points.length - 1, (focus.value ?? (by > 0 ? -1 : points.length)) + by)))}
        enter={() => at !== null && points[at]!.cell !== null && props.choose?.(points[at]!.cell)}
        draw={(width) => {
          const x = (value: number) => pad.left + ((value - left) / (right - left)) * (width - pad.left - pad.right);
          const y = (value: number) => height - pad.bottom - ((value - low) / (high - low)) * (height - pad.top - pad.bottom);
          const across = steps(left, right, width / 110);
          const up = steps(low, high, 4);
          return (
            <>
              {up.map((tick) => (
                <g key={`y${tick}`}>
                  <line class="grid" x1={pad.left} x2={width - pad.right} y1={y(tick)} y2={y(tick)} />
                  <text class="tick" x={pad.left - 8} y={y(tick) + 4} text-anchor="end">
                    {tick_text(tick, up)}
                  </text>
                </g>
              ))}
              {across.map((tick) => (
                <text key={`x${tick}`} class="tick" x={x(tick)} y={height - pad.bottom + 18} text-anchor="middle">
                  {tick_text(tick, across)}
                </text>
              ))}
              <text class="tick" x={width - pad.right} y={height - 6} text-anchor="end">
                {x_name}
              </text>
              {points.map((one, i) => (
                <circle
                  key={i}
                  class={`dot-mark series-0 ${at === i ? "on" : ""} ${props.choose && one.cell !== null ? "pick" : ""}`}
                  cx={x(one.x)}
                  cy={y(one.y)}
                  r={one.size === null ? (at === i ? 6 : 4) : 3 + 13 * Math.sqrt(Math.max(0, one.size) / largest)}
                  onPointerEnter={() => (focus.value = i)}
                  onClick={() => one.cell !== null && props.choose?.(one.cell)}
                />
              ))}
            </>
          );
        }}
      />
      <p class="sr-only" role="status">
        {at !== null && say(at)}
      </p>
    </figure>
  );
}
