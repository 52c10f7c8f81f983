// Bars on each other, one for each x. Pointer, finger and arrow keys read one bar; a click narrows the page by it.

import { useSignal } from "@preact/signals";
import type { Cell, Column } from "../api";
import { as_number, number, short_number, words } from "../format";
import { Legend, Plot } from "./frame";
import { colour_of, label_of, steps } from "./shape";

const height = 260;
const pad = { top: 10, right: 10, bottom: 26, left: 46 };

export function Stacked(props: { title: string; unit: string; columns: Column[]; rows: Cell[][]; choose?: ((value: Cell) => void) | undefined }) {
  const focus = useSignal<number | null>(null);
  const { columns, rows } = props;
  const names = columns.slice(1).map((column) => column.name);
  const value = (row: Cell[], i: number) => Math.max(0, as_number(row[i + 1]) ?? 0);
  const sums = rows.map((row) => names.reduce((sum, _, i) => sum + value(row, i), 0));
  const most = Math.max(...sums, 0) || 1;
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
      <Legend names={names} at={told} />
      <Plot
        height={height}
        kind="stacked bar chart"
        label={`${props.title}. ${rows.length} bars of ${names.map(words).join(", ")}; the highest ${number(most)} ${props.unit}. Arrow keys read single bars${props.choose ? ", Enter narrows the page by one" : ""}.`}
        leave={() => (focus.value = null)}
        move={(by) => (focus.value = Math.max(0, Math.min(rows.length - 1, (focus.value ?? (by > 0 ? -1 : rows.length)) + by)))}
        enter={() => at !== null && props.choose?.(rows[at]![0] ?? null)}
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
              {rows.map((row, r) => {
                let under = 0;
                return (
                  <g key={r} class={props.choose ? "pick" : ""} onPointerEnter={() => (focus.value = r)} onClick={() => props.choose?.(row[0] ?? null)}>
                    <rect class={at === r ? "hit on" : "hit"} x={pad.left + r * step} y={pad.top} width={step} height={height - pad.top - pad.bottom} />
                    {names.map((name, i) => {
                      const part = value(row, i);
                      const from = under;
                      under += part;
                      return part === 0 ? null : (
                        <rect key={name} class={`fill ${colour_of(i)}`} x={pad.left + r * step + step * 0.12} width={Math.max(1, step * 0.76)} y={y(from + part)} height={Math.max(0.5, y(from) - y(from + part))} />
                      );
                    })}
                    {r % every === 0 && (
                      <text class="tick" x={pad.left + (r + 0.5) * step} y={height - 8} text-anchor="middle">
                        {say(r).slice(0, Math.max(4, Math.floor((step * every) / 6.5)))}
                      </text>
                    )}
                  </g>
                );
              })}
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
