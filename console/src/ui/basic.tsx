// The small parts that every screen is made of. Words and names come from outside; colour is never the only sign.

import { type ButtonHTMLAttributes, type ComponentChildren, Fragment } from "preact";
import { useId } from "preact/hooks";
import { ago, as_time, exact_time } from "../format";
import { now } from "../live";

/** A titled part of a page. `aside` stands beside the title. */
export function Card(props: { title: string; aside?: ComponentChildren; children: ComponentChildren; wide?: boolean; level?: 2 | 3 }) {
  const id = useId();
  const Heading = props.level === 3 ? "h3" : "h2";
  return (
    <section class={props.wide ? "card wide" : "card"} aria-labelledby={id}>
      <div class="card-head">
        <Heading id={id}>{props.title}</Heading>
        {props.aside}
      </div>
      {props.children}
    </section>
  );
}

/** A page of a screen: its heading, what stands beside it, and the parts below. */
export function Page(props: { title: ComponentChildren; aside?: ComponentChildren; note?: ComponentChildren; children: ComponentChildren; name?: string }) {
  return (
    <div class={props.name ? `page ${props.name}` : "page"}>
      <div class="page-head">
        <h1>{props.title}</h1>
        {props.note && <span class="page-note">{props.note}</span>}
        {props.aside && <div class="page-aside">{props.aside}</div>}
      </div>
      {props.children}
    </div>
  );
}

/** A name of the lake's own, which a narrow column breaks after a dot or an underscore before it breaks within a word. */
export function Name({ of }: { of: string }) {
  return (
    <span class="name">
      {of.split(/(?<=[._])/).map((part, i) => (
        <Fragment key={i}>
          {i > 0 && <wbr />}
          {part}
        </Fragment>
      ))}
    </span>
  );
}

type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "type" | "class" | "onClick"> & {
  kind?: "primary" | "plain" | "quiet" | "danger";
  submit?: boolean;
  onClick?: (event: MouseEvent) => void;
  children: ComponentChildren;
};

export function Button({ kind = "plain", submit, children, ...rest }: ButtonProps) {
  return (
    <button type={submit ? "submit" : "button"} class={kind} {...(rest as object)}>
      {children}
    </button>
  );
}

/** One input with its label, what it is for, and what is wrong with it. */
export function Field(props: { label: string; hint?: string; problem?: string; hide_label?: boolean; children: (ids: { id: string; "aria-describedby": string | undefined; "aria-invalid": boolean | undefined }) => ComponentChildren }) {
  const id = useId();
  const about = [props.hint ? `${id}-hint` : "", props.problem ? `${id}-problem` : ""].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id} class={props.hide_label ? "sr-only" : ""}>
        {props.label}
      </label>
      {props.children({ id, "aria-describedby": about || undefined, "aria-invalid": props.problem ? true : undefined })}
      {props.hint && (
        <p id={`${id}-hint`} class="hint">
          {props.hint}
        </p>
      )}
      {props.problem && (
        <p id={`${id}-problem`} class="problem" role="alert">
          {props.problem}
        </p>
      )}
    </div>
  );
}

export type Tone = "good" | "warn" | "bad" | "mute" | "busy";
const marks: Record<Tone, string> = { bad: "\u25A0", warn: "\u25B2", good: "\u25CF", mute: "\u25CB", busy: "\u25D0" };

const tones: Record<string, Tone> = {
  failed: "bad", error: "bad", denied: "bad", stopped: "bad", critical: "bad", open: "bad", empty: "bad",
  low: "warn", late: "warn", warning: "warn", stale: "warn", blocked: "warn", retrying: "warn", silenced: "mute", backing_off: "warn",
  running: "busy", loading: "busy", pending: "busy", due: "busy",
  ok: "good", fine: "good", succeeded: "good", following: "good", complete: "good", idle: "good", fresh: "good", allowed: "good", active: "good", delivered: "good", live: "good",
};

/** A word with its mark: each tone has its own shape. */
export function Badge({ word, tone, title }: { word: string; tone?: Tone; title?: string }) {
  const which = tone ?? tones[word.toLowerCase()] ?? "mute";
  return (
    <span class={`state ${which}`} title={title}>
      <span aria-hidden="true">{marks[which]}</span> {word.replace(/_/g, " ")}
    </span>
  );
}

/** A short word that classes something: a tag, a kind. */
export const Tag = ({ children }: { children: ComponentChildren }) => <span class="tag">{children}</span>;

/** A moment as people say it, exact on hover, in the viewer's zone. ISO text or milliseconds. */
export function Time({ at, absent = "\u2013", exact }: { at: string | number | null | undefined; absent?: string; exact?: boolean }) {
  const value = typeof at === "number" ? at : as_time(at ?? null);
  if (value === null || Number.isNaN(value)) return <span class="absent-value">{absent}</span>;
  return (
    <time dateTime={new Date(value).toISOString()} title={exact_time(value)}>
      {exact ? exact_time(value) : ago(value, now.value)}
    </time>
  );
}

/** On paper alone: of which lake it is, and when it was so. */
export const AsOf = ({ lake }: { lake: string }) => (
  <p class="as-of" aria-hidden="true">
    {lake ? `${lake}, ` : ""}as of {exact_time(now.value)}
  </p>
);

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });

export function bytes_text(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let at = 0;
  let size = Math.abs(value);
  while (size >= 1000 && at < units.length - 1) {
    size /= 1000;
    at++;
  }
  const figure = at === 0 || size >= 100 ? whole.format(size) : size.toFixed(1).replace(/\.0$/, "");
  return `${value < 0 ? "\u2212" : ""}${figure} ${units[at]}`;
}

export function Bytes({ value }: { value: number | null | undefined }) {
  if (value === null || value === undefined) return <span class="absent-value">&ndash;</span>;
  return (
    <span class="figure" title={`${whole.format(value)} bytes`}>
      {bytes_text(value)}
    </span>
  );
}

/** A number of things, with its unit: Count 1 "row" -> "1 row". Large ones are short, exact on hover. */
export function Count({ value, unit, units }: { value: number | null | undefined; unit?: string; units?: string }) {
  if (value === null || value === undefined) return <span class="absent-value">&ndash;</span>;
  const word = unit === undefined ? "" : ` ${value === 1 ? unit : (units ?? unit + "s")}`;
  return (
    <span class="figure" title={`${whole.format(value)}${word}`}>
      {Math.abs(value) < 100_000 ? whole.format(value) : compact.format(value)}
      {word}
    </span>
  );
}

/** Names with their values, one under another. */
export function KeyValue({ rows }: { rows: [string, ComponentChildren][] }) {
  return (
    <dl class="key-value">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A line without axes, for a cell. `label` says what a reader who does not see it should know. */
export function Sparkline({ values, label, width = 96, height = 24 }: { values: number[]; label: string; width?: number; height?: number }) {
  if (values.length < 2) return <span class="absent-value">&ndash;</span>;
  const least = Math.min(...values);
  const span = Math.max(...values) - least || 1;
  const points = values.map((value, i) => `${((i / (values.length - 1)) * (width - 2) + 1).toFixed(1)},${(height - 2 - ((value - least) / span) * (height - 4)).toFixed(1)}`);
  return (
    <svg class="sparkline" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <polyline points={points.join(" ")} />
    </svg>
  );
}
