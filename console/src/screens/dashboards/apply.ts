// One dashboard changed in the lakefile that is applied: everything else is sent back as it stands, and the plan must say
// that nothing else changes.

import { ApiError } from "../../api";
import { do_ask } from "../../live";
import type { DashboardSpec } from "./yaml";

interface Applied {
  lake: string;
  timezone: string;
  items: { item: string; text: string }[]; // text: JSON, in the order of the file
}
interface Plan {
  plan: string;
  problems?: { message: string }[];
  changes?: { item: string; change: string }[];
}

function definition_of(spec: DashboardSpec): Record<string, unknown> {
  const out: Record<string, unknown> = { title: spec.title };
  if (spec.filters.length > 0) out.filters = spec.filters;
  if (spec.embed.length > 0) out.embed = spec.embed;
  out.charts = spec.charts.map((chart) => Object.fromEntries(Object.entries(chart).filter(([, value]) => value !== "" && !(Array.isArray(value) && value.length === 0 && chart.sql === undefined))));
  return out;
}

/** One line of YAML. Numbers and truths stand without quotes: in quotes they would be texts, which the lakefile tells apart. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value === "object" && value !== null) return `{${Object.entries(value).map(([word, one]) => `${JSON.stringify(word)}: ${flow(one)}`).join(", ")}}`;
  if (typeof value === "string" && /^(true|false|-?\d+(\.\d+)?)$/.test(value)) return value;
  return JSON.stringify(value);
}

export async function apply_dashboard(spec: DashboardSpec): Promise<void> {
  const now = await do_ask<Applied>("GET", "/api/v1/lakefile");
  const file: Record<string, unknown> = { lake: now.lake };
  if (now.timezone) file.timezone = now.timezone;
  for (const { item, text } of now.items) {
    const dot = item.indexOf(".");
    const section = (file[item.slice(0, dot)] ??= {}) as Record<string, unknown>;
    section[item.slice(dot + 1)] = JSON.parse(text);
  }
  ((file.dashboards ??= {}) as Record<string, unknown>)[spec.name] = definition_of(spec);
  const lakefile = Object.entries(file).map(([section, one]) => `${section}: ${flow(one)}\n`).join("");
  const body = { lakefile, file_name: "console.yaml" };
  const plan = await do_ask<Plan>("POST", "/api/v1/plan", body);
  if (plan.problems && plan.problems.length > 0) throw new ApiError(400, "invalid_argument", plan.problems.map((one) => one.message).join("; "));
  const others = (plan.changes ?? []).filter((one) => one.item !== `dashboards.${spec.name}` && one.change !== "none" && one.change !== "same");
  if (others.length > 0)
    throw new ApiError(409, "conflict", `This would change ${others.map((one) => one.item).join(", ")} too: put the text into the lakefile and apply that.`);
  await do_ask("POST", "/api/v1/apply", { ...body, plan: plan.plan });
}
