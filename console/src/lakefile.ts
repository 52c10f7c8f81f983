// One item changed in the lakefile that is applied: everything else is sent back as it stands, and the plan must say that nothing else
// changes.

import { ApiError } from "./api";
import { do_ask } from "./live";

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
type Definition = Record<string, unknown>;

/** One line of YAML. Numbers and truths stand without quotes: in quotes they would be texts, which the lakefile tells apart. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
  if (typeof value === "object" && value !== null) return `{${Object.entries(value).map(([word, one]) => `${JSON.stringify(word)}: ${flow(one)}`).join(", ")}}`;
  if (typeof value === "string" && /^(true|false|-?\d+(\.\d+)?)$/.test(value)) return value;
  return JSON.stringify(value);
}

/** `item`: "dashboards.stock". `change` makes its definition of the one that is applied; null: there is none yet. Throws ApiError. */
export async function apply_item(item: string, change: (now: Definition | null) => Definition): Promise<void> {
  const now = await do_ask<Applied>("GET", "/api/v1/lakefile");
  const file: Record<string, Definition> = {};
  let before: Definition | null = null;
  const put = (name: string, definition: Definition) => {
    const dot = name.indexOf(".");
    (file[name.slice(0, dot)] ??= {})[name.slice(dot + 1)] = definition;
  };
  for (const one of now.items) {
    const definition = JSON.parse(one.text) as Definition;
    if (one.item === item) before = definition;
    put(one.item, definition);
  }
  put(item, change(before));
  const head = `lake: ${flow(now.lake)}\n${now.timezone ? `timezone: ${flow(now.timezone)}\n` : ""}`;
  const body = { lakefile: head + Object.entries(file).map(([section, one]) => `${section}: ${flow(one)}\n`).join(""), file_name: "console.yaml" };
  const plan = await do_ask<Plan>("POST", "/api/v1/plan", body);
  if (plan.problems && plan.problems.length > 0) throw new ApiError(400, "invalid_argument", plan.problems.map((one) => one.message).join("; "));
  const others = (plan.changes ?? []).filter((one) => one.item !== item && one.change !== "none" && one.change !== "same");
  if (others.length > 0)
    throw new ApiError(409, "conflict", `This would change ${others.map((one) => one.item).join(", ")} too: put the text into the lakefile and apply that.`);
  await do_ask("POST", "/api/v1/apply", { ...body, plan: plan.plan });
}
