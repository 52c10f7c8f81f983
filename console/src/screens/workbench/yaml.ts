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

export function chart_yaml(dashboard: string, title: string, kind: string, sql: string): string {
  // Without a kind that needs measures the columns of the statement say what is drawn: x first, then measures.
  const kind_line = kind === "table" ? "" : `\n        ${kind}: []`;
  return `dashboards:\n  ${name_from(dashboard)}:\n    charts:\n      - title: ${yaml_word(title)}${kind_line}\n        sql: ${yaml_block(sql, "          ")}\n`;
}
