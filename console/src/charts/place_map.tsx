// Places as dots on a plain projection: no map tiles, for the console asks nobody but its own server.

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Cell, Column } from "../api";
import { as_number, kind_of, number, share, words } from "../format";
import { use_width_of } from "../ui/width";
import { Plot } from "./frame";

const margin = 30;
const tallest = 320;
const least_span = 1; // degrees
const named_max = 14; // more names than these would cover each other

interface Place {
  name: string;
  key: Cell; // what its rows are found by
  x: number;
  y: number;
  value: number | null;
}

export function PlaceMap(props: { title: string; columns: Column[]; rows: Cell[][]; choose?: ((key: Cell) => void) | undefined }) {
  const focus = useSignal<number | null>(null);
  const frame = useRef<HTMLDivElement>(null);
  const width = use_width_of(frame);
  const at = (role: string) => props.columns.findIndex((column) => column.role === role);
  const [latitude, longitude, measure] = [at("latitude"), at("longitude"), at("measure")];
  const key = at("label");
  const label = props.columns.map((column) => column.role).lastIndexOf("label");
  const points = props.rows.flatMap((row) => {
    const lat = as_number(row[latitude]);
    const lon = as_number(row[longitude]);
    return lat === null || lon === null ? [] : [{ lat, lon, key: row[key] ?? null, name: String(row[label] ?? ""), value: as_number(row[measure]) }];
  });
  if (points.length === 0) return <div class="nothing" ref={frame}>No place has a latitude and a longitude.</div>;
  if (width === 0) return <div class="map" ref={frame} />;
  const middle = (points.reduce((sum, one) => sum + one.lat, 0) / points.length) * (Math.PI / 180);
  const xs = points.map((one) => one.lon * Math.cos(middle));
  const ys = points.map((one) => -one.lat);
  const [left, across] = extent(xs, least_span);
  const [top, down] = extent(ys, least_span / 4);
  const scale = Math.min((width - 2 * margin) / across, (tallest - 2 * margin) / down);
  const height = Math.max(120, down * scale + 2 * margin);
  const inset = (width - across * scale) / 2;
  const values = points.flatMap((one) => (one.value === null ? [] : [one.value]));
  const [least, most] = [Math.min(...values, 0), Math.max(...values, 0)];
  const places: Place[] = points.map((one, i) => ({
    name: one.name,
    key: one.key,
    value: one.value,
    x: inset + (xs[i]! - left) * scale,
    y: margin + (ys[i]! - top) * scale,
  }));
  // The highest are drawn last, on top.
  places.sort((a, b) => (a.value ?? -Infinity) - (b.value ?? -Infinity));
  const over = focus.value === null ? null : (places[focus.value] ?? null);
  const every = degrees_step(Math.max(across / Math.cos(middle), down));
  const meridians = whole_degrees(left / Math.cos(middle) - inset / scale / Math.cos(middle), (width - inset) / scale / Math.cos(middle) + left / Math.cos(middle), every);
  const parallels = whole_degrees(-(top + (height - margin) / scale), -(top - margin / scale), every);
  const names = placed_names(places, width);
  const column = props.columns[measure]!;
  const say = (value: number | null) => (value === null ? "no value" : kind_of(column) === "share" ? share(value) : number(value));
  const step = (value: number | null) => (value === null || most === least ? 0 : Math.min(4, Math.floor((5 * (value - least)) / (most - least))));
  return (
    <div class="map" ref={frame}>
      <Plot
        height={Math.round(height)}
        kind="map"
        label={`${props.title}: ${places.length} ${places.length === 1 ? "place" : "places"} by ${words(column.name)}, from ${say(least)} to ${say(most)}. Arrow keys read single places, the highest first${props.choose ? "; Enter narrows the page by one" : ""}.`}
        leave={() => (focus.value = null)}
        move={(by) => (focus.value = Math.max(0, Math.min(places.length - 1, (focus.value ?? (by > 0 ? places.length : -1)) - by)))}
        enter={() => over && props.choose?.(over.key)}
        draw={() => (
          <>
            <g>
              {meridians.map((degrees) => {
                const x = inset + (degrees * Math.cos(middle) - left) * scale;
                return (
                  <g key={`m${degrees}`}>
                    <line class="meridian" x1={x} x2={x} y1={0} y2={height} />
                    {x + 42 < width && <text x={x + 3} y={height - 4}>{degrees_text(degrees, "E", "W")}</text>}
                  </g>
                );
              })}
              {parallels.map((degrees) => {
                const y = margin + (-degrees - top) * scale;
                return (
                  <g key={`p${degrees}`}>
                    <line class="meridian" x1={0} x2={width} y1={y} y2={y} />
                    {y > 14 && y < height - 18 && <text x={3} y={y - 3}>{degrees_text(degrees, "N", "S")}</text>}
                  </g>
                );
              })}
            </g>
            {places.map((place, i) => (
              <circle
                key={i}
                class={`place heat-${step(place.value)} ${over === place ? "on" : ""} ${props.choose ? "pick" : ""}`}
                cx={place.x.toFixed(1)}
                cy={place.y.toFixed(1)}
                r={6 + 1.4 * step(place.value)}
                onPointerEnter={() => (focus.value = i)}
                onClick={() => props.choose?.(place.key)}
              />
            ))}
            <g>
              {names.map((place) => (
                <text key={place.name} class="place-name" x={place.x + 16} y={place.y + 4}>
                  {place.name}
                </text>
              ))}
            </g>
          </>
        )}
      />
      <p class="readout" role="status">
        {over ? (
          <>
            <strong>{over.name}</strong> {words(column.name)} {say(over.value)}
          </>
        ) : (
          <span class="scale">
            {words(column.name)} {say(least)}
            {[0, 1, 2, 3, 4].map((i) => (
              <i key={i} class={`heat-${i}`} />
            ))}
            {say(most)}
          </span>
        )}
      </p>
    </div>
  );
}

/** From where, and how far: one place alone stands in the middle of some land. */
function extent(values: number[], least: number): [number, number] {
  const [from, to] = [Math.min(...values), Math.max(...values)];
  const span = Math.max(to - from, least);
  return [(from + to - span) / 2, span];
}

/** So that three to seven lines cross the picture. */
function degrees_step(span: number): number {
  return [30, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05].find((step) => span / step >= 3) ?? 0.02;
}

function whole_degrees(from: number, to: number, step: number): number[] {
  const out: number[] = [];
  for (let at = Math.ceil(from / step); at * step < to && out.length < 40; at++) out.push(Number((at * step).toFixed(2)));
  return out;
}

const degrees_text = (degrees: number, positive: string, negative: string): string => `${Math.abs(degrees)}\u00b0${degrees === 0 ? "" : ` ${degrees > 0 ? positive : negative}`}`;

/** Those whose names find room: the highest first, none upon another. */
function placed_names(places: Place[], width: number): Place[] {
  const taken: Place[] = [];
  for (const place of [...places].reverse()) {
    if (taken.length >= named_max) break;
    const end = place.x + 16 + place.name.length * 6.5;
    // Neither beyond the picture nor across another place's dot.
    const room = end < width && places.every((one) => one === place || Math.abs(one.y - place.y) > 14 || one.x < place.x || one.x > end + 12);
    if (room && place.name !== "" && taken.every((one) => Math.abs(one.y - place.y) > 14 || Math.abs(one.x - place.x) > 20 + 6.5 * Math.max(one.name.length, place.name.length))) taken.push(place);
  }
  return taken;
}
