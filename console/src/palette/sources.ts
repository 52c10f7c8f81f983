// What the palette finds. A source is one function; what the viewer may not ask for is simply not found.

import { type DashboardName, ask, path_of } from "../api";
import { palette_open } from "../keys";
import { navigate } from "../navigate";
import { screens } from "../routes";
import { sign_out } from "../session";

export interface Command {
  kind: string; // "table", "dashboard" ...: shown beside it
  title: string;
  about?: string; // found as well
  run: () => void;
}

const go = (to: string) => () => navigate(to);
const has = (screen: string) => screens.some((one) => one.name === screen);

const sources: (() => Command[] | Promise<Command[]>)[] = [
  () => screens.map((screen) => ({ kind: "screen", title: screen.title, run: go(screen.path) })),
  () => [
    { kind: "action", title: "Keys of the keyboard", run: () => (palette_open.value = "help") },
    { kind: "action", title: "Sign out", run: () => void sign_out() },
    { kind: "action", title: "Sign out everywhere", run: () => void sign_out(true) },
  ],
  async () => {
    if (!has("dashboards")) return [];
    const found = await ask<{ dashboards: DashboardName[] }>("GET", "/api/v1/dashboards");
    return found.dashboards.map((one) => ({ kind: "dashboard", title: one.title, about: one.name, run: go(path_of("/dashboards", one.name)) }));
  },
  async () => {
    if (!has("catalog")) return [];
    const found = await ask<{ tables: { database: string; table: string; description?: string }[] }>("GET", "/api/v1/catalog");
    return found.tables.map((one) => ({
      kind: "table",
      title: `${one.database}.${one.table}`,
      about: one.description ?? "",
      run: go(path_of("/catalog", one.database, one.table)),
    }));
  },
  async () => {
    if (!has("pipelines")) return [];
    const found = await ask<{ tables: { step: string }[] }>("GET", "/api/v1/tables");
    return found.tables.map((one) => ({ kind: "step", title: one.step, run: go(path_of("/pipelines", one.step)) }));
  },
  async () => {
    if (!has("pipelines")) return [];
    const found = await ask<{ sources: { name: string }[] }>("GET", "/api/v1/sources");
    return found.sources.map((one) => ({ kind: "source", title: one.name, run: go(`/pipelines?source=${encodeURIComponent(one.name)}`) }));
  },
  async () => {
    if (!has("access")) return [];
    const found = await ask<{ users: { name: string }[] }>("GET", "/api/v1/users");
    return found.users.map((one) => ({ kind: "user", title: one.name, run: go(path_of("/access/users", one.name)) }));
  },
  async () => {
    if (!has("alerts")) return [];
    const found = await ask<{ alerts: { rule: string }[] }>("GET", "/api/v1/alerts");
    return found.alerts.map((one) => ({ kind: "alert", title: one.rule, run: go(path_of("/alerts", one.rule)) }));
  },
  async () => {
    if (!has("models")) return [];
    const found = await ask<{ models: { model: string }[] }>("GET", "/api/v1/models");
    return found.models.map((one) => ({ kind: "model", title: one.model, run: go(path_of("/models", one.model)) }));
  },
];

/** Calls `found` with each source's commands as they come; resolved once the last has come. */
export async function load_commands(found: (commands: Command[]) => void): Promise<void> {
  const load = async (source: (typeof sources)[number]) => {
    try {
      found(await source());
    } catch {
      /* may not be asked for, or cannot be reached: the others are there */
    }
  };
  await Promise.all(sources.map(load));
}

/** How well `needle` (lower case) is found in `text`, letters in order; null: not. Beginnings of words and runs count more. */
export function fuzzy(needle: string, text: string): number | null {
  const lower = text.toLowerCase();
  const whole = lower.indexOf(needle);
  if (whole >= 0) return 1000 - whole * 2 - lower.length * 0.1 + (whole === 0 || !/[a-z0-9]/.test(lower[whole - 1]!) ? 200 : 0);
  let score = 0;
  let at = -1;
  for (const letter of needle) {
    if (letter === " ") continue;
    const next = lower.indexOf(letter, at + 1);
    if (next < 0) return null;
    score += next === at + 1 ? 8 : next === 0 || !/[a-z0-9]/.test(lower[next - 1]!) ? 6 : 1;
    at = next;
  }
  return score - lower.length * 0.05;
}
