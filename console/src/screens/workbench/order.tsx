// A result sorted and filtered, as the address says (rows.sort, rows.find). A result that a page can hold as a whole is sorted in the
// page; of a larger one the server is asked, by another statement in a tab of its own.

import { useEffect, useMemo, useState } from "preact/hooks";
import { type Cell, sql_name, sql_text } from "../../api";
import { address, set_query } from "../../navigate";
import { compare, Field } from "../../ui";
import type { Query, QueryColumn } from "./queries";

const held_max = 50_000; // rows

export const shown = (cell: Cell): string => (cell === null ? "NULL" : typeof cell === "object" ? JSON.stringify(cell) : String(cell));
export const numeric = (type: string): boolean => /^(smallint|integer|bigint|numeric|real|double)/.test(type);

export interface Order {
  column: number; // -1: as the rows came
  down: boolean;
  find: string;
}

export function read_order(columns: QueryColumn[]): Order {
  const sort = address.value.query.get("rows.sort") ?? "";
  const down = sort.startsWith("-");
  return { column: columns.findIndex((column) => column.name === sort.slice(down ? 1 : 0)), down, find: address.value.query.get("rows.find")?.trim() ?? "" };
}

export interface View {
  count: number;
  /** Where the row at this place stood in the result. */
  number: (place: number) => number;
  cells: (place: number) => Cell[] | undefined;
  /** Whether the rows are those of the result, in its order: pages come as they are looked at. */
  plain: boolean;
  /** They are being sorted; what is shown until then is as it came. */
  waiting: boolean;
}

export const is_held = (query: Query): boolean => (query.state.value?.rows ?? 0) <= held_max;

/** The rows as the address wants them. */
export function use_view(query: Query): View {
  const state = query.state.value!;
  const { column, down, find } = read_order(state.columns);
  const wanted = (column >= 0 || find !== "") && state.state === "done" && is_held(query);
  const [all, set_all] = useState<Cell[][] | null>(null);
  useEffect(() => {
    let here = true;
    if (wanted && all === null) void query.all().then((rows) => here && set_all(rows), () => undefined);
    return () => {
      here = false;
    };
  }, [query, wanted]);
  const places = useMemo(() => (wanted && all !== null ? places_of(all, state.columns, { column, down, find }) : null), [wanted, all, column, down, find]);
  if (places === null) return { count: state.rows, number: (place) => place, cells: (place) => query.row(place), plain: true, waiting: wanted };
  return { count: places.length, number: (place) => places[place]!, cells: (place) => all![places[place]!], plain: false, waiting: false };
}

function places_of(all: Cell[][], columns: QueryColumn[], { column, down, find }: Order): number[] {
  const needle = find.toLowerCase();
  const places: number[] = [];
  all.forEach((row, at) => {
    if (needle === "" || row.some((cell) => cell !== null && shown(cell).toLowerCase().includes(needle))) places.push(at);
  });
  if (column < 0) return places;
  const of_numbers = numeric(columns[column]!.type);
  const value = (at: number): string | number | boolean | null => {
    const cell = all[at]![column] ?? null;
    return cell === null ? null : of_numbers ? Number(cell) : shown(cell);
  };
  return places.sort((a, b) => compare(value(a), value(b), down) || a - b);
}

/** The statement that sorts and filters on the server. */
export function sql_in_order(sql: string, columns: QueryColumn[], { column, down, find }: Order): string {
  const like = sql_text(`%${find.replace(/[\\%_]/g, "\\$&")}%`);
  const where = find === "" ? "" : `\nwhere concat_ws(' ', ${columns.map((one) => sql_name(one.name)).join(", ")}) ilike ${like}`;
  const by = column < 0 ? "" : `\norder by ${sql_name(columns[column]!.name)}${down ? " desc" : ""} nulls last`;
  return `select *\nfrom (\n${sql.trim().replace(/;\s*$/, "")}\n) as result${where}${by}`;
}

/** Beside the result: a filter, and what it is sorted by. `ask` runs a statement where the page does not hold all rows. */
export function OrderFields({ query, ask }: { query: Query; ask: (order: Order) => void }) {
  const columns = query.state.value!.columns;
  const held = is_held(query);
  const order = read_order(columns);
  const place = order.column < 0 ? "" : `${order.down ? "-" : ""}${order.column}`;
  return (
    <div class="order-fields">
      <Field label="Filter the rows" hide_label>
        {(ids) => (
          <input
            {...ids}
            type="search"
            placeholder={held ? "Filter the rows" : "Filter, by Enter"}
            title={held ? undefined : "The rows are too many for the page: Enter asks the server, in a new tab"}
            value={held ? (address.value.query.get("rows.find") ?? "") : undefined}
            onInput={(event) => held && set_query({ "rows.find": event.currentTarget.value })}
            onKeyDown={(event) => {
              if (!held && event.key === "Enter" && event.currentTarget.value.trim() !== "") ask({ column: -1, down: false, find: event.currentTarget.value.trim() });
            }}
          />
        )}
      </Field>
      <Field label="Sort by" hide_label>
        {(ids) => (
          <select {...ids} value={held ? place : ""} onChange={(event) => sort_by(query, event.currentTarget.value, ask)}>
            <option value="">{held ? "As it came" : "Sort in a new tab"}</option>
            {columns.flatMap((column, i) => [
              <option key={i} value={`${i}`}>{`${column.name} \u2191`}</option>,
              <option key={-i - 1} value={`-${i}`}>{`${column.name} \u2193`}</option>,
            ])}
          </select>
        )}
      </Field>
    </div>
  );
}

/** `place`: the column's number, "-2" downwards, "" for as it came. */
export function sort_by(query: Query, place: string, ask: (order: Order) => void): void {
  const down = place.startsWith("-");
  const column = place === "" ? -1 : Number(down ? place.slice(1) : place);
  const name = query.state.value!.columns[column]?.name;
  if (is_held(query)) set_query({ "rows.sort": name === undefined ? null : `${down ? "-" : ""}${name}` });
  else if (name !== undefined) ask({ column, down, find: "" });
}
