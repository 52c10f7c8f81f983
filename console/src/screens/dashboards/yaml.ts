// A dashboard as the lakefile has it.

import { yaml_block, yaml_word } from "../workbench/yaml";

export interface ChartSpec {
  title: string;
  [word: string]: unknown;
}
export interface DashboardSpec {
  name: string;
  title: string;
  filters: string[];
  embed: string[];
  charts: ChartSpec[];
}

export const kinds = ["number", "line", "area", "bar", "stacked", "scatter", "heatmap", "table", "map"];
const words = ["title", ...kinds, "by", "split", "spark", "from", "where", "order", "limit", "colour", "unit", "width", "sql"];

export const kind_of_spec = (chart: ChartSpec): string => kinds.find((kind) => kind in chart) ?? "table";

/** The same measures, drawn otherwise. Columns of a table are no measures: they go along as they are. */
export function with_kind(chart: ChartSpec, kind: string): ChartSpec {
  const before = kind_of_spec(chart);
  const out: ChartSpec = { title: chart.title };
  for (const [word, value] of Object.entries(chart)) if (word !== before && word !== "title") out[word] = value;
  const measures = chart[before];
  out[kind] = kind === "number" && Array.isArray(measures) ? measures[0] : (measures ?? []);
  return out;
}

function value_text(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((one) => yaml_word(String(one), true)).join(", ")}]`;
  return typeof value === "number" ? String(value) : yaml_word(String(value));
}

export function dashboard_yaml(spec: DashboardSpec): string {
  let text = `dashboards:\n  ${spec.name}:\n    title: ${yaml_word(spec.title)}\n`;
  if (spec.filters.length > 0) text += `    filters: ${value_text(spec.filters)}\n`;
  if (spec.embed.length > 0) text += `    embed: ${value_text(spec.embed)}\n`;
  text += "    charts:\n";
  for (const chart of spec.charts) {
    let first = true;
    for (const word of words) {
      const value = chart[word];
      if (value === undefined || value === "") continue;
      text += `      ${first ? "-" : " "} ${word}: ${word === "sql" ? yaml_block(String(value), "          ") : value_text(value)}\n`;
      first = false;
    }
  }
  return text;
}
