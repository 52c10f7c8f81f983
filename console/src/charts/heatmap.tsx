// A measure over two columns: five steps of one colour, and the figure of a cell where it is looked at.

import { useSignal } from "@preact/signals";
import type { Cell, Column } from "../api";
import { as_number, number, words } from "../format";
import { Legend, Plot } from "./frame";
import { label_of } from "./shape";

const levels = ["heat-none", "heat-0", "heat-1", "heat-2", "heat-3", "heat-4"];
const pad = { top: 4, right: 8, bottom: 26, left: 110 };

export function Heatmap(props: { title: string; unit: string; columns: Column[]; rows: Cell[][]; choose?: ((x: Cell, series: string) => void) | undefined }) {
  const focus = useSignal<number | null>(null);
  const { columns, rows } = props;
  const xs = [...new Set(rows.map((row) => row[0] ?? null))];
  const ys = [...new Set(rows.map((row) => String(row[1])))].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
  const cells = new Map(rows.map((row) => [`${row[0]}\n${row[1]}`, as_number(row[2])]));
  const values = [...cells.values()].filter((value) => value !== null);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const step = (value: number) => (most === least ? 2 : Math.min(4, Math.floor((5 * (value - least)) / (most - least))));
  const tall = Math.max(14, Math.min(30, Math.floor(360 / Math.max(1, ys.length))));
  const height = pad.top + pad.bottom + tall * ys.length;
  const at = focus.value !== null && focus.value < xs.length * ys.length ? focus.value : null;
  const value_at = (i: number) => cells.get(`${xs[i % xs.length]}\n${ys[Math.floor(i / xs.length)]}`) ?? null;
  const say = (i: number) => {
    const value = value_at(i);
    return `${label_of(xs[i % xs.length] ?? null, columns[0]!)}, ${ys[Math.floor(i / xs.length)]}: ${value === null ? "none" : number(value)} ${props.unit}`;
  };
  /** One path of all cells of a colour. */
  const cells_of = (level: string, wide: number): string => {
    const across = Math.max(1, wide - 1).toFixed(1);
    let d = "";
    for (let i = 0; i < xs.length * ys.length; i++) {
      const value = value_at(i);
      if ((value === null ? "heat-none" : `heat-${step(value)}`) !== level) continue;
      d += `M${(pad.left + (i % xs.length) * wide + 0.5).toFixed(1)} ${pad.top + Math.floor(i / xs.length) * tall + 0.5}h${across}v${tall - 1}h-${across}z`;
    }
    return d;
  };
  return (
    <figure class="heat-chart">
      <Legend
        names={[]}
        at={
          at !== null ? (
            <strong>{say(at)}</strong>
          ) : (
            <span class="legend-item">
              {words(columns[2]!.name)} {number(least)}
              <svg viewBox="0 0 60 12" class="heat-scale" aria-hidden="true">
                {[0, 1, 2, 3, 4].map((i) => (
                  <rect key={i} class={`heat-${i}`} x={i * 12} width="12" height="12" />
                ))}
              </svg>
              {number(most)} {props.unit}
            </span>
          )
        }
      />
      <Plot
        height={height}
        kind="heat map"
        label={`${props.title}. ${ys.length} by ${xs.length} cells, from ${number(least)} to ${number(most)} ${props.unit}. Arrow keys read single cells.`}
        leave={() => (focus.value = null)}
        move={(by, far) => (focus.value = Math.max(0, Math.min(xs.length * ys.length - 1, (focus.value ?? (by > 0 ? -1 : xs.length * ys.length)) + (far && focus.value !== null ? by * xs.length : by))))}
        pick={props.choose !== undefined}
        point={(x, y, width) => {
          const column = Math.floor(((x - pad.left) / (width - pad.left - pad.right)) * xs.length);
          const row = Math.floor((y - pad.top) / tall);
          focus.value = column >= 0 && column < xs.length && row >= 0 && row < ys.length ? row * xs.length + column : null;
        }}
        enter={() => at !== null && props.choose?.(xs[at % xs.length] ?? null, ys[Math.floor(at / xs.length)]!)}
        draw={(width) => {
          const wide = (width - pad.left - pad.right) / Math.max(1, xs.length);
          const every = Math.max(1, Math.ceil(80 / wide));
          return (
            <>
              {ys.map((name, r) => (
                <text key={name} class="tick" x={pad.left - 8} y={pad.top + r * tall + tall / 2 + 4} text-anchor="end">
                  {name.length > 16 ? name.slice(0, 15) + "\u2026" : name}
                </text>
              ))}
              {xs.map((x, c) =>
                c % every === 0 ? (
                  <text key={c} class="tick" x={pad.left + (c + 0.5) * wide} y={height - 8} text-anchor="middle">
                    {label_of(x, columns[0]!).slice(0, Math.max(4, Math.floor((wide * every) / 6.5)))}
                  </text>
                ) : null,
              )}
              {levels.map((level) => (
                <path key={level} class={level} d={cells_of(level, wide)} />
              ))}
              {at !== null && <rect class="on" x={pad.left + (at % xs.length) * wide + 0.5} y={pad.top + Math.floor(at / xs.length) * tall + 0.5} width={Math.max(1, wide - 1)} height={tall - 1} />}
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
