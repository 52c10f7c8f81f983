// What the lakefile has to say for a statement to become a table or a chart.

const plain = /^[A-Za-z_][\w .,()*/<>=%-]*[\w)%*]$|^[A-Za-z_]$/;
const meant_otherwise = /^(true|false|yes|no|on|off|null|~)$|: |\s#|,$/i;

/** A word as YAML takes it: in quotes where it must be. `flow`: inside of [] or {}. */
export function yaml_word(text: string, flow = false): string {
  if (plain.test(text) && !meant_otherwise.test(text) && !(flow && /[,[\]{}]/.test(text))) return text;
  return JSON.stringify(text);
}

export function yaml_block(text: string, indent: string): string {
  return "|\n" + text.trim().replace(/;\s*$/, "").split("\n").map((line) => (line === "" ? "" : indent + line)).join("\n");
}

export const name_from = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^[\d_]+|_+$/g, "") || "new";

export function table_yaml(name: string, sql: string): string {
  return `tables:\n  ${name_from(name)}:\n    sql: ${yaml_block(sql, "      ")}\n`;
}

/** What is drawn: of a statement it is all columns after the first one, whose names stand here for who reads the lakefile. */
export function chart_measures(kind: string, columns: string[]): string | string[] {
  const named = columns.length > 1 ? columns.slice(1) : columns.length === 1 ? columns : ["value"];
  return kind === "number" ? named[0]! : named;
}

export function chart_yaml(dashboard: string, title: string, kind: string, columns: string[], sql: string): string {
  const measures = chart_measures(kind, columns);
  const said = Array.isArray(measures) ? `[${measures.map((one) => yaml_word(one, true)).join(", ")}]` : yaml_word(measures);
  const kind_line = kind === "table" ? "" : `\n        ${kind}: ${said}`;
  return `dashboards:\n  ${name_from(dashboard)}:\n    charts:\n      - title: ${yaml_word(title)}${kind_line}\n        sql: ${yaml_block(sql, "          ")}\n`;
}
