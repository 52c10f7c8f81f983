// A layered drawing of a graph without circles: columns from left to right by the longest way from a beginning, crossings
// reduced by sorting each column by where its neighbours stand, long edges led through empty places. Pure arithmetic.

export interface LayoutNode {
  id: string;
  /** Stands in the last column whatever it hangs on. */
  last?: boolean;
}
export interface LayoutEdge {
  from: string;
  to: string;
}
export interface Place {
  id: string;
  column: number;
  row: number; // in its column, from 0
  x: number;
  y: number;
}
export interface Wire extends LayoutEdge {
  /** Where it leaves, each empty place that it goes through, where it arrives. */
  points: [number, number][];
}
export interface Layout {
  places: Map<string, Place>;
  wires: Wire[];
  width: number;
  height: number;
}
/** What stands above what; how wide it all is depends on the window and is asked for apart (`place`). */
export interface Arrangement {
  columns: Slot[][];
  ways: { edge: LayoutEdge; first: number; slots: Slot[] }[];
  half: (slot: Slot) => number;
}

export interface Slot {
  id: string; // of a node, or of an edge's way through the column
  real: boolean;
  before: Slot[];
  after: Slot[];
  order: number;
  y: number;
}

function columns_of(nodes: LayoutNode[], edges: LayoutEdge[]): Map<string, number> {
  const column = new Map(nodes.map((node) => [node.id, 0]));
  // As many rounds as the longest way can have; a circle ends too.
  for (let round = 0; round < nodes.length; round++) {
    let moved = false;
    for (const { from, to } of edges) {
      const wanted = column.get(from)! + 1;
      if (column.get(to)! >= wanted || wanted >= nodes.length) continue;
      column.set(to, wanted);
      moved = true;
    }
    if (!moved) break;
  }
  const most = Math.max(0, ...column.values());
  for (const node of nodes) if (node.last && edges.some((edge) => edge.to === node.id)) column.set(node.id, most);
  // A beginning stands just before the first that needs it.
  for (const node of nodes) {
    const after = edges.filter((edge) => edge.from === node.id).map((edge) => column.get(edge.to)!);
    if (after.length > 0 && !edges.some((edge) => edge.to === node.id)) column.set(node.id, Math.max(0, Math.min(...after) - 1));
  }
  return column;
}

function mean(slots: Slot[], value: (slot: Slot) => number): number | null {
  return slots.length === 0 ? null : slots.reduce((sum, slot) => sum + value(slot), 0) / slots.length;
}

/** Sorts columns by their neighbours, there and back. */
function untangle(columns: Slot[][]): void {
  const number = (column: Slot[]) => column.forEach((slot, i) => (slot.order = i));
  columns.forEach(number);
  for (let sweep = 0; sweep < 12; sweep++) {
    const forward = sweep % 2 === 0;
    const walk = forward ? columns : [...columns].reverse();
    for (const column of walk) {
      const wanted = new Map(column.map((slot) => [slot, mean(forward ? slot.before : slot.after, (one) => one.order) ?? slot.order]));
      column.sort((a, b) => wanted.get(a)! - wanted.get(b)! || a.order - b.order);
      number(column);
    }
  }
}

/** Moves each slot towards its neighbours as far as the ones beside it leave room. `y` is a slot's middle. */
function settle(all: Slot[][], half: (slot: Slot) => number, gap: number): void {
  const alone = (slot: Slot) => slot.before.length + slot.after.length === 0;
  const columns = all.map((column) => column.filter((slot) => !alone(slot)));
  const apart = (column: Slot[], i: number) => half(column[i - 1]!) + half(column[i]!) + gap;
  for (const column of columns) column.forEach((slot, i) => (slot.y = i === 0 ? 0 : column[i - 1]!.y + apart(column, i)));
  for (let sweep = 0; sweep < 24; sweep++) {
    const walk = sweep % 2 === 0 ? columns : [...columns].reverse();
    for (const column of walk) {
      for (const slot of column) slot.y = mean([...slot.before, ...slot.after], (one) => one.y) ?? slot.y;
      // Down where they overlap, then back up by what it cost on average, so that the column stays in its middle.
      const middle = mean(column, (slot) => slot.y) ?? 0;
      for (let i = 1; i < column.length; i++) column[i]!.y = Math.max(column[i]!.y, column[i - 1]!.y + apart(column, i));
      const shift = (mean(column, (slot) => slot.y) ?? 0) - middle;
      for (const slot of column) slot.y -= shift;
    }
  }
  // What hangs on nothing stands below the others of its column.
  all.forEach((column, at) => {
    let below = Math.max(-gap, ...columns[at]!.map((slot) => slot.y + half(slot)));
    for (const slot of column.filter(alone)) {
      slot.y = below + gap + half(slot);
      below = slot.y + half(slot);
    }
  });
}

export function arrange(nodes: LayoutNode[], all_edges: LayoutEdge[], node_height: number, gap: number): Arrangement {
  const known = new Set(nodes.map((node) => node.id));
  const edges = all_edges.filter((edge) => known.has(edge.from) && known.has(edge.to) && edge.from !== edge.to);
  const column_of = columns_of(nodes, edges);
  const columns: Slot[][] = [];
  const add = (id: string, at: number, real: boolean): Slot => {
    while (columns.length <= at) columns.push([]);
    const slot: Slot = { id, real, before: [], after: [], order: 0, y: 0 };
    columns[at]!.push(slot);
    return slot;
  };
  const slots = new Map(nodes.map((node) => [node.id, add(node.id, column_of.get(node.id)!, true)]));
  const ways: Arrangement["ways"] = [];
  for (const edge of edges) {
    const [from, to] = [column_of.get(edge.from)!, column_of.get(edge.to)!];
    const way = [slots.get(edge.from)!];
    for (let at = from + 1; at < to; at++) way.push(add(`${edge.from}>${edge.to}`, at, false));
    way.push(slots.get(edge.to)!);
    for (let i = 1; i < way.length; i++) {
      way[i - 1]!.after.push(way[i]!);
      way[i]!.before.push(way[i - 1]!);
    }
    ways.push({ edge, first: from, slots: way });
  }
  untangle(columns);
  const half = (slot: Slot) => (slot.real ? node_height / 2 : 3);
  settle(columns, half, gap);
  return { columns, ways, half };
}

/** Columns of nodes so wide and so far apart. */
export function place({ columns, ways, half }: Arrangement, node_width: number, gap: number): Layout {
  const everything = columns.flat();
  const top = Math.min(...everything.map((slot) => slot.y - half(slot)), Infinity);
  const x_of = (column: number) => column * (node_width + gap);
  const middle = (slot: Slot) => slot.y - top;
  const places = new Map<string, Place>();
  columns.forEach((column, at) =>
    column
      .filter((slot) => slot.real)
      .forEach((slot, row) => places.set(slot.id, { id: slot.id, column: at, row, x: x_of(at), y: middle(slot) - half(slot) })),
  );
  const wires = ways.map(({ edge, first, slots: way }): Wire => {
    const points: [number, number][] = [[x_of(first) + node_width, middle(way[0]!)]];
    way.slice(1, -1).forEach((slot, i) => {
      points.push([x_of(first + 1 + i), middle(slot)], [x_of(first + 1 + i) + node_width, middle(slot)]);
    });
    points.push([x_of(first + way.length - 1), middle(way[way.length - 1]!)]);
    return { ...edge, points };
  });
  return {
    places,
    wires,
    width: Math.max(0, columns.length * (node_width + gap) - gap),
    height: Math.max(0, ...everything.map((slot) => middle(slot) + half(slot))),
  };
}

/** An SVG path through a wire's points: soft bends between columns, straight through them. */
export function wire_path(points: [number, number][]): string {
  let text = `M${points[0]![0]} ${points[0]![1].toFixed(1)}`;
  for (let i = 1; i < points.length; i++) {
    const [x0, y0] = points[i - 1]!;
    const [x1, y1] = points[i]!;
    const bend = (x1 - x0) / 2;
    text += i % 2 === 1 ? `C${x0 + bend} ${y0.toFixed(1)} ${x1 - bend} ${y1.toFixed(1)} ${x1} ${y1.toFixed(1)}` : `L${x1} ${y1.toFixed(1)}`;
  }
  return text;
}
