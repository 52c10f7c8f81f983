// The pipeline as a drawing. Each node is a link; Tab goes through them from left to right, the arrow keys along the lines
// and up and down a column. The list beside it says the same in words.

import { useMemo, useRef } from "preact/hooks";
import { now } from "../../live";
import { use_width_of } from "../../ui/width";
import { lay_out, wire_path, type Layout } from "./layout";
import { type GraphNode, nodes_of, related } from "./nodes";
import type { Graph } from "./types";

const sizes = { width: 200, height: 68, gap_x: 32, gap_y: 16 };
const margin = 6;
const marks = { bad: "\u25A0", warn: "\u25B2", good: "\u25CF", mute: "\u25CB", busy: "\u25D0" };

/** Text of an SVG has no end of its own: as many letters as there is room for. */
const cut = (text: string, most: number) => (text.length <= most ? text : text.slice(0, most - 1) + "\u2026");

/** As many of the facts as fit: how long it took goes before the number of rows, and when it was stays. */
function fitting(facts: string, most: number): string {
  const parts = facts.split(" \u00B7 ");
  while (parts.length > 1 && parts.join(" \u00B7 ").length > most) parts.splice(parts.length - 2, 1);
  return cut(parts.join(" \u00B7 "), most);
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
  const frame_width = use_width_of(frame);
  const layout = useMemo(() => {
    if (frame_width === 0) return null;
    const tight = lay_out(nodes, all.edges, sizes);
    // What is left of the width goes between the columns.
    const gaps = Math.max(1, Math.round((tight.width - sizes.width) / (sizes.width + sizes.gap_x)));
    const spare = Math.min(70, Math.floor((frame_width - 2 * margin - tight.width) / gaps));
    return spare > 0 ? lay_out(nodes, all.edges, { ...sizes, gap_x: sizes.gap_x + spare }) : tight;
  }, [shape, frame_width]);
  if (layout === null) return <div ref={frame} class="graph-frame" />;
  const by_id = new Map(nodes.map((node) => [node.id, node]));
  const ordered = [...layout.places.values()].sort((a, b) => a.column - b.column || a.y - b.y);

  const keys = (event: KeyboardEvent) => {
    const at = (event.target as Element).closest("[data-node]")?.getAttribute("data-node");
    const to = at ? step_to(event, layout, at) : undefined;
    if (to === undefined) return;
    event.preventDefault();
    root.current?.querySelector<SVGAElement>(`[data-node="${CSS.escape(to)}"]`)?.focus();
  };
  const width = layout.width + 2 * margin;
  const height = layout.height + 2 * margin;
  return (
    <div ref={frame} class="graph-frame" role="region" aria-label="The pipeline as a graph" tabIndex={0}>
      <svg ref={root} class="graph" width={width} height={height} viewBox={`${-margin} ${-margin} ${width} ${height}`} onKeyDown={keys} role="group" aria-label="Steps from left to right; arrow keys follow the lines">
        <g aria-hidden="true">
          {layout.wires.map((wire) => (
            <path key={`${wire.from}>${wire.to}`} class={by_id.get(wire.to)?.tone === "busy" ? "wire busy" : "wire"} d={wire_path(wire.points)} />
          ))}
        </g>
        {ordered.map((place) => {
          const node = by_id.get(place.id);
          return node && <Node key={place.id} node={node} x={place.x} y={place.y} />;
        })}
      </svg>
    </div>
  );
}

function Node({ node, x, y }: { node: GraphNode; x: number; y: number }) {
  const checks = node.step?.checks ?? 0;
  const warned = (node.step?.last?.warnings?.length ?? 0) > 0;
  const aside = warned ? `${marks.warn} warned` : checks > 0 ? `${checks} ${checks === 1 ? "check" : "checks"}` : "";
  const state = node.state.replace(/_/g, " ");
  const sign = state === "" ? "" : `${marks[node.tone]} ${state}`;
  const facts = fitting(node.facts, 25 - Math.min(14, state.length));
  const name = cut(node.name, 20);
  // In the words and the order that one sees, then the name as a whole.
  const about = [node.kind, name, sign, facts, aside, name === node.name ? "" : `(${node.name})`].filter(Boolean).join(" ");
  return (
    <g transform={`translate(${x} ${y})`}>
      <title>{about}</title>
      <a href={node.href} data-node={node.id} class={`node ${node.kind.replace(" ", "-")} ${node.tone}`} aria-label={about}>
        <rect class="box" width={sizes.width} height={sizes.height} rx="10" />
        <rect class="stripe" width="5" height={sizes.height - 20} x="0" y="10" rx="2.5" />
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
          <text class={warned ? "node-warning" : "node-kind"} x={sizes.width - 12} y="19" text-anchor="end">
            {aside}
          </text>
        )}
      </a>
    </g>
  );
}
