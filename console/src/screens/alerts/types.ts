// What the API says of alerts (docs/api.md). Rows, keys and answers are there for who sees the rule's tables whole.
import type { Cell } from "../../api";

export type Cells = Record<string, Cell>;

export interface Webhook {
  target: string;
  where: string;
  waiting: number;
  disabled: string;
}

export interface Rule {
  rule: string;
  open: number;
  evaluations: number;
  evaluated: string | null;
  rows_shown: boolean;
  error: string;
  warnings: string[];
  webhooks: Webhook[];
}

export interface OpenAlert {
  rule: string;
  id: string;
  key: Cells;
  row: Cells;
  since: string;
  told: string | null;
  silenced_until: string | null;
  summary: boolean;
}

export interface Silence {
  key: Cells | "";
  until: string;
  by: string;
}

export interface RuleDetail extends Rule {
  tables: string[];
  definition: {
    when: string;
    while: string;
    for_seconds: number | null;
    recover_after_seconds: number | null;
    check_every_seconds: number;
    one_per: string[];
    tells_recovery: boolean;
    run_as: string;
  } | null;
  alerts: OpenAlert[];
  silences: Silence[];
}

export interface AlertEvent {
  rule: string;
  kind: string;
  at: string;
  id?: string;
  key?: Cells | "";
  row?: Cells | "";
  by?: string;
}

export interface Attempt {
  at: string;
  status: number;
  answer: string;
  took_ms: number;
}

export interface Delivery {
  id: string;
  rule: string;
  type: string;
  key: Cells | null;
  where: string;
  state: string;
  made: string;
  next_attempt: string | null;
  attempt_count: number;
  attempts: Attempt[];
}

export const alert_path = (rule: string): string => `/alerts/${encodeURIComponent(rule)}`;

/** {"shelf_id": 7} -> "shelf_id 7"; a rule without one_per has no key. */
export function key_text(key: Cells | "" | null | undefined): string {
  if (!key) return "";
  return Object.entries(key)
    .map(([name, value]) => `${name} ${value === null ? "\u2013" : String(value)}`)
    .join(", ");
}
