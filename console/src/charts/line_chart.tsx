// Lines over time, drawn as SVG: solid what was, dashed what is forecast, a band around it. A finger, a pointer or the
// arrow keys read the values of one point; a click narrows the page by it, one on a name in the legend by that; the card's table
// has them all.

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Cell, Column } from "../api";
import { as_number, as_time, exact_day, exact_time, kind_of, number, plain, short_number, words } from "../format";
import { use_width_of } from "../ui/width";
import { SeriesName } from "./frame";

const height = 260;
const pad = { top: 14, right: 14, bottom: 26, left: 46 };

interface Series {
  name: string;
  role: "measure" | "forecast";
  colour: number;
  at: number; // its column
  low: number;
  high: number;
}

interface Axis {
  values: number[];
  timed: boolean;
  days: boolean; // no time of day in it
}

function read_axis(column: Column, rows: Cell[][]): Axis {
  const times = rows.map((row) => as_time(row[0]));
  if (times.every((time) => time !== null)) return { values: times as number[], timed: true, days: kind_of(column) === "day" };
  const numbers = rows.map((row) => as_number(row[0]));
  if (numbers.every((value) => value !== null)) return { values: numbers as number[], timed: false, days: false };
  return { values: rows.map((_, i) => i), timed: false, days: false };
}

function read_series(columns: Column[]): Series[] {
  const side = (role: string, of: string) => columns.findIndex((column) => column.role === role && column.of === of);
  const series: Series[] = [];
  columns.forEach((column, at) => {
    if (column.role !== "measure" && column.role !== "forecast") return;
    series.push({ name: column.name, role: column.role, colour: series.length % 6, at, low: side("low", column.name), high: side("high", column.name) });
  });
  return series;
}

/** Round steps: 1, 2, 2.5 or 5 times a power of ten. */
function ticks(from: number, to: number, about: number): number[] {
  const rough = (to - from) / Math.max(1, about);
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  const step = [1, 2, 2.5, 5, 10].map((k) => k * power).find((k) => k >= rough) ?? power;
  const out: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to + step * 1e-9; at += step) out.push(Math.abs(at) < step * 1e-9 ? 0 : at);
  return out;
}

const day_ms = 86_400_000;

function time_ticks(from: number, to: number, about: number, utc: boolean): { at: number; text: string }[] {
  const span = (to - from) / Math.max(1, about);
  const zone = utc ? { timeZone: "UTC" } : {};
  if (!utc && span < day_ms * 0.75) { // days have no hours
    const step = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((m) => m * 60_000).find((s) => s >= span) ?? day_ms;
    const format = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", ...zone });
    const shift = utc ? 0 : new Date(from).getTimezoneOffset() * 60_000;
    const out = [];
    for (let at = Math.ceil((from - shift) / step) * step + shift; at <= to; at += step) out.push({ at, text: format.format(at) });
    return out;
  }
  const out = [];
  if (span < 27 * day_ms) {
    const step = [1, 2, 7, 14, 28].map((d) => d * day_ms).find((s) => s >= span) ?? 28 * day_ms;
    const format = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", ...zone });
    const monday = 4 * day_ms; // the first Monday of 1970 was the 5th of January
    for (let at = Math.ceil((from - monday) / step) * step + monday; at <= to; at += step) out.push({ at, text: format.format(at) });
    return out;
  }
  const months = [1, 2, 3, 6, 12, 24, 60].find((m) => m * 30.4 * day_ms >= span) ?? 120;
  const format = new Intl.DateTimeFormat(undefined, { month: "short", year: "numeric", ...zone });
  const first = new Date(from);
  for (let index = Math.ceil((first.getUTCFullYear() * 12 + first.getUTCMonth()) / months) * months; ; index += months) {
    const at = Date.UTC(Math.floor(index / 12), index % 12, 1);
    if (at > to) return out;
    if (at >= from) out.push({ at, text: format.format(at) });
  }
}

/** An SVG path that leaves gaps where there is no value. */
function path_of(points: ([number, number] | null)[]): string {
  let text = "";
  let pen = false;
  for (const point of points) {
    if (point !== null) text += `${pen ? "L" : "M"}${point[0].toFixed(1)} ${point[1].toFixed(1)}`;
    pen = point !== null;
  }
  return text;
}

export function LineChart(props: { title: string; unit: string; columns: Column[]; rows: Cell[][]; filled?: boolean; joined?: boolean; choose?: ((value: Cell) => void) | undefined; choose_series?: ((series: string) => void) | undefined }) {
  const frame = useRef<HTMLDivElement>(null);
  const width = use_width_of(frame);
  const focus = useSignal<number | null>(null);

  const { columns, rows } = props;
  const axis = read_axis(columns[0]!, rows);
  const series = read_series(columns);
  const value = (row: number, column: number) => (column < 0 ? null : as_number(rows[row]?.[column]));

  let most = -Infinity;
  let least = Infinity;
  for (const one of series)
    for (const column of [one.at, one.low, one.high])
      rows.forEach((_, i) => {
        const found = value(i, column);
        if (found === null) return;
        most = Math.max(most, found);
        least = Math.min(least, found);
      });
  if (most === -Infinity) return <div class="nothing">No data yet. The chart fills as rows arrive.</div>;
  // From zero, unless the values lie far from it and close together.
  if (least > 0 && (least < 0.6 * most || props.filled)) least = 0;
  if (most === least) most = least + 1;
  const room = (most - least) * 0.05;
  const [bottom, top] = [least === 0 ? 0 : least - room, most + room];
  const [first, last] = [axis.values[0]!, axis.values[axis.values.length - 1]!];
  const inner = width - pad.left - pad.right;
  const x = (at: number) => pad.left + (last === first ? inner / 2 : ((at - first) / (last - first)) * inner);
  const y = (at: number) => height - pad.bottom - ((at - bottom) / (top - bottom)) * (height - pad.top - pad.bottom);
  const along = (column: number) =>
    axis.values.flatMap((at, i): ([number, number] | null)[] => {
      const found = value(i, column);
      // Series of a split have no row where they have nothing: no gap is meant.
      return found === null ? (props.joined ? [] : [null]) : [[x(at), y(found)]];
    });
  const say_x = (i: number) => (axis.timed ? (axis.days ? exact_day(axis.values[i]!) : exact_time(axis.values[i]!)) : plain(rows[i]![0] ?? null, columns[0]!));

  const x_ticks = axis.timed
    ? time_ticks(first, last, inner / 95, axis.days)
    : ticks(first, last, inner / 80).map((at) => ({ at, text: String(Math.round(at * 100) / 100) }));

  const at = focus.value !== null && focus.value < rows.length ? focus.value : null;
  const nearest = (event: PointerEvent) => {
    const box = frame.current!.getBoundingClientRect();
    const wanted = event.clientX - box.left;
    let best = 0;
    axis.values.forEach((at, i) => {
      if (Math.abs(x(at) - wanted) < Math.abs(x(axis.values[best]!) - wanted)) best = i;
    });
    focus.value = best;
  };
  const pick = () => at !== null && props.choose?.(rows[at]![0] ?? null);
  const keys = (event: KeyboardEvent) => {
    const end = rows.length - 1;
    const now = focus.value ?? end;
    const to: Record<string, number> = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: end, PageUp: now - 7, PageDown: now + 7 };
    if (event.key === "Escape") focus.value = null;
    if (event.key === "Enter") pick();
    const next = to[event.key];
    if (next === undefined) return;
    event.preventDefault();
    focus.value = Math.max(0, Math.min(end, next));
  };

  const boundary = series.find((one) => one.role === "measure");
  const forecast = series.find((one) => one.role === "forecast");
  const last_known = boundary && forecast ? rows.reduce((found, _, i) => (value(i, boundary.at) !== null ? i : found), -1) : -1;
  const summary = `${props.title}. ${series.map((one) => `${words(one.name)}${one.role === "forecast" ? ", a forecast" : ""}`).join("; ")}. ${rows.length} points from ${say_x(0)} to ${say_x(rows.length - 1)}, between ${number(least)} and ${number(most)} ${props.unit}. Arrow keys read single points${props.choose ? ", Enter narrows the page by one" : ""}.`;
  return (
    <figure class="line-chart">
      <figcaption class="legend">
        {at === null ? (
          <>
            {series.map((one) => (
              <span key={one.name} class="legend-item">
                <SeriesName name={one.name} choose={props.choose_series}>
                  <svg viewBox="0 0 24 8" aria-hidden="true" class={`series-${one.colour} ${one.role}`}>
                    {one.low >= 0 && <rect class="band" width="24" height="8" rx="2" />}
                    <path d="M1 4h22" />
                  </svg>
                </SeriesName>
                {one.low >= 0 && one.high >= 0 && <span class="measure"> with {columns[one.low]!.name.replace(/^.* /, "")}&ndash;{columns[one.high]!.name.replace(/^.* /, "")}</span>}
              </span>
            ))}
          </>
        ) : (
          <>
            <strong>{say_x(at)}</strong>
            {series.map((one) => {
              const found = value(at, one.at);
              if (found === null) return null;
              const [low, high] = [value(at, one.low), value(at, one.high)];
              return (
                <span key={one.name} class="legend-item">
                  <svg viewBox="0 0 24 8" aria-hidden="true" class={`series-${one.colour} ${one.role}`}>
                    <path d="M1 4h22" />
                  </svg>
                  {words(one.name)} <b>
                    {number(found)}
                    {props.unit === "percent" && "%"}
                  </b>
                  {low !== null && high !== null && (
                    <span class="measure">
                      {" "}
                      ({number(low)} to {number(high)})
                    </span>
                  )}
                </span>
              );
            })}
          </>
        )}
      </figcaption>
      <div
        class="plot"
        ref={frame}
        tabIndex={0}
        role="application"
        aria-roledescription="line chart"
        aria-label={summary}
        onPointerMove={nearest}
        onPointerDown={nearest}
        onPointerLeave={() => (focus.value = null)}
        onKeyDown={keys}
        onBlur={() => (focus.value = null)}
      >
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true" class={props.choose ? "pick" : ""} onClick={props.choose && pick}>
          {width > 0 && (
            <>
              {ticks(bottom, top, 4).map((tick) => (
                <g key={tick}>
                  <line class="grid" x1={pad.left} x2={width - pad.right} y1={y(tick)} y2={y(tick)} />
                  <text class="tick" x={pad.left - 8} y={y(tick) + 4} text-anchor="end">
                    {short_number(tick)}
                    {props.unit === "percent" && "%"}
                  </text>
                </g>
              ))}
              {x_ticks.map((tick) => (
                <text key={tick.at} class="tick" x={Math.min(x(tick.at), width - 4 - tick.text.length * 3.2)} y={height - 8} text-anchor="middle">
                  {tick.text}
                </text>
              ))}
              {last_known >= 0 && last_known < rows.length - 1 && (
                <g>
                  <line class="boundary" x1={x(axis.values[last_known]!)} x2={x(axis.values[last_known]!)} y1={pad.top} y2={height - pad.bottom} />
                </g>
              )}
              {series.map((one) => (
                <g key={one.name} class={`series-${one.colour} ${one.role}`}>
                  {one.low >= 0 && one.high >= 0 && <path class="band" d={band_of(along(one.low), along(one.high))} />}
                  {props.filled && one.role === "measure" && <path class="band" d={band_of(along(one.at).map((point) => point && [point[0], y(Math.max(0, bottom))]), along(one.at))} />}
                  <path d={path_of(along(one.at))} />
                </g>
              ))}
              {at !== null && (
                <g>
                  <line class="cross" x1={x(axis.values[at]!)} x2={x(axis.values[at]!)} y1={pad.top} y2={height - pad.bottom} />
                  {series.map((one) => {
                    const found = value(at, one.at);
                    return found === null ? null : <circle key={one.name} class={`point series-${one.colour}`} cx={x(axis.values[at]!)} cy={y(found)} r="4" />;
                  })}
                </g>
              )}
            </>
          )}
        </svg>
      </div>
      <p class="sr-only" role="status">
        {at !== null && `${say_x(at)}: ${series.map((one) => `${words(one.name)} ${value(at, one.at) ?? "none"}`).join(", ")}`}
      </p>
    </figure>
  );
}

/** Up along the high, back along the low, one piece for each stretch without gaps. */
function band_of(low: ([number, number] | null)[], high: ([number, number] | null)[]): string {
  let text = "";
  let begin = -1;
  for (let i = 0; i <= low.length; i++) {
    const there = i < low.length && low[i] !== null && high[i] !== null;
    if (there && begin < 0) begin = i;
    if (there || begin < 0) continue;
    const over = high.slice(begin, i).map((point) => `${point![0].toFixed(1)} ${point![1].toFixed(1)}`);
    const under = low.slice(begin, i).reverse().map((point) => `${point![0].toFixed(1)} ${point![1].toFixed(1)}`);
    text += `M${over.join("L")}L${under.join("L")}Z`;
    begin = -1;
  }
  return text;
}
