// The pipeline as a drawing. Each node is a link; Tab goes through them from left to right, the arrow keys along the lines
// and up and down a column. The list beside it says the same in words.

import { useMemo, useRef } from "preact/hooks";
import { now } from "../../live";
import { use_slices } from "../../ui/turn";
import { use_width_of } from "../../ui/width";
import { arrange, type Layout, place, wire_path } from "./layout";
import { type GraphNode, nodes_of, related } from "./nodes";
import type { Graph } from "./types";
import { drag_to_pan, use_zoom, zoom_by_key, ZoomButtons } from "./zoom";

const height = 68; // of a node
const widths = { least: 156, most: 200 };
const gaps = { least: 22, usual: 32, most: 102, y: 16 };
const margin = 6;
const first_sight = 900; // pixels from the top of the drawing that a window shows at once
const marks = { bad: "\u25A0", warn: "\u25B2", good: "\u25CF", mute: "\u25CB", busy: "\u25D0" };

/** Text of an SVG has no end of its own: as many letters as there is room for. */
const cut = (text: string, most: number) => (text.length <= most ? text : text.slice(0, most - 1) + "\u2026");

/** As many of the facts as fit: how long it took goes before the number of rows, and when it was stays. */
function fitting(facts: string, most: number): string {
  const parts = facts.split(" \u00B7 ");
  while (parts.length > 1 && parts.join(" \u00B7 ").length > most) parts.splice(parts.length - 2, 1);
  return cut(parts.join(" \u00B7 "), most);
}

/** Nodes and gaps for a window: narrower nodes before smaller ones, and what is left of the width goes between the columns. */
function measures(columns: number, room: number): { width: number; gap: number } {
  const each = Math.floor((room + gaps.least) / Math.max(1, columns));
  const width = Math.max(widths.least, Math.min(widths.most, each - gaps.usual));
  const gap = columns < 2 ? gaps.usual : Math.floor((room - columns * width) / (columns - 1));
  return { width, gap: Math.max(gaps.least, Math.min(gaps.most, gap)) };
}

function step_to(event: KeyboardEvent, layout: Layout, at: string): string | undefined {
  const here = layout.places.get(at);
  if (here === undefined) return undefined;
  const near = (ids: string[]) => ids.map((id) => layout.places.get(id)!).sort((a, b) => Math.abs(a.y - here.y) - Math.abs(b.y - here.y))[0]?.id;
  const column = [...layout.places.values()].filter((place) => place.column === here.column).sort((a, b) => a.y - b.y);
  const row = column.indexOf(here);
  switch (event.key) {
    case "ArrowRight":
      return near(layout.wires.filter((wire) => wire.from === at).map((wire) => wire.to));
    case "ArrowLeft":
      return near(layout.wires.filter((wire) => wire.to === at).map((wire) => wire.from));
    case "ArrowDown":
      return column[row + 1]?.id;
    case "ArrowUp":
      return column[row - 1]?.id;
    default:
      return undefined;
  }
}

export function GraphView({ graph, focus }: { graph: Graph; focus: string | null }) {
  const root = useRef<SVGSVGElement>(null);
  // States change each second, the drawing only with what is declared.
  const all = nodes_of(graph, now.value);
  const shown = focus === null ? null : related(focus, all.edges);
  const nodes = shown === null ? all.nodes : all.nodes.filter((node) => shown.has(node.id));
  const shape = JSON.stringify([nodes.map((node) => node.id), all.edges]);
  const frame = useRef<HTMLDivElement>(null);
  const room = use_width_of(frame) - 2 * margin;
  const arranged = useMemo(() => arrange(nodes, all.edges, height, gaps.y), [shape]);
  const { width: node_width, gap } = measures(arranged.columns.length, room);
  const { layout, ordered, wires } = useMemo(() => {
    const made = place(arranged, node_width, gap);
    return {
      layout: made,
      ordered: [...made.places.values()].sort((a, b) => a.column - b.column || a.y - b.y),
      wires: made.wires.map((wire) => ({ ...wire, path: wire_path(wire.points) })),
    };
  }, [arranged, node_width, gap]);
  const [wide, high] = [layout.width + 2 * margin, layout.height + 2 * margin];
  const zoom = use_zoom(frame, wide, high, room + 2 * margin);
  // Nodes below the window's edge are drawn after the others have been painted.
  const drawn = use_slices(ordered.length);
  const by_id = new Map(nodes.map((node) => [node.id, node]));

  const keys = (event: KeyboardEvent) => {
    zoom_by_key(event, zoom);
    const at = (event.target as Element).closest("[data-node]")?.getAttribute("data-node");
    const to = at ? step_to(event, layout, at) : undefined;
    if (to === undefined) return;
    event.preventDefault();
    root.current?.querySelector<SVGAElement>(`[data-node="${CSS.escape(to)}"]`)?.focus();
  };
  const scrolls = wide * zoom.scale > room + 2 * margin + 1;
  return (
    <>
      <div ref={frame} class={scrolls ? "graph-frame pans" : "graph-frame"} role="region" aria-label="The pipeline as a graph" tabIndex={0} onKeyDown={keys} onPointerDown={drag_to_pan} onDragStart={(event) => event.preventDefault()}>
        {room > 0 && (
          <svg ref={root} class="graph" width={wide * zoom.scale} height={high * zoom.scale} viewBox={`${-margin} ${-margin} ${wide} ${high}`} role="group" aria-label="Steps from left to right; arrow keys follow the lines">
            <g aria-hidden="true">
              {wires.map((wire) => (
                <path key={`${wire.from}>${wire.to}`} class={by_id.get(wire.to)?.tone === "busy" ? "wire busy" : "wire"} d={wire.path} />
              ))}
            </g>
            {ordered.map((at, i) => {
              const node = by_id.get(at.id);
              return node && (at.y < first_sight || i < drawn) && <Node key={at.id} node={node} x={at.x} y={at.y} width={node_width} />;
            })}
          </svg>
        )}
      </div>
      <div class="foot">
        <span>{marks.good} fine</span>
        <span>{marks.busy} at work</span>
        <span>{marks.warn} held up or warned</span>
        <span>{marks.bad} failed</span>
        <span>The list has the same in words.</span>
        <ZoomButtons zoom={zoom} />
      </div>
    </>
  );
}

function Node({ node, x, y, width }: { node: GraphNode; x: number; y: number; width: number }) {
  const checks = node.step?.checks ?? 0;
  const warned = (node.step?.last?.warnings?.length ?? 0) > 0;
  const aside = warned ? `${marks.warn} warned` : checks > 0 ? `${checks} ${checks === 1 ? "check" : "checks"}` : "";
  const state = node.state.replace(/_/g, " ");
  const sign = state === "" ? "" : `${marks[node.tone]} ${state}`;
  const facts = fitting(node.facts, Math.floor((width - 26) / 6.9) - Math.min(14, state.length));
  const name = cut(node.name, Math.floor((width - 30) / 8.4));
  // In the words and the order that one sees, then the name as a whole.
  const about = [node.kind, name, sign, facts, aside, name === node.name ? "" : `(${node.name})`].filter(Boolean).join(" ");
  // Each second asks again what stands here: what is as before is not compared part by part.
  return useMemo(
    () => (
      <g transform={`translate(${x} ${y})`}>
        <title>{about}</title>
        <a href={node.href} data-node={node.id} class={`node ${node.kind.replace(" ", "-")} ${node.tone}`} aria-label={about}>
          <rect class="box" width={width} height={height} rx="10" />
          <rect class="stripe" width="5" height={height - 20} x="0" y="10" rx="2.5" />
          <text class="node-kind" x="16" y="19">
            {node.kind}
          </text>{" "}
          <text class="node-name" x="16" y="38">
            {name}
          </text>{" "}
          <text class="node-facts" x="16" y="56">
            {sign !== "" && <tspan class="node-state">{sign}</tspan>}{" "}
            <tspan dx={sign === "" ? 0 : 6}>{facts}</tspan>
          </text>{" "}
          {aside !== "" && (
            <text class={warned ? "node-warning" : "node-kind"} x={width - 12} y="19" text-anchor="end">
              {aside}
            </text>
          )}
        </a>
      </g>
    ),
    [about, node.href, node.tone, x, y, width],
  );
}
