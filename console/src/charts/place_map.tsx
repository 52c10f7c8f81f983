// Places as dots on a plain projection: no map tiles, for the console asks nobody but its own server.

import { useSignal } from "@preact/signals";
import type { Cell, Column } from "../api";
import { as_number, kind_of, number, share, words } from "../format";

const width = 600;
const margin = 26;

interface Place {
  name: string;
  x: number;
  y: number;
  value: number | null;
}

export function PlaceMap(props: { title: string; columns: Column[]; rows: Cell[][] }) {
  const over = useSignal<Place | null>(null);
  const at = (role: string) => props.columns.findIndex((column) => column.role === role);
  const [latitude, longitude, measure] = [at("latitude"), at("longitude"), at("measure")];
  const label = props.columns.map((column) => column.role).lastIndexOf("label");
  const points = props.rows.flatMap((row) => {
    const lat = as_number(row[latitude]);
    const lon = as_number(row[longitude]);
    return lat === null || lon === null ? [] : [{ lat, lon, name: String(row[label] ?? ""), value: as_number(row[measure]) }];
  });
  if (points.length === 0) return <div class="nothing">No place has a latitude and a longitude.</div>;
  const middle = (points.reduce((sum, one) => sum + one.lat, 0) / points.length) * (Math.PI / 180);
  const xs = points.map((one) => one.lon * Math.cos(middle));
  const ys = points.map((one) => -one.lat);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const across = Math.max(Math.max(...xs) - left, 1e-6);
  const down = Math.max(Math.max(...ys) - top, 1e-6);
  const scale = Math.min((width - 2 * margin) / across, 360 / down);
  const height = Math.max(120, down * scale + 2 * margin);
  const inset = (width - across * scale) / 2;
  const values = points.flatMap((one) => (one.value === null ? [] : [one.value]));
  const [least, most] = [Math.min(...values, 0), Math.max(...values, 0)];
  const places: Place[] = points.map((one, i) => ({
    name: one.name,
    value: one.value,
    x: inset + (xs[i]! - left) * scale,
    y: margin + (ys[i]! - top) * scale,
  }));
  // The highest are drawn last, on top.
  places.sort((a, b) => (a.value ?? -Infinity) - (b.value ?? -Infinity));
  const column = props.columns[measure]!;
  const say = (value: number | null) => (value === null ? "no value" : kind_of(column) === "share" ? share(value) : number(value));
  const step = (value: number | null) => (value === null || most === least ? 0 : Math.min(4, Math.floor((5 * (value - least)) / (most - least))));
  return (
    <div class="map">
      <svg
        viewBox={`0 0 ${width} ${Math.round(height)}`}
        role="img"
        aria-label={`${props.title}: ${places.length} places by ${words(column.name)}, from ${say(least)} to ${say(most)}. The table has each.`}
      >
        {places.map((place, i) => (
          <circle
            key={i}
            class={`place heat-${step(place.value)}`}
            cx={place.x.toFixed(1)}
            cy={place.y.toFixed(1)}
            r={6 + 1.4 * step(place.value)}
            onPointerEnter={() => (over.value = place)}
            onPointerLeave={() => (over.value = null)}
          />
        ))}
      </svg>
      <p class="readout">
        {over.value ? (
          <>
            <strong>{over.value.name}</strong> {words(column.name)} {say(over.value.value)}
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
