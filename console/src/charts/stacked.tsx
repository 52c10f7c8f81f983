// Bars on each other, one for each x. Pointer, finger and arrow keys read one bar; a click narrows the page by it, one on a name in the legend by that.

import { useSignal } from "@preact/signals";
import type { Cell, Column } from "../api";
import { as_number, number, short_number, words } from "../format";
import { Legend, Plot } from "./frame";
import { colour_of, label_of, steps } from "./shape";

const height = 260;
const pad = { top: 10, right: 10, bottom: 26, left: 46 };

export function Stacked(props: { title: string; unit: string; columns: Column[]; rows: Cell[][]; choose?: ((value: Cell) => void) | undefined; choose_series?: ((series: string) => void) | undefined }) {
  const focus = useSignal<number | null>(null);
  const { columns, rows } = props;
  const names = columns.slice(1).map((column) => column.name);
  const value = (row: Cell[], i: number) => Math.max(0, as_number(row[i + 1]) ?? 0);
  /** How high each series ends in each bar. */
  const stacks = rows.map((row) => {
    let sum = 0;
    return names.map((_, i) => (sum += value(row, i)));
  });
  const sums = stacks.map((stack) => stack[stack.length - 1] ?? 0);
  const most = Math.max(...sums, 0) || 1;
  /** One path of a series for all bars: each as an element of its own takes the browser longer than their rows take the server. */
  const bars_of = (series: number, step: number, y: (sum: number) => number): string => {
    const wide = Math.max(1, step * 0.76).toFixed(1);
    let d = "";
    stacks.forEach((stack, r) => {
      const under = series === 0 ? 0 : stack[series - 1]!;
      const over = stack[series]!;
      if (over > under) d += `M${(pad.left + (r + 0.12) * step).toFixed(1)} ${y(over).toFixed(1)}h${wide}v${Math.max(0.5, y(under) - y(over)).toFixed(1)}h-${wide}z`;
    });
    return d;
  };
  const at = focus.value !== null && focus.value < rows.length ? focus.value : null;
  const say = (i: number) => label_of(rows[i]![0] ?? null, columns[0]!);
  const told = at === null ? null : (
    <>
      <strong>{say(at)}</strong>
      <span class="legend-item">
        <b>{number(sums[at]!)}</b> {props.unit}
      </span>
      {names.map((name, i) =>
        value(rows[at]!, i) > 0 ? (
          <span key={name} class="legend-item">
            <svg viewBox="0 0 12 12" class={`swatch ${colour_of(i)}`} aria-hidden="true">
              <rect width="12" height="12" rx="3" />
            </svg>
            {words(name)} <b>{number(value(rows[at]!, i))}</b>
          </span>
        ) : null,
      )}
    </>
  );
  return (
    <figure class="stacked-chart">
      <Legend names={names} at={told} choose={props.choose_series} />
      <Plot
        height={height}
        kind="stacked bar chart"
        label={`${props.title}. ${rows.length} bars of ${names.map(words).join(", ")}; the highest ${number(most)} ${props.unit}. Arrow keys read single bars${props.choose ? ", Enter narrows the page by one" : ""}.`}
        leave={() => (focus.value = null)}
        move={(by) => (focus.value = Math.max(0, Math.min(rows.length - 1, (focus.value ?? (by > 0 ? -1 : rows.length)) + by)))}
        enter={() => at !== null && props.choose?.(rows[at]![0] ?? null)}
        pick={props.choose !== undefined}
        point={(x, _, width) => {
          const bar = Math.floor(((x - pad.left) / (width - pad.left - pad.right)) * rows.length);
          focus.value = bar >= 0 && bar < rows.length ? bar : null;
        }}
        draw={(width) => {
          const inner = width - pad.left - pad.right;
          const step = inner / Math.max(1, rows.length);
          const y = (sum: number) => height - pad.bottom - (sum / most) * (height - pad.top - pad.bottom);
          const every = Math.max(1, Math.ceil(rows.length / Math.max(1, Math.floor(inner / 86))));
          return (
            <>
              {steps(0, most, 4).map((tick) => (
                <g key={tick}>
                  <line class="grid" x1={pad.left} x2={width - pad.right} y1={y(tick)} y2={y(tick)} />
                  <text class="tick" x={pad.left - 8} y={y(tick) + 4} text-anchor="end">
                    {short_number(tick)}
                  </text>
                </g>
              ))}
              {at !== null && <rect class="hit" x={pad.left + at * step} y={pad.top} width={step} height={height - pad.top - pad.bottom} />}
              {names.map((name, i) => (
                <path key={name} class={`fill ${colour_of(i)}`} d={bars_of(i, step, y)} />
              ))}
              {rows.map((_, r) =>
                r % every === 0 ? (
                  <text key={r} class="tick" x={pad.left + (r + 0.5) * step} y={height - 8} text-anchor="middle">
                    {say(r).slice(0, Math.max(4, Math.floor((step * every) / 6.5)))}
                  </text>
                ) : null,
              )}
            </>
          );
        }}
      />
      <p class="sr-only" role="status">
        {at !== null && `${say(at)}: ${names.map((name, i) => `${words(name)} ${number(value(rows[at]!, i))}`).join(", ")}`}
      </p>
    </figure>
  );
}
