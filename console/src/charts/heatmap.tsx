// A measure over two columns: five steps of one colour, and the figure of a cell where it is looked at.

import { useSignal } from "@preact/signals";
import type { Cell, Column } from "../api";
import { as_number, number, words } from "../format";
import { Legend, Plot } from "./frame";
import { label_of } from "./shape";

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
              {ys.flatMap((_, r) =>
                xs.map((x, c) => {
                  const i = r * xs.length + c;
                  const value = value_at(i);
                  return (
                    <rect
                      key={i}
                      class={`${value === null ? "heat-none" : `heat-${step(value)}`} ${at === i ? "on" : ""} ${props.choose ? "pick" : ""}`}
                      x={pad.left + c * wide + 0.5}
                      y={pad.top + r * tall + 0.5}
                      width={Math.max(1, wide - 1)}
                      height={tall - 1}
                      onPointerEnter={() => (focus.value = i)}
                      onClick={() => props.choose?.(x, ys[r]!)}
                    />
                  );
                }),
              )}
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
