// The keyboard: Ctrl-K opens the palette, ? the list of keys, "g" and a letter goes to a screen, "/" finds in the page.
// Keys without Ctrl can be switched off, as WCAG 2.1.4 asks.

import { signal, useSignal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { navigate } from "./navigate";
import { load_style, screens } from "./routes";
import { Dialog } from "./ui";

export const palette_open = signal<boolean | "help">(false);
const single_keys = signal(localStorage.getItem("tarn.keys") !== "off");

let gone_at = -Infinity; // when "g" was pressed

function types_text(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function on_key(event: KeyboardEvent): void {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    palette_open.value = palette_open.value !== true;
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (!single_keys.value || types_text(event.composedPath()[0] ?? null) || document.querySelector("dialog[open]")) return;
  if (event.key === "?") {
    event.preventDefault();
    palette_open.value = "help";
  } else if (event.key === "/") {
    const find = document.querySelector<HTMLInputElement>('main input[type="search"]');
    if (find === null) return;
    event.preventDefault();
    find.focus();
  } else if (event.key === "g") {
    gone_at = event.timeStamp; // when it was pressed, however busy the page was
  } else if (event.timeStamp - gone_at < 1500) {
    gone_at = -Infinity;
    const screen = screens.find((one) => one.key === event.key);
    if (screen) {
      event.preventDefault();
      navigate(screen.path);
    }
  }
}

export function install_keys(): () => void {
  addEventListener("keydown", on_key);
  return () => removeEventListener("keydown", on_key);
}

/** The palette is a chunk of its own, loaded when it is first opened. */
export function PaletteGate() {
  const palette = useSignal<{ Palette: ComponentType<{ close: () => void }> } | null>(null);
  const wanted = palette_open.value === true;
  useEffect(() => {
    if (wanted && palette.value === null) void Promise.all([import("./palette/palette"), load_style("palette")]).then(([module]) => (palette.value = module));
  }, [wanted]);
  if (!wanted || palette.value === null) return null;
  const Palette = palette.value.Palette;
  return <Palette close={() => (palette_open.value = false)} />;
}

export function Help() {
  if (palette_open.value !== "help") return null;
  const keys: [string[], string][] = [
    [["Ctrl", "K"], "Find anything: screens, tables, dashboards, steps, alerts, models, actions"],
    [["?"], "These keys"],
    [["/"], "Find in the page"],
    ...screens.map((screen): [string[], string] => [["g", screen.key], `Go to ${screen.title}`]),
    [["Esc"], "Close what is open"],
    [["\u2190", "\u2192"], "Tabs, points of a line, the border between panes"],
  ];
  return (
    <Dialog title="Keys of the keyboard" close={() => (palette_open.value = false)}>
      <dl class="key-list">
        {keys.map(([names, what]) => (
          <div key={what}>
            <dt>
              {names.map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input
          type="checkbox"
          checked={single_keys.value}
          onChange={(event) => {
            single_keys.value = event.currentTarget.checked;
            localStorage.setItem("tarn.keys", single_keys.value ? "on" : "off");
          }}
        />
        Keys without Ctrl do something
      </label>
    </Dialog>
  );
}
