// When the alerts of a rule were open: a line for each key, from its opening to its recovery. The history beside it is the
// same as a table.
import { now } from "../../live";
import { ago, exact_time } from "../../format";
import { useRef } from "preact/hooks";
import { use_width_of } from "../../ui/width";
import { type AlertEvent, type OpenAlert, key_text } from "./types";

const lanes_most = 16;
const lane = 22;

interface Span {
  key: string;
  from: number;
  to: number | null;
}

/** From the newest event to the oldest: an end waits for its beginning. */
function spans_of(events: AlertEvent[], open: OpenAlert[]): Span[] {
  const spans: Span[] = open.map((alert) => ({ key: key_text(alert.key) || "the rule", from: Date.parse(alert.since), to: null }));
  const ends = new Map<string, number>();
  for (const event of events) {
    if (event.id === undefined || event.id === "") continue;
    if (event.kind === "recovered") ends.set(event.id, Date.parse(event.at));
    const end = ends.get(event.id);
    if (event.kind === "opened" && end !== undefined) spans.push({ key: key_text(event.key) || "the rule", from: Date.parse(event.at), to: end });
  }
  return spans;
}

export function Timeline({ events, open }: { events: AlertEvent[]; open: OpenAlert[] }) {
  const spans = spans_of(events, open);
  return spans.length === 0 ? <div class="nothing">No alert of this rule has opened yet.</div> : <Lanes spans={spans} />;
}

function Lanes({ spans }: { spans: Span[] }) {
  const frame = useRef<HTMLDivElement>(null);
  const width = use_width_of(frame);
  if (width === 0) return <div ref={frame} class="timeline-frame" />;
  const left = Math.min(170, width * 0.3);
  const keys = [...new Set([...spans].sort((a, b) => (b.to ?? Infinity) - (a.to ?? Infinity) || b.from - a.from).map((span) => span.key))];
  const shown = keys.slice(0, lanes_most);
  const end = now.value;
  const begin = Math.min(...spans.map((span) => span.from));
  const room = Math.max(60_000, end - begin);
  const x = (at: number) => left + ((at - begin) / room) * (width - left - 8);
  const height = shown.length * lane + 26;
  const begin_text = exact_time(begin);
  const still = spans.filter((span) => span.to === null).length;
  return (
    <>
      <div ref={frame} class="timeline-frame">
        <svg class="timeline" width={width} height={height} role="img" aria-label={`${spans.length} alerts of ${keys.length} keys since ${exact_time(begin)}, ${still} still open. The history below has them as a table.`}>
          {shown.map((key, i) => (
            <g key={key}>
              <text class="lane-name" x={left - 10} y={i * lane + 15} text-anchor="end">
                {key.length > left / 7 ? key.slice(0, left / 7 - 1) + "\u2026" : key}
                <title>{key}</title>
              </text>
              <line class="lane" x1={left} x2={width - 8} y1={i * lane + 11} y2={i * lane + 11} />
              {spans
                .filter((span) => span.key === key)
                .map((span) => (
                  <rect key={span.from} class={span.to === null ? "span open" : "span"} x={x(span.from)} width={Math.max(4, x(span.to ?? end) - x(span.from))} y={i * lane + 5} height="12" rx="3">
                    <title>{`${key}: ${exact_time(span.from)} to ${span.to === null ? "now" : exact_time(span.to)}`}</title>
                  </rect>
                ))}
            </g>
          ))}
          <text class="lane-name" x={left} y={height - 6}>
            {begin_text.length * 7 < width - left - 48 ? begin_text : ago(begin, end)}
            <title>{begin_text}</title>
          </text>
          <text class="lane-name" x={width - 8} y={height - 6} text-anchor="end">
            now
          </text>
        </svg>
      </div>
      <div class="foot">
        <span class="legend-open">still open</span>
        <span class="legend-over">recovered</span>
        {keys.length > shown.length && <span>{keys.length - shown.length} more in the history below</span>}
      </div>
    </>
  );
}
