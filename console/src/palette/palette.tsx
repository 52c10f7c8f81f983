// The command palette: one field that finds everything the viewer may open or do.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { navigate } from "../navigate";
import { type Command, fuzzy, load_commands } from "./sources";
import "./palette.css";

const shown_max = 40;
const patience_ms = 3000; // with lists that have not come

export function Palette({ close }: { close: () => void }) {
  const [commands, set_commands] = useState<Command[]>([]);
  const [words, set_words] = useState("");
  const [at, set_at] = useState(0);
  const [complete, set_complete] = useState(false);
  const [asked, set_asked] = useState(false); // Enter was pressed before there was anything to choose
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const shown = useRef(true);
  useLayoutEffect(() => {
    const before = document.activeElement;
    let there = true;
    dialog.current!.showModal();
    const settle = () => there && set_complete(true);
    void load_commands((more) => there && set_commands((known) => [...known, ...more])).then(settle);
    const impatience = setTimeout(settle, patience_ms);
    return () => {
      there = false;
      clearTimeout(impatience);
      shown.current = false; // the event of closing comes later than the closing
      dialog.current?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);

  const needle = words.trim().toLowerCase();
  // Columns and tags are the server's to look for.
  const search: Command = { kind: "search", title: `Tables with \u201C${words.trim()}\u201D in a column, description or tag`, run: () => navigate(`/catalog?search=${encodeURIComponent(words.trim())}`) };
  const found = needle === "" ? rank(commands, needle) : [...rank(commands, needle), search];
  const chosen = Math.min(at, found.length - 1);
  useEffect(() => list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" }), [chosen, needle]);

  const run = (command: Command | undefined) => {
    if (!command) return;
    close();
    command.run();
  };
  // Whoever types a table's name faster than the tables are listed means the table, not the search for its name.
  const early = !complete && at === 0 && (found.length === 0 || found[0] === search);
  useEffect(() => {
    if (asked && complete) run(found[chosen]);
  }, [asked, complete]);
  const key = (event: KeyboardEvent) => {
    const to = { ArrowDown: chosen + 1, ArrowUp: chosen - 1, PageDown: chosen + 8, PageUp: chosen - 8 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      set_at(Math.max(0, Math.min(found.length - 1, to)));
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (early) set_asked(true);
      else run(found[chosen]);
    }
  };

  return (
    <dialog
      ref={dialog}
      class="palette"
      aria-label="Find anything"
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onClose={() => shown.current && close()}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div class="palette-body">
        <input
          autofocus
          type="text"
          role="combobox"
          aria-label="Find a screen, table, dashboard, step, alert, model or action"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={found[chosen] ? `palette-${chosen}` : undefined}
          aria-autocomplete="list"
          autocomplete="off"
          spellcheck={false}
          placeholder="Find a screen, table, dashboard, action&hellip;"
          value={words}
          onInput={(event) => {
            set_words(event.currentTarget.value);
            set_at(0);
            set_asked(false);
          }}
          onKeyDown={key}
        />
        <ul id="palette-list" role="listbox" aria-label="Found" ref={list}>
          {found.map((command, i) => (
            <li key={`${command.kind} ${command.title}`} id={`palette-${i}`} role="option" aria-selected={i === chosen} onClick={() => run(command)} onPointerMove={() => i !== chosen && set_at(i)}>
              <span class="palette-title">{command.title}</span>
              {command.about && command.about !== command.title && <span class="palette-about">{command.about}</span>}
              <span class="tag">{command.kind}</span>
            </li>
          ))}
        </ul>
      </div>
    </dialog>
  );
}

function rank(commands: Command[], needle: string): Command[] {
  if (needle === "") return commands.slice(0, shown_max);
  const scored: [number, Command][] = [];
  for (const command of commands) {
    const title = fuzzy(needle, command.title);
    // Letters here and there of a long text are no hit.
    const about = command.about?.toLowerCase().includes(needle) ? fuzzy(needle, command.about) : null;
    const best = Math.max(title ?? -1, about === null ? -1 : about / 2);
    if (title !== null || about !== null) scored.push([best, command]);
  }
  return scored.sort((a, b) => b[0] - a[0]).slice(0, shown_max).map(([, command]) => command);
}
