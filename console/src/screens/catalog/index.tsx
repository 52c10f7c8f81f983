// The catalog: every table that the viewer may see, found by its words, and a page for each.

import { useEffect, useRef, useState } from "preact/hooks";
import { path_of } from "../../api";
import { duration, number } from "../../format";
import { type Answer, use_live } from "../../live";
import { address, set_query } from "../../navigate";
import { use_title } from "../../title";
import { Answered, Badge, Bytes, Count, Empty, Page, SplitPane, Table, type TableColumn, Tag, Time } from "../../ui";
import { MakerLink } from "./maker";
import type { TableLine } from "./shapes";
import { TablePage } from "./table_page";
import "./style.css";

interface Found {
  tables: TableLine[];
  truncated: boolean;
}

export function Screen() {
  const [, database, table] = address.value.segments;
  const all = use_live<Found>("/api/v1/catalog", { tables: "*" });
  use_title("Catalog");
  return (
    <div class={table === undefined ? "catalog listing" : "catalog"}>
      <SplitPane
        name="catalog"
        label="Width of the list of tables"
        start={280}
        first={<Tree all={all.data.value?.tables ?? null} database={database} table={table} />}
        second={
          database !== undefined && table !== undefined ? (
            <TablePage key={`${database}.${table}`} database={database} table={table} />
          ) : (
            <List found={all} database={database} />
          )
        }
      />
    </div>
  );
}

const full = (one: TableLine): string => `${one.database}.${one.table}`;
const to = (one: TableLine): string => path_of("/catalog", one.database, one.table);

/** What is typed, once the fingers rest. */
function use_rested(text: string): string {
  const [rested, set_rested] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => set_rested(text), 180);
    return () => clearTimeout(timer);
  }, [text]);
  return rested;
}

function Tree({ all, database, table }: { all: TableLine[] | null; database: string | undefined; table: string | undefined }) {
  const words = address.value.query.get("search") ?? "";
  const rested = use_rested(words.trim());
  const search = use_live<Found>(rested === "" ? null : `/api/v1/catalog?search=${encodeURIComponent(rested)}`, { every_ms: 0 });
  const root = useRef<HTMLDivElement>(null);
  const links = () => [...root.current!.querySelectorAll<HTMLAnchorElement>("a.tree-table")];
  const key = (event: KeyboardEvent) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const list = links();
    const at = list.indexOf(document.activeElement as HTMLAnchorElement);
    const next = event.key === "ArrowDown" ? at + 1 : at - 1;
    event.preventDefault();
    if (next < 0) root.current!.querySelector("input")?.focus();
    else list[Math.min(next, list.length - 1)]?.focus();
  };
  const shown = rested === "" ? all : (search.data.value?.tables ?? null);
  const zones = new Map<string, TableLine[]>();
  for (const one of shown ?? []) zones.set(one.database, [...(zones.get(one.database) ?? []), one]);
  const keep = words === "" ? "" : `?search=${encodeURIComponent(words)}`;
  return (
    <div class="tree" ref={root} onKeyDown={key}>
      <input
        type="search"
        class="find"
        aria-label="Find tables by name, column, description or tag"
        placeholder="Name, column, description, tag"
        value={words}
        onInput={(event) => set_query({ search: event.currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key === "Enter") links()[0]?.click();
        }}
      />
      <p class="sr-only" role="status">
        {shown === null ? "" : `${shown.length} tables`}
      </p>
      <nav aria-label="Tables">
        {[...zones].map(([zone, tables]) => (
          <details key={zone} open={rested !== "" || zone === database || zones.size < 8}>
            <summary>
              <span>{zone}</span>
              <span class="count">{tables.length}</span>
            </summary>
            <ul>
              {tables.map((one) => (
                <li key={one.table}>
                  <a class="tree-table" href={to(one) + keep} aria-current={one.database === database && one.table === table ? "page" : undefined} title={full(one)}>
                    <span>{one.table}</span>
                    {one.found_columns && one.found_columns.length > 0 && <span class="found">{one.found_columns.slice(0, 3).join(", ")}</span>}
                  </a>
                </li>
              ))}
            </ul>
          </details>
        ))}
      </nav>
      {shown !== null && shown.length === 0 && <Empty title={rested === "" ? "No table yet." : "Nothing is called so, and no column or description either."} />}
    </div>
  );
}

const late: TableColumn<TableLine> = { name: "late", title: "Late", value: (one) => (one.late ? "late" : one.fresh_s === undefined ? "" : "fresh"),
  show: (one) => (one.fresh_s === undefined ? <span class="absent-value">&ndash;</span> : <Badge word={one.late ? "late" : "fresh"} title={`expected every ${duration(one.fresh_s)}`} />), wide_from: 900 };

/** Its heading stands before its rows, and without them. */
function List({ found, database }: { found: Answer<Found>; database: string | undefined }) {
  const rows = (found.data.value?.tables ?? []).filter((one) => database === undefined || one.database === database);
  const count = found.data.value !== null && `${number(rows.length)} ${rows.length === 1 ? "table" : "tables"}`;
  return (
    <Page title={database ?? "Catalog"} note={count} aside={database !== undefined && <a href="/catalog">All zones</a>}>
      <Answered of={found} what="catalog">
        {({ truncated }) => <Rows rows={rows} database={database} truncated={truncated} />}
      </Answered>
    </Page>
  );
}

function Rows({ rows, database, truncated }: { rows: TableLine[]; database: string | undefined; truncated: boolean }) {
  return (
    <>
      {truncated && <p class="banner">Only the first 10,000 tables are listed: search for the others.</p>}
      <section class="card" aria-label="Tables">
        <Table
          label={database === undefined ? "All tables" : `Tables of ${database}`}
          find="Filter by what is shown"
          start_sort="name"
          rows={rows}
          row_key={full}
          empty={<Empty title="No table yet, or none that you may see.">
              <a href="/">Home</a> says how rows come in; what a role of yours is granted appears here by itself.
            </Empty>}
          columns={[
            {
              name: "name",
              title: "Table",
              value: (one) => `${full(one)} ${one.description} ${one.tags.join(" ")}`,
              show: (one) => (
                <span class="table-cell">
                  <a href={to(one)}>{database === undefined ? full(one) : one.table}</a>
                  {one.kind === "view" && <Tag>view</Tag>}
                  {one.tags.map((tag) => (
                    <Tag key={tag}>{tag}</Tag>
                  ))}
                  {one.description && <span class="about">{one.description}</span>}
                </span>
              ),
            },
            { name: "made", title: "Made by", value: (one) => one.made_by?.name ?? "", show: (one) => (one.made_by ? <MakerLink by={one.made_by} /> : <span class="absent-value">&ndash;</span>), wide_from: 900 },
            { name: "columns", title: "Columns", value: (one) => one.columns, right: true, wide_from: 1200 },
            { name: "rows", title: "Rows", value: (one) => one.rows ?? null, show: (one) => <Count value={one.rows ?? null} />, right: true },
            { name: "bytes", title: "Size", value: (one) => one.bytes ?? null, show: (one) => <Bytes value={one.bytes ?? null} />, right: true, wide_from: 600 },
            { name: "updated", title: "Changed", value: (one) => one.updated, show: (one) => <Time at={one.updated} absent={one.kind === "view" ? "\u2013" : "never"} />, wide_from: 600 },
            ...(rows.some((one) => one.fresh_s !== undefined) ? [late] : []),
          ]}
        />
      </section>
    </>
  );
}
