// Tabs, panes, code.

import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { address, set_query } from "../navigate";
import { toast } from "./overlays";

export interface Tab {
  name: string;
  title: string;
  count?: number | undefined;
  show: () => ComponentChildren;
}

/** On a narrow screen a list of tabs is wider than its place: the chosen one is in sight, also when the screen is turned. */
export function use_chosen_in_sight(list: RefObject<HTMLElement | null>, chosen: string | undefined): void {
  useEffect(() => {
    const frame = list.current!;
    const show = () => {
      const tab = frame.querySelector<HTMLElement>('[aria-selected="true"]');
      if (!tab) return;
      const left = tab.offsetLeft - frame.offsetLeft;
      if (left < frame.scrollLeft || left + tab.offsetWidth > frame.scrollLeft + frame.clientWidth) frame.scrollLeft = left - 48;
    };
    const observer = new ResizeObserver(show);
    observer.observe(frame);
    return () => observer.disconnect();
  }, [chosen]);
}

/** Which of them is shown stands in the address (`?tab=`), so that it can be linked and the back button walks it. */
export function Tabs({ tabs, label, word = "tab" }: { tabs: Tab[]; label: string; word?: string }) {
  const id = useId();
  const wanted = address.value.query.get(word);
  const at = Math.max(0, tabs.findIndex((tab) => tab.name === wanted));
  const list = useRef<HTMLDivElement>(null);
  const choose = (to: number, focus: boolean) => {
    const tab = tabs[(to + tabs.length) % tabs.length]!;
    set_query({ [word]: tab === tabs[0] ? null : tab.name }, true);
    if (focus) list.current?.querySelectorAll<HTMLButtonElement>('[role="tab"]')[tabs.indexOf(tab)]?.focus();
  };
  const current = tabs[at]!;
  use_chosen_in_sight(list, current.name);
  return (
    <div class="tabs">
      <div
        class="tab-list"
        role="tablist"
        aria-label={label}
        ref={list}
        onKeyDown={(event) => {
          const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
          if (to === undefined) return;
          event.preventDefault();
          choose(to, true);
        }}
      >
        {tabs.map((tab, i) => (
          <button
            key={tab.name}
            type="button"
            role="tab"
            id={`${id}-${tab.name}`}
            aria-selected={i === at}
            aria-controls={`${id}-panel`}
            tabIndex={i === at ? 0 : -1}
            onClick={() => choose(i, false)}
          >
            {tab.title}
            {tab.count !== undefined && <span class="count">{tab.count}</span>}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${current.name}`} class="tab-panel" tabIndex={-1}>
        {current.show()}
      </div>
    </div>
  );
}

/** Two panes with a border that the mouse or the arrow keys move; its place is kept under `name`. One below another when narrow. */
export function SplitPane(props: { name: string; first: ComponentChildren; second: ComponentChildren; start?: number; least?: number; upright?: boolean; label?: string }) {
  const key = `tarn.split.${props.name}`;
  const least = props.least ?? 160;
  const [size, set_size] = useState(() => Number(localStorage.getItem(key)) || (props.start ?? 280));
  const root = useRef<HTMLDivElement>(null);
  const move = (to: number) => {
    const whole = props.upright ? root.current!.clientHeight : root.current!.clientWidth;
    const next = Math.round(Math.min(Math.max(least, to), Math.max(least, whole - least)));
    set_size(next);
    localStorage.setItem(key, String(next));
  };
  useEffect(() => root.current?.style.setProperty("--split", `${size}px`), [size]);
  const drag = (event: PointerEvent) => {
    const handle = event.currentTarget as HTMLElement;
    handle.setPointerCapture(event.pointerId);
    const box = root.current!.getBoundingClientRect();
    const on = (at: PointerEvent) => move(props.upright ? at.clientY - box.top : at.clientX - box.left);
    handle.addEventListener("pointermove", on);
    handle.addEventListener("pointerup", () => handle.removeEventListener("pointermove", on), { once: true });
  };
  return (
    <div class={props.upright ? "split upright" : "split"} ref={root}>
      <div class="split-first">{props.first}</div>
      <div
        class="split-handle"
        role="separator"
        tabIndex={0}
        aria-orientation={props.upright ? "horizontal" : "vertical"}
        aria-label={props.label ?? "Size of the panes"}
        aria-valuenow={size}
        aria-valuemin={least}
        aria-valuemax={4000}
        onPointerDown={drag}
        onKeyDown={(event) => {
          const step = { ArrowLeft: -24, ArrowUp: -24, ArrowRight: 24, ArrowDown: 24 }[event.key];
          if (step === undefined) return;
          event.preventDefault();
          move(size + step);
        }}
      />
      <div class="split-second">{props.second}</div>
    </div>
  );
}

export async function copy_text(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied.");
  } catch {
    toast("The browser does not let this page copy: select the text and press Ctrl-C.", "bad");
  }
}

/** Text of a fixed width with a button that copies it. */
export function CodeBlock({ text, label }: { text: string; label: string }) {
  return (
    <div class="code-block">
      <pre tabIndex={0} role="region" aria-label={label}>
        <code>{text}</code>
      </pre>
      <button type="button" class="quiet" aria-label={`Copy: ${label}`} onClick={() => void copy_text(text)}>
        Copy
      </button>
    </div>
  );
}
