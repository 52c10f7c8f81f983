// Where the rows come from and what is made of them: a picture in layers, the same as a list, and the columns behind each
// column as far as the SQL says it plainly.

import { useEffect, useMemo, useRef } from "preact/hooks";
import { path_of } from "../../api";
import { use_live } from "../../live";
import { use_width_of } from "../../ui/width";
import { Answered, Badge, Card, CodeBlock, Empty, Table, Tag } from "../../ui";
import type { LineageAnswer, LineageColumn, LineageNode, TableAnswer } from "./shapes";

export function LineageTab({ base, found }: { base: string; found: TableAnswer }) {
  const lineage = use_live<LineageAnswer>(`${base}/lineage`, { every_ms: 10_000 });
  const self = `table:${found.database}.${found.table}`;
  return (
    <Answered of={lineage} what="lineage">
      {(answer) => (
        <>
          <Card title="Lineage" aside={answer.truncated && <span class="unit">the nearest 400</span>}>
            {answer.nodes.length <= 1 ? (
              <Empty title="It stands alone.">No source or step that you may see fills it, and nothing reads it.</Empty>
            ) : (
              <>
                <Picture answer={answer} self={self} />
                <details>
                  <summary>As a list</summary>
                  <AsList answer={answer} self={self} />
                </details>
              </>
            )}
          </Card>
          {(answer.columns_from ?? []).length > 0 && <ColumnsCard title="What each column is made of" columns={answer.columns_from!} />}
          {(answer.columns_to ?? []).length > 0 && <UsedBy columns={answer.columns_to!} table={`${found.database}.${found.table}`} />}
          {answer.checks && answer.checks.length > 0 && (
            <Card title="Checks">
              <Table
                label="Checks"
                word="checks"
                rows={answer.checks}
                row_key={(check) => check.expression}
                columns={[
                  { name: "expression", title: "What must hold", value: (check) => check.expression, show: (check) => <code>{check.expression}</code> },
                  { name: "consequence", title: "If it does not", value: (check) => check.consequence, show: (check) => ({ stop: "nothing is written", set_aside: "the row is set aside", warn: "the run warns" })[check.consequence] ?? check.consequence },
                ]}
              />
            </Card>
          )}
          {answer.sql && (
            <Card title="How it is computed">
              <CodeBlock text={answer.sql.trim()} label={`SQL of ${found.table}`} />
            </Card>
          )}
        </>
      )}
    </Answered>
  );
}

const node_widths = { least: 136, most: 220 };
const node_height = 48;
const gap_x = 36;
const gap_y = 14;
const bend_height = 10; // of a line that passes a layer

interface Place {
  node: LineageNode | null; // null: a line passes here
  x: number;
  y: number; // of its middle
}

/** The layer of each node: the longest way from a beginning. Circles do not occur in the graph. */
function layers_of(answer: LineageAnswer): Map<string, number> {
  const layer = new Map(answer.nodes.map((node) => [node.id, 0]));
  for (let round = 0; round < answer.nodes.length; round++) {
    let moved = false;
    for (const edge of answer.edges) {
      const least = (layer.get(edge.from) ?? 0) + 1;
      if ((layer.get(edge.to) ?? 0) < least && least <= answer.nodes.length) {
        layer.set(edge.to, least);
        moved = true;
      }
    }
    if (!moved) break;
  }
  return layer;
}

/** Nodes in layers, near what feeds them; lines over several layers have a place of their own in each that they pass. */
function place(answer: LineageAnswer, room: number) {
  const layer = layers_of(answer);
  const layers: { id: string; node: LineageNode | null; from: string[] }[][] = [];
  for (const node of answer.nodes) {
    const from: string[] = [];
    (layers[layer.get(node.id)!] ??= []).push({ id: node.id, node, from });
  }
  const lines = answer.edges.map((edge) => {
    const way = [edge.from];
    for (let at = layer.get(edge.from)! + 1; at < layer.get(edge.to)!; at++) {
      const id = `${edge.from}>${edge.to}>${at}`;
      (layers[at] ??= []).push({ id, node: null, from: [way[way.length - 1]!] });
      way.push(id);
    }
    layers[layer.get(edge.to)!]!.find((one) => one.id === edge.to)!.from.push(way[way.length - 1]!);
    way.push(edge.to);
    return { edge, way };
  });
  const node_width = Math.max(node_widths.least, Math.min(node_widths.most, Math.floor((room + gap_x) / layers.length) - gap_x));
  const tall = (one: { node: LineageNode | null }): number => (one.node === null ? bend_height : node_height) + gap_y;
  const height = Math.max(...layers.map((nodes) => nodes.reduce((sum, one) => sum + tall(one), 0))) - gap_y;
  const places = new Map<string, Place>();
  layers.forEach((nodes, i) => {
    const near = (one: { from: string[] }): number => one.from.reduce((sum, from) => sum + (places.get(from)?.y ?? 0), 0) / Math.max(1, one.from.length);
    const sorted = nodes.map((one) => ({ ...one, near: near(one) })).sort((a, b) => a.near - b.near || (a.id < b.id ? -1 : 1));
    let top = (height - sorted.reduce((sum, one) => sum + tall(one), 0) + gap_y) / 2;
    for (const one of sorted) {
      places.set(one.id, { node: one.node, x: i * (node_width + gap_x), y: top + (tall(one) - gap_y) / 2 });
      top += tall(one);
    }
  });
  return { places, lines, node_width, width: layers.length * (node_width + gap_x) - gap_x, height };
}

/** A smooth line from the right of the first place to the left of the last, through those between. */
function path_of_line(way: Place[], node_width: number): string {
  let text = "";
  for (let i = 1; i < way.length; i++) {
    const from = way[i - 1]!;
    const to = way[i]!;
    const x0 = from.x + node_width;
    text += `${i === 1 ? `M${x0} ${from.y}` : `L${x0} ${from.y}`}C${x0 + gap_x / 2} ${from.y} ${to.x - gap_x / 2} ${to.y} ${to.x} ${to.y}`;
  }
  return text;
}

function link_of(node: LineageNode): string {
  if (node.kind === "table") {
    const dot = node.name.indexOf(".");
    return path_of("/catalog", node.name.slice(0, dot), node.name.slice(dot + 1)) + "?tab=lineage";
  }
  if (node.kind === "dashboard") return path_of("/dashboards", node.name);
  if (node.kind === "alert") return path_of("/alerts", node.name);
  return `/pipelines?source=${encodeURIComponent(node.name)}`;
}

const kinds = { table: "table", source: "source", alert: "alert", dashboard: "dashboard" };

function Picture({ answer, self }: { answer: LineageAnswer; self: string }) {
  const frame = useRef<HTMLDivElement>(null);
  const room = use_width_of(frame);
  const { places, lines, node_width, width, height } = useMemo(() => place(answer, room), [answer, room]);
  useEffect(() => {
    const mine = places.get(self);
    if (mine && frame.current) frame.current.scrollLeft = mine.x + node_width / 2 - frame.current.clientWidth / 2;
  }, [self, node_width]);
  return (
    <div class="lineage" ref={frame} tabIndex={0} role="region" aria-label="Lineage, drawn; the list below says the same">
      <div class="lineage-canvas" style={{ width: `${width}px`, height: `${height}px` }}>
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
          {lines.map(({ edge, way }) => (
            <path key={`${edge.from} ${edge.to}`} class={edge.from === self || edge.to === self ? "near" : ""} d={path_of_line(way.map((id) => places.get(id)!), node_width)} />
          ))}
        </svg>
        {[...places.values()].map(({ node, x, y }) => {
          if (node === null) return null;
          const inside = (
            <>
              <span class="lineage-kind">
                {kinds[node.kind]}
                {node.how && ` \u00b7 ${node.how}`}
                {node.state && node.state !== "idle" && ` \u00b7 ${node.state}`}
              </span>
              <span class="lineage-name">{node.title ?? node.name.replace(/^main\./, "")}</span>
            </>
          );
          const style = { left: `${x}px`, top: `${y - node_height / 2}px`, width: `${node_width}px`, height: `${node_height}px` };
          const look = `lineage-node ${node.kind} ${node.id === self ? "self" : ""} ${node.state === "failed" ? "failed" : ""}`;
          return node.id === self ? (
            <div key={node.id} class={look} style={style} title={node.name}>
              {inside}
            </div>
          ) : (
            <a key={node.id} class={look} style={style} href={link_of(node)} title={node.name}>
              {inside}
            </a>
          );
        })}
      </div>
    </div>
  );
}

function AsList({ answer, self }: { answer: LineageAnswer; self: string }) {
  const names = new Map(answer.nodes.map((node) => [node.id, node]));
  return (
    <Table
      label="Lineage as a list"
      word="edges"
      rows={answer.edges}
      row_key={(edge) => `${edge.from} ${edge.to}`}
      columns={[
        { name: "from", title: "From", value: (edge) => edge.from, show: (edge) => <NodeName node={names.get(edge.from)} self={self} /> },
        { name: "to", title: "To", value: (edge) => edge.to, show: (edge) => <NodeName node={names.get(edge.to)} self={self} /> },
        { name: "step", title: "By the step", value: (edge) => edge.step ?? "", show: (edge) => edge.step ?? "\u2013" },
      ]}
    />
  );
}

function NodeName({ node, self }: { node: LineageNode | undefined; self: string }) {
  if (!node) return null;
  return (
    <>
      <Tag>{kinds[node.kind]}</Tag> {node.id === self ? node.name : <a href={link_of(node)}>{node.name}</a>} {node.state && node.state !== "idle" && <Badge word={node.state} />}
    </>
  );
}

function ColumnsCard({ title, columns }: { title: string; columns: LineageColumn[] }) {
  return (
    <Card title={title}>
      <Table
        label={title}
        word="made"
        rows={columns}
        row_key={(column) => `${column.table} ${column.column}`}
        columns={[
          { name: "column", title: "Column", value: (column) => column.column, show: (column) => <strong>{column.column}</strong> },
          { name: "from", title: "Made of", value: (column) => column.from.map((part) => `${part.table}.${part.column}`).join(" "), show: (column) => <Parts column={column} /> },
        ]}
      />
    </Card>
  );
}

function Parts({ column }: { column: LineageColumn }) {
  if (column.from.length === 0) return <span class="absent-value">no column: rows are counted, or it is a constant</span>;
  return (
    <span class="parts">
      {column.from.map((part) => {
        const dot = part.table.indexOf(".");
        return (
          <a key={`${part.table} ${part.column}`} class="tag" href={path_of("/catalog", part.table.slice(0, dot), part.table.slice(dot + 1)) + "?tab=lineage"}>
            {part.table.replace(/^main\./, "")}.{part.column}
          </a>
        );
      })}
    </span>
  );
}

/** The columns of other tables that are made of this one's. */
function UsedBy({ columns, table }: { columns: LineageColumn[]; table: string }) {
  const rows = columns.flatMap((column) => column.from.filter((part) => part.table === table).map((part) => ({ mine: part.column, table: column.table, column: column.column })));
  if (rows.length === 0) return null;
  return (
    <Card title="What is made of its columns">
      <Table
        label="What is made of its columns"
        word="used"
        rows={rows}
        row_key={(row) => `${row.mine} ${row.table} ${row.column}`}
        columns={[
          { name: "mine", title: "Column", value: (row) => row.mine, show: (row) => <strong>{row.mine}</strong> },
          {
            name: "column",
            title: "Goes into",
            value: (row) => `${row.table}.${row.column}`,
            show: (row) => {
              const dot = row.table.indexOf(".");
              return (
                <a class="tag" href={path_of("/catalog", row.table.slice(0, dot), row.table.slice(dot + 1)) + "?tab=lineage"}>
                  {row.table.replace(/^main\./, "")}.{row.column}
                </a>
              );
            },
          },
        ]}
      />
    </Card>
  );
}
