// What the API says of models (docs/api.md).

export interface Score {
  method: string;
  forecasts: number;
  mape: number;
  wape: number;
  bias: number;
  pinball?: number;
  coverage?: number;
}

export interface Version {
  model: string;
  version: number;
  created: string;
  trained_on: { table: string; snapshot_id: number }[];
  trained_to: string;
  series: number;
  rows: number;
  seconds: number;
  parameters: Record<string, string>;
  features: string[];
  importance: { feature: string; share: number }[];
  back_test: { metric: "wape" | "mape"; seconds: number; total: Score[]; rounds: { round: number; origin: string; scores: Score[] }[] };
  promoted: boolean;
  why: string;
  current: boolean;
  /** Made by the definition of now; another one's trees cannot make these forecasts. */
  usable: boolean;
}

export interface ModelName {
  model: string;
  versions: number;
  current: Version | null;
}

export interface DriftInput {
  column: string;
  numeric: boolean;
  stability_index: number | null;
  trained_mean: number | null;
  latest_mean: number | null;
  bins: { label: string; trained: number; latest: number }[];
}

export interface Drift {
  trained_to: string;
  latest_from: string;
  latest_to: string;
  trained_rows: number;
  latest_rows: number;
  inputs: DriftInput[];
}

export interface ErrorPoint {
  time: string;
  forecasts: number;
  actual: number;
  forecast: number;
  model: number | null;
  naive: number | null;
  seasonal_naive: number | null;
  covered: number | null;
}

/** Forecasts that were made before, beside what was measured when their time had come. */
export interface Outcome {
  time?: string;
  steps_ahead?: number;
  forecasts: number;
  mae: number;
  wape: number | null;
  seasonal_naive_mae: number;
  seasonal_naive_wape: number | null;
  coverage: number;
}

/** Why a part of the answer is not there. */
export interface Unanswered {
  error: { code: string; message: string };
}

export type Outcomes = { total: Outcome | null; by_time: Outcome[]; by_steps_ahead: Outcome[] } | Unanswered;

/** A model's step in the graph (/api/v1/graph). */
export interface ModelStep {
  step: string;
  kind: string;
  table: string | null;
  state: string;
  inputs: string[];
  last: { outcome: string; ended: string | null; error: string } | null;
}

export interface Monitor {
  model: string;
  version: number;
  drift: Drift | Unanswered;
  errors: { points: ErrorPoint[] } | Unanswered;
}

export const model_path = (model: string): string => `/models/${encodeURIComponent(model)}`;
/** "main.demand" is called demand. */
export const model_name = (model: string): string => model.replace(/^main\./, "");
export const method_names: Record<string, string> = { model: "This model", naive: "Naive: the last value", seasonal_naive: "Seasonal naive: the season before" };

export const score_of = (version: Version, method: string): Score | undefined => version.back_test.total.find((score) => score.method === method);
/** The error that promotion looks at, in percent. */
export function error_of(version: Version, method: string): number | null {
  const score = score_of(version, method);
  return score === undefined ? null : score[version.back_test.metric];
}
export const percent = (value: number | null | undefined): string => (value === null || value === undefined ? "\u2013" : `${value.toFixed(1).replace("-", "\u2212")}%`);

/** How much better than the naive of the season before: 0.3 is 30 % less error. */
export function gain(version: Version): number | null {
  const [own, naive] = [error_of(version, "model"), error_of(version, "seasonal_naive")];
  return own === null || naive === null || naive === 0 ? null : 1 - own / naive;
}
