// Rows of any number: only those in sight are in the page. The scroll bar stands for the whole result; where a browser
// could not make an element that tall, a step of it stands for several rows.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Cell } from "../../api";
import { copy_text } from "../../ui";
import { numeric, type Order, read_order, shown, sort_by, use_view } from "./order";
import type { Query, QueryColumn } from "./queries";

const row_height = 27;
const tallest = 12_000_000; // pixels: browsers end at 17 to 33 million
const spare = 12; // rows beyond the edges, for who scrolls on
const window_rows = 1000;

/** `ask`: sorts on the server what is too long for the page (order.tsx). */
export function Grid({ query, label, ask }: { query: Query; label: string; ask: (order: Order) => void }) {
  const state = query.state.value!;
  const arrived = query.arrived.value;
  const frame = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const [top, set_top] = useState(0);
  const [tall, set_tall] = useState(400);
  /** What was drawn last; a row's element has the key of its place less `shift`. */
  const drawn = useRef({ pixel: 0, leap: false, first: 0, last: 0, shift: 0 });
  const [at, set_at] = useState<{ row: number; column: number }>({ row: 0, column: 0 });
  const columns = state.columns;
  const view = use_view(query);
  const order = read_order(columns);
  const whole = view.count * row_height;
  const height = Math.min(whole, tallest);
  const room = Math.max(1, tall - row_height);
  // The part of the way down, of the page's pixels and of the rows.
  const scale = height > room ? (whole - room) / (height - room) : 1;
  const first_pixel = top * scale;
  // Who leaps sees other rows in each frame: those in sight are enough, and they take the elements of the ones before.
  const leap = first_pixel === drawn.current.pixel ? drawn.current.leap : Math.abs(first_pixel - drawn.current.pixel) > tall;
  const beyond = leap ? 1 : spare;
  const first = Math.max(0, Math.floor(first_pixel / row_height) - beyond);
  const last = Math.min(view.count, Math.ceil((first_pixel + tall) / row_height) + beyond);
  if (first >= drawn.current.last || last <= drawn.current.first) drawn.current.shift += first - drawn.current.first;
  drawn.current = { pixel: first_pixel, leap, first, last, shift: drawn.current.shift };

  useEffect(() => {
    if (!view.plain) return;
    const timer = setTimeout(() => query.want(first, last), 30);
    return () => clearTimeout(timer);
  }, [query, first, last, state.rows, view.plain]);
  useEffect(() => {
    frame.current!.scrollTop = 0;
    set_at({ row: 0, column: at.column });
  }, [order.column, order.down, order.find]);
  useEffect(() => {
    const box = frame.current!;
    const watch = new ResizeObserver(() => set_tall(box.clientHeight));
    watch.observe(box);
    set_tall(box.clientHeight);
    return () => watch.disconnect();
  }, []);
  // As wide as what was in sight needs: wider rows further down widen a column, and nothing narrows it again.
  const widest = useRef<number[]>([]);
  useEffect(() => {
    const now = columns.map((column, i) => {
      let most = Math.max(widest.current[i] ?? 0, column.name.length + 1, 6);
      for (let row = first; row < last; row++) most = Math.max(most, shown(view.cells(row)?.[i] ?? null).length);
      return Math.min(most, 42);
    });
    if (now.every((most, i) => most === widest.current[i])) return;
    widest.current = now;
    frame.current!.style.setProperty("--columns", now.map((most) => `${most + 3}ch`).join(" "));
  }, [query, columns.length, arrived, first, last, view.plain]);
  useEffect(() => {
    body.current!.style.height = `${height}px`;
    frame.current!.style.setProperty("--numbers", `${Math.max(9, String(view.count).length + 5)}ch`);
  }, [height, view.count]);

  const move = (row: number, column: number) => {
    const to = { row: Math.min(Math.max(0, row), Math.max(0, view.count - 1)), column: Math.min(Math.max(0, column), columns.length - 1) };
    set_at(to);
    const box = frame.current!;
    const pixel = to.row * row_height;
    if (pixel < first_pixel) box.scrollTop = pixel / scale;
    else if (pixel + 2 * row_height > first_pixel + tall - row_height) box.scrollTop = (pixel + 3 * row_height - tall) / scale;
    body.current!.querySelector(`[aria-rowindex="${to.row + 2}"]`)?.children[to.column + 1]?.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  const keys = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(tall / row_height) - 2);
    const far = event.ctrlKey || event.metaKey;
    const to: Record<string, [number, number]> = {
      ArrowDown: [at.row + 1, at.column], ArrowUp: [at.row - 1, at.column], ArrowRight: [at.row, at.column + 1], ArrowLeft: [at.row, at.column - 1],
      PageDown: [at.row + page, at.column], PageUp: [at.row - page, at.column],
      Home: [far ? 0 : at.row, 0], End: [far ? view.count - 1 : at.row, columns.length - 1],
    };
    if (far && event.key === "c" && String(getSelection()) === "") {
      const row = view.cells(at.row);
      if (row) void copy_text(shown(row[at.column] ?? null));
      event.preventDefault();
    }
    const target = to[event.key];
    if (target === undefined) return;
    event.preventDefault();
    move(...target);
  };

  const choose = (event: MouseEvent) => {
    const cell = (event.target as HTMLElement).closest('[role="gridcell"]');
    const row = cell?.parentElement;
    if (cell && row) set_at({ row: Number(row.ariaRowIndex) - 2, column: [...row.children].indexOf(cell) - 1 });
  };

  // Where a row stands within the window changes only when the window is another one: rows that stay in sight are not drawn again.
  const anchor = first - (first % window_rows);
  const rows: number[] = [];
  for (let row = first; row < last; row++) rows.push(row);
  return (
    <div
      class="grid"
      ref={frame}
      role="grid"
      tabIndex={0}
      aria-label={label}
      aria-rowcount={view.count + 1}
      aria-busy={view.waiting}
      aria-colcount={columns.length}
      aria-activedescendant={at.row >= first && at.row < last ? cell_id(at.row, at.column) : undefined}
      onScroll={(event) => set_top(event.currentTarget.scrollTop)}
      onKeyDown={keys}
    >
      <div class="grid-row grid-head" role="row" aria-rowindex={1}>
        <span class="grid-number" role="columnheader">
          #
        </span>
        {columns.map((column, i) => (
          <span key={i} role="columnheader" class={numeric(column.type) ? "right" : ""} title={`${column.name}: ${column.type}`} aria-sort={order.column === i ? (order.down ? "descending" : "ascending") : undefined}>
            {/* By the mouse; "Sort by" beside the result is for the keyboard. */}
            <button type="button" tabIndex={-1} onClick={() => sort_by(query, `${order.column === i && !order.down ? "-" : ""}${i}`, ask)}>
              {column.name}
              {order.column === i && <span aria-hidden="true">{order.down ? " \u2193" : " \u2191"}</span>}
            </button>
          </span>
        ))}
      </div>
      <div class="grid-body" ref={body} role="rowgroup" onMouseDown={choose}>
        <div class="grid-window" role="presentation" style={{ transform: `translateY(${top + anchor * row_height - first_pixel}px)` }}>
          {rows.map((row) => (
            <Row key={row - drawn.current.shift} row={row} number={view.number(row) + 1} place={(row - anchor) * row_height} cells={view.cells(row)} columns={columns} current={at.row === row ? at.column : -1} />
          ))}
        </div>
      </div>
    </div>
  );
}

const cell_id = (row: number, column: number): string => `cell-${row}-${column}`;

interface RowProps {
  row: number;
  number: number;
  place: number;
  cells: Cell[] | undefined;
  columns: QueryColumn[];
  current: number;
}

/** The same element as before where nothing of it has changed. */
function Row(props: RowProps) {
  return useMemo(() => <Cells {...props} />, [props.row, props.number, props.place, props.cells, props.columns, props.current]);
}

function Cells(props: RowProps) {
  return (
    <div class="grid-row" role="row" aria-rowindex={props.row + 2} style={{ transform: `translateY(${props.place}px)` }}>
      <span class="grid-number" role="rowheader">
        {props.number}
      </span>
      {props.columns.map((column, i) => {
        const cell = props.cells?.[i];
        return (
          <span
            key={i}
            id={props.current === i ? cell_id(props.row, i) : undefined}
            role="gridcell"
            aria-selected={props.current === i ? true : undefined}
            class={`${numeric(column.type) ? "right" : ""} ${props.current === i ? "current" : ""} ${cell === null ? "null" : ""}`}
            title={cell !== undefined && cell !== null && String(cell).length > 24 ? String(cell).slice(0, 2000) : undefined}
          >
            {cell === undefined ? "\u00a0" : shown(cell).slice(0, 300)}
          </span>
        );
      })}
    </div>
  );
}
