// A list as a table: sorted and filtered through the address, so that what one sees can be linked; only the rows in sight
// are in the page when there are many.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { address, set_query } from "../navigate";
import { Button } from "./basic";
import { Empty } from "./states";
import { use_slices } from "./turn";

export interface TableColumn<Row> {
  name: string;
  title: string;
  /** What the column is sorted and filtered by. Numbers sort as numbers; null stands last. */
  value: (row: Row) => string | number | boolean | null | undefined;
  /** What it is filtered by, where that is another text than the value's. */
  text?: (row: Row) => string;
  /** Default: the value as text. */
  show?: (row: Row) => ComponentChildren;
  right?: boolean;
  unsorted?: boolean;
  /** Of the heading, on hover. */
  hint?: string;
  /** Not shown below this width of the window in pixels. */
  wide_from?: number;
}

interface TableProps<Row> {
  label: string;
  columns: TableColumn<Row>[];
  rows: Row[];
  row_key: (row: Row, at: number) => string | number;
  /** The list's word in the address: "users" -> ?users.sort=name&users.find=ann. Default: sort and find. */
  word?: string;
  /** Placeholder of the filter. Default: there is one when the list is long; of lists with a word alone, for the others share the address's. */
  find?: string;
  start_sort?: string; // "-created": downwards
  empty?: ComponentChildren;
  aside?: ComponentChildren;
  /** Marks a row, e.g. the one that is open beside the list. */
  current?: (row: Row) => boolean;
  height?: number; // of the frame in which many rows scroll, pixels
  frame?: string; // a class of the frame
  /** So many rows are shown, of all sorted; the rest when asked for, and with a filter all that match. */
  first?: number;
}

const row_height = 40;
const drawn_whole = 200;
const at_once = 32; // rows; what follows them is below the window's edge, and comes after what is seen has been painted

export function Table<Row>(props: TableProps<Row>) {
  const word = (name: string) => (props.word ? `${props.word}.${name}` : name);
  const query = address.value.query;
  const shown_find = props.find ?? (props.word !== undefined && (props.rows.length > 10 || query.has(word("find"))) ? `Filter: ${props.label}` : undefined);
  const find = props.rows.length > 0 || query.has(word("find")) ? shown_find : undefined; // nothing to find in nothing
  const needle = (query.get(word("find")) ?? "").trim().toLowerCase();
  const sort = query.get(word("sort")) ?? props.start_sort ?? "";
  const down = sort.startsWith("-");
  const by = props.columns.find((column) => column.name === sort.replace(/^-/, ""));
  const width = use_width();
  const columns = props.columns.filter((column) => (column.wide_from ?? 0) <= width);

  let rows = props.rows;
  if (needle) rows = rows.filter((row) => props.columns.some((column) => (column.text?.(row) ?? String(column.value(row) ?? "")).toLowerCase().includes(needle)));
  if (by) rows = [...rows].sort((a, b) => compare(by.value(a), by.value(b), down));

  const rest = props.first !== undefined && !needle && !query.has(word("all")) && rows.length > props.first ? rows.length : 0;
  if (rest > 0) rows = rows.slice(0, props.first);

  const virtual = rows.length > drawn_whole;
  const [top, set_top] = useState(0);
  const height = props.height ?? 560;
  const first = virtual ? Math.max(0, Math.floor(top / row_height) - 8) : 0;
  const drawn = use_slices(virtual ? 0 : rows.length - at_once);
  const last = Math.min(rows.length, virtual ? first + Math.ceil(height / row_height) + 16 : at_once + drawn);
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (frame.current) frame.current.style.maxHeight = virtual ? `${height}px` : "";
  }, [virtual, height]);

  const resort = (column: TableColumn<Row>) => {
    const up = by === column && !down;
    set_query({ [word("sort")]: up ? `-${column.name}` : column.name });
  };

  return (
    <div class="list">
      {(find || props.aside || rest > 0) && (
        <div class="list-head">
          {find && (
            <input
              type="search"
              class="find"
              aria-label={find}
              placeholder={find}
              value={query.get(word("find")) ?? ""}
              onInput={(event) => set_query({ [word("find")]: event.currentTarget.value })}
            />
          )}
          {needle && (
            <span class="measure" role="status">
              {rows.length} of {props.rows.length}
            </span>
          )}
          {(props.aside || rest > 0) && (
            <div class="list-aside">
              {rest > 0 && (
                <Button kind="quiet" onClick={() => set_query({ [word("all")]: "1" }, true)}>
                  Show all {rest}
                </Button>
              )}
              {props.aside}
            </div>
          )}
        </div>
      )}
      {rows.length === 0 ? (
        needle ? (
          <Empty title={`Nothing matches \u201C${needle}\u201D.`} />
        ) : (
          (props.empty ?? <Empty title="Nothing here yet." />)
        )
      ) : (
        <div class={`table-frame ${virtual ? "virtual" : ""} ${props.frame ?? ""}`} ref={frame} tabIndex={0} role="group" aria-label={props.label} onScroll={virtual ? (event) => set_top(event.currentTarget.scrollTop) : undefined}>
          <table aria-rowcount={rows.length + 1}>
            <thead>
              <tr>
                {columns.map((column) => (
                  <th key={column.name} scope="col" class={column.right ? "right" : ""} title={column.hint} aria-sort={by === column ? (down ? "descending" : "ascending") : undefined}>
                    {column.unsorted ? (
                      column.title
                    ) : (
                      <button type="button" class="sort" onClick={() => resort(column)}>
                        {column.title}
                        <span class="sort-mark" aria-hidden="true">
                          {by === column ? (down ? "\u2193" : "\u2191") : ""}
                        </span>
                      </button>
                    )}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {virtual && first > 0 && <Gap rows={first} columns={columns.length} />}
              {rows.slice(first, last).map((row, i) => (
                <tr key={props.row_key(row, first + i)} aria-rowindex={virtual ? first + i + 2 : undefined} class={props.current?.(row) ? "current" : ""}>
                  {columns.map((column) => (
                    <td key={column.name} class={column.right ? "right" : ""}>
                      {column.show ? column.show(row) : String(column.value(row) ?? "\u2013")}
                    </td>
                  ))}
                </tr>
              ))}
              {last < rows.length && <Gap rows={rows.length - last} columns={columns.length} />}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

function Gap({ rows, columns }: { rows: number; columns: number }) {
  const cell = useRef<HTMLTableCellElement>(null);
  useEffect(() => {
    if (cell.current) cell.current.style.height = `${rows * row_height}px`;
  }, [rows]);
  return (
    <tr aria-hidden="true" class="gap">
      <td colSpan={columns} ref={cell} />
    </tr>
  );
}

type Value = string | number | boolean | null | undefined;
const collator = new Intl.Collator(undefined, { numeric: true });

/** Numbers as numbers, texts as people read them; what is not there stands last both ways. */
export function compare(a: Value, b: Value, down: boolean): number {
  const none = (value: Value) => value === null || value === undefined || value === "";
  if (none(a) || none(b)) return none(a) === none(b) ? 0 : none(a) ? 1 : -1;
  const order = typeof a === "number" && typeof b === "number" ? a - b : collator.compare(String(a), String(b));
  return down ? -order : order;
}

function use_width(): number {
  const [width, set_width] = useState(innerWidth);
  useEffect(() => {
    const on = () => set_width(innerWidth);
    on(); // the window may have changed since this was drawn
    addEventListener("resize", on);
    return () => removeEventListener("resize", on);
  }, []);
  return width;
}
