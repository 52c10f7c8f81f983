// The charts of a page: figures first, then cards in rows of six parts.

import type { Cell, Chart, Dashboard } from "../../api";
import { sql_name, sql_text } from "../../api";
import { ChartCard, type Choose, is_wide, NumberTile } from "../../charts/chart";

const in_sight = 4; // cards that a large window shows without scrolling

export function ChartCards({ page, choose }: { page: Dashboard; choose?: Choose }) {
  const numbers = page.charts.filter((chart) => chart.kind === "number");
  const others = page.charts.filter((chart) => chart.kind !== "number");
  const alone = rows_of_their_own(others);
  const filters = page.filters.map((filter) => filter.name);
  return (
    <>
      {numbers.length > 0 && (
        <section class="tiles" aria-label="Key figures">
          {keyed(numbers).map(([key, chart]) => (
            <NumberTile key={key} chart={chart} />
          ))}
        </section>
      )}
      <section class="charts" aria-label="Charts">
        {keyed(others).map(([key, chart], i) => (
          <ChartCard key={key} chart={chart} wide={alone.has(i)} later={i >= in_sight} filters={filters} {...(choose ? { choose, rows_link: rows_link(page, chart) } : {})} />
        ))}
      </section>
    </>
  );
}

/** The rows behind a chart, its own condition and the page's: a statement in the workbench. */
function rows_link(page: Dashboard, chart: Chart): string | null {
  if (!chart.from) return null;
  const narrowed = page.filters
    .filter((filter) => filter.selected.length > 0 && !(chart.filters_ignored ?? []).includes(filter.name))
    .map((filter) => `${sql_name(filter.name)}::text in (${filter.selected.map((value: Cell) => sql_text(String(value))).join(", ")})`);
  const where = [...(chart.where ? [narrowed.length > 0 ? `(${chart.where})` : chart.where] : []), ...narrowed];
  const table = chart.from.split(".").map(sql_name).join(".");
  const sql = `select *\nfrom ${table}${where.length > 0 ? `\nwhere ${where.join("\n  and ")}` : ""}\nlimit 10000`;
  return `/workbench?sql=${encodeURIComponent(sql)}`;
}

/** Small charts stand in pairs; one without a neighbour takes the row. */
function rows_of_their_own(charts: Chart[]): Set<number> {
  const out = new Set<number>();
  for (let i = 0; i < charts.length; i++) {
    if (!is_wide(charts[i]!) && i + 1 < charts.length && !is_wide(charts[i + 1]!)) i++;
    else out.add(i);
  }
  return out;
}

/** A chart keeps its place on the page by its title. */
function keyed(charts: Chart[]): [string, Chart][] {
  const seen = new Map<string, number>();
  return charts.map((chart) => {
    const times = seen.get(chart.title) ?? 0;
    seen.set(chart.title, times + 1);
    return [`${chart.kind} ${chart.title} ${times}`, chart];
  });
}
