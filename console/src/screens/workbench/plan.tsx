// EXPLAIN as a picture: the plan as a tree, each step with its rows and its part of the time.

import { milliseconds, short_number } from "../../format";

export interface PlanStep {
  name: string;
  seconds: number | null;
  rows: number | null;
  expected: number | null;
  about: string[];
  from: PlanStep[];
}

interface RawStep {
  name?: string;
  operator_name?: string;
  operator_type?: string;
  operator_timing?: number;
  operator_cardinality?: number;
  extra_info?: Record<string, string | string[]> | string;
  children?: RawStep[];
}

/** The engine's JSON, of EXPLAIN and of EXPLAIN ANALYZE; null: something else. */
export function read_plan(text: string): { steps: PlanStep[]; seconds: number | null } | null {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return null;
  }
  if (Array.isArray(raw)) return { steps: (raw as RawStep[]).map(read_step), seconds: null };
  const top = raw as RawStep & { latency?: number };
  if (!Array.isArray(top.children)) return null;
  const below = top.children.flatMap((child) => (/EXPLAIN/.test(child.operator_type ?? child.operator_name ?? child.name ?? "") ? (child.children ?? []) : [child]));
  return { steps: below.map(read_step), seconds: top.latency ?? null };
}

function read_step(raw: RawStep): PlanStep {
  const info = typeof raw.extra_info === "object" ? raw.extra_info : {};
  const expected = Number(String(info["Estimated Cardinality"] ?? "").replace(/\D/g, "")) || null;
  const about = Object.entries(info)
    .filter(([key]) => key !== "Estimated Cardinality")
    .map(([key, value]) => `${key}: ${Array.isArray(value) ? value.join(", ") : value}`);
  return {
    name: (raw.operator_name ?? raw.operator_type ?? raw.name ?? "step").trim().replace(/_/g, " ").toLowerCase(),
    seconds: raw.operator_timing ?? null,
    rows: raw.operator_cardinality ?? null,
    expected,
    about,
    from: (raw.children ?? []).map(read_step),
  };
}

const all_seconds = (step: PlanStep): number => (step.seconds ?? 0) + step.from.reduce((sum, one) => sum + all_seconds(one), 0);

export function Plan({ text }: { text: string }) {
  const plan = read_plan(text);
  if (plan === null) {
    return (
      <pre class="plan-text" tabIndex={0} aria-label="Plan">
        {text}
      </pre>
    );
  }
  const whole = plan.steps.reduce((sum, step) => sum + all_seconds(step), 0);
  return (
    <div class="plan" role="region" aria-label="Plan" tabIndex={0}>
      <p class="plan-note">
        {plan.seconds === null ? "What the engine expects to do." : `Took ${milliseconds(plan.seconds * 1000)}; steps add up the time of all threads.`} Rows flow upwards.
      </p>
      <ul class="plan-tree">
        {plan.steps.map((step, i) => (
          <Step key={i} step={step} whole={whole} />
        ))}
      </ul>
    </div>
  );
}

function Step({ step, whole }: { step: PlanStep; whole: number }) {
  const part = step.seconds !== null && whole > 0 ? step.seconds / whole : 0;
  return (
    <li>
      <div class={part > 0.4 ? "plan-step hot" : "plan-step"}>
        <strong>{step.name}</strong>
        <span class="plan-figures">
          {step.rows !== null ? <span>{short_number(step.rows)} rows</span> : step.expected !== null && <span>about {short_number(step.expected)} rows</span>}
          {step.seconds !== null && (
            <span>
              {milliseconds(step.seconds * 1000)}
              {whole > 0 && ` \u00b7 ${Math.round(100 * part)}%`}
            </span>
          )}
        </span>
        {step.seconds !== null && <span class="plan-part" aria-hidden="true" style={{ width: `${Math.max(1, Math.round(100 * part))}%` }} />}
        {step.about.length > 0 && (
          <details>
            <summary>Details</summary>
            {step.about.map((line, i) => (
              <p key={i}>{line}</p>
            ))}
          </details>
        )}
      </div>
      {step.from.length > 0 && (
        <ul>
          {step.from.map((one, i) => (
            <Step key={i} step={one} whole={whole} />
          ))}
        </ul>
      )}
    </li>
  );
}
