// Bars lie, so that their names can be read; those below zero end where the others begin.

import type { Cell, Column } from "../api";
import { as_number, number, plain } from "../format";

export function Bars(props: { title: string; unit: string; columns: Column[]; rows: Cell[][]; choose?: ((value: Cell) => void) | undefined }) {
  const label = props.columns[0]!;
  const measures = props.columns.slice(1);
  const values = props.rows.flatMap((row) => measures.map((_, i) => as_number(row[i + 1]) ?? 0));
  const least = Math.min(...values, 0);
  const range = Math.max(...values, 0) - least;
  const share = (length: number) => `${range > 0 ? (80 * length) / range : 0}%`; // the rest is for figures
  return (
    <ul class="bars" aria-label={props.title}>
      {props.rows.map((row) => {
        const name = plain(row[0] ?? null, label);
        return (
          <li key={name}>
            <span class="bar-name" title={name}>
              {props.choose ? (
                <button type="button" class="bar-pick" onClick={() => props.choose?.(row[0] ?? null)}>
                  {name}
                </button>
              ) : (
                name
              )}
            </span>
            <span class="bar-group">
              {measures.map((measure, i) => {
                const value = as_number(row[i + 1]) ?? 0;
                return (
                  <span key={measure.name} class="bar-line">
                    <span class={`bar-run series-${i}`} aria-hidden="true" style={{ marginLeft: share(Math.min(0, value) - least), width: share(Math.abs(value)) }} />
                    <span class="figure">
                      {number(value)}
                      {props.unit && ` ${props.unit}`}
                      {measures.length > 1 && <span class="measure"> {measure.name}</span>}
                    </span>
                  </span>
                );
              })}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
