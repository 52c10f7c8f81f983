// The tables beside the editor, where the window has room for them: what there is, and names by a click.

import { useState } from "preact/hooks";
import { Button } from "../../ui";
import { tables } from "./catalog";
import { change_tab, active } from "./state";

const shown_max = 300;

/** `insert` puts a text where the editor's cursor stands. */
export function Schema({ insert }: { insert: (text: string) => void }) {
  const [find, set_find] = useState("");
  const list = tables.value ?? [];
  if (list.length === 0) return null;
  const needle = find.trim().toLowerCase();
  const found = needle === "" ? list : list.filter((table) => table.name.toLowerCase().includes(needle) || table.columns.some((column) => column.name.toLowerCase().includes(needle)));
  // An empty editor gets a whole statement: the name alone would not run.
  const use_table = (name: string) => {
    if (active.value && active.value.sql.trim() === "") change_tab(active.value.id, { sql: `select *\nfrom ${name}\nlimit 1000` });
    else insert(name);
  };
  return (
    <aside class="schema" aria-label="Tables">
      <input type="search" class="find" aria-label="Find a table or column" placeholder="Tables and columns" value={find} onInput={(event) => set_find(event.currentTarget.value)} />
      <div class="schema-list" tabIndex={0} role="group" aria-label="Tables that you may see">
        {found.slice(0, shown_max).map((table) => (
          <details key={table.name}>
            <summary>
              <span>{table.name}</span>
            </summary>
            <ul>
              <li>
                <Button kind="quiet" onClick={() => use_table(table.name)}>
                  Insert the name
                </Button>
              </li>
              {table.columns.map((column) => (
                <li key={column.name}>
                  <button type="button" class="schema-column" onClick={() => insert(column.name)} title={`Insert ${column.name}`}>
                    <span>{column.name}</span> <code>{column.type.replace(/ with(out)? time zone/, (_, out) => (out ? "" : "tz"))}</code>
                  </button>
                </li>
              ))}
            </ul>
          </details>
        ))}
        {found.length === 0 && <p class="calm-note">Nothing matches.</p>}
        {found.length > shown_max && <p class="calm-note">and {found.length - shown_max} more: search for them</p>}
      </div>
    </aside>
  );
}
