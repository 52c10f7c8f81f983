// What stands above the page: dialogs, menus, toasts.

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Button } from "./basic";

/** A modal window. The browser keeps the focus inside, closes on Escape and gives the focus back. */
export function Dialog(props: { title: string; close: () => void; children: ComponentChildren; wide?: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const there = useRef(true); // the event of closing comes later than the closing
  const id = useId();
  useLayoutEffect(() => {
    const element = dialog.current!;
    const before = document.activeElement;
    element.showModal();
    // A form begins at its first field, not at the button that closes it.
    element.querySelector<HTMLElement>("input:not([type=checkbox]), textarea, select")?.focus();
    there.current = true;
    return () => {
      there.current = false;
      element.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={props.wide ? "dialog wide" : "dialog"}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        props.close();
      }}
      onClose={() => there.current && props.close()}
      onClick={(event) => {
        if (event.target === dialog.current) props.close();
      }}
    >
      <div class="dialog-body">
        <div class="dialog-head">
          <h2 id={id}>{props.title}</h2>
          <button type="button" class="quiet" aria-label="Close" onClick={props.close}>
            &#10005;
          </button>
        </div>
        {props.children}
      </div>
    </dialog>
  );
}

/** Asks before something that cannot be taken back. `run` may fail: its message stands in the window. */
export function Confirm(props: { title: string; children: ComponentChildren; word: string; danger?: boolean; run: () => Promise<void>; close: () => void }) {
  const [problem, set_problem] = useState("");
  const [busy, set_busy] = useState(false);
  const go = async () => {
    set_busy(true);
    try {
      await props.run();
      props.close();
    } catch (error) {
      set_problem((error as Error).message);
      set_busy(false);
    }
  };
  return (
    <Dialog title={props.title} close={props.close}>
      <div class="dialog-text">{props.children}</div>
      <DialogFoot problem={problem} word={props.word} danger={props.danger} disabled={busy} run={() => void go()} close={props.close} />
    </Dialog>
  );
}

/** What ends a dialog: what went wrong, the way out, and the button that does it; without `run` that one submits the form around it. */
export function DialogFoot(props: { word: string; close: () => void; run?: () => void; problem?: string; disabled?: boolean; danger?: boolean | undefined; out?: string }) {
  return (
    <>
      {props.problem && (
        <p class="problem" role="alert">
          {props.problem}
        </p>
      )}
      <div class="dialog-foot">
        <Button onClick={props.close}>{props.out ?? "Cancel"}</Button>
        <Button kind={props.danger ? "danger" : "primary"} submit={props.run === undefined} disabled={props.disabled} {...(props.run ? { onClick: props.run } : {})}>
          {props.word}
        </Button>
      </div>
    </>
  );
}

export interface MenuItem {
  label: string;
  run: () => void;
  danger?: boolean;
  disabled?: boolean;
}

/** A button with a list of actions: arrows, Home, End, Escape; closes when the focus leaves. */
export function Menu({ label, items, children }: { label: string; items: MenuItem[]; children?: ComponentChildren }) {
  const [open, set_open] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const id = useId();
  const entries = () => [...root.current!.querySelectorAll<HTMLButtonElement>('[role="menuitem"]:not(:disabled)')];
  useEffect(() => {
    if (!open) return;
    entries()[0]?.focus();
    // It hangs from its button's right end, where there is room to the left.
    const box = root.current!.querySelector('[role="menu"]')!;
    box.classList.toggle("rightwards", box.getBoundingClientRect().left < 0);
  }, [open]);
  const close = (back: boolean) => {
    set_open(false);
    if (back) root.current?.querySelector<HTMLButtonElement>("button")?.focus();
  };
  const key = (event: KeyboardEvent) => {
    if (!open) return;
    const list = entries();
    const at = list.indexOf(document.activeElement as HTMLButtonElement);
    const to = { ArrowDown: (at + 1) % list.length, ArrowUp: (at - 1 + list.length) % list.length, Home: 0, End: list.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      list[to]?.focus();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      close(true);
    }
  };
  return (
    <div
      class="menu"
      ref={root}
      onKeyDown={key}
      onFocusOut={(event) => {
        if (!root.current?.contains(event.relatedTarget as Node | null)) set_open(false);
      }}
    >
      <button type="button" class="plain" aria-haspopup="menu" aria-expanded={open} aria-controls={open ? id : undefined} aria-label={children ? label : undefined} onClick={() => set_open(!open)}>
        {children ?? label}
      </button>
      {open && (
        <div role="menu" id={id} aria-label={label} class="menu-list">
          {items.map((item) => (
            <button
              key={item.label}
              type="button"
              role="menuitem"
              tabIndex={-1}
              class={item.danger ? "danger" : ""}
              disabled={item.disabled}
              onClick={() => {
                close(true);
                item.run();
              }}
            >
              {item.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

interface ToastLine {
  id: number;
  text: string;
  tone: "good" | "bad";
}
const toasts = signal<ToastLine[]>([]);
let last_id = 0;

/** Says what came of an action; a failure stays until it is closed. */
export function toast(text: string, tone: "good" | "bad" = "good"): void {
  const id = ++last_id;
  toasts.value = [...toasts.value.slice(-3), { id, text, tone }];
  if (tone === "good") setTimeout(() => drop(id), 5000);
}
const drop = (id: number) => (toasts.value = toasts.value.filter((one) => one.id !== id));

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((one) => (
        <div key={one.id} class={`toast ${one.tone}`}>
          <span>{one.text}</span>
          <button type="button" class="quiet" aria-label="Close the message" onClick={() => drop(one.id)}>
            &#10005;
          </button>
        </div>
      ))}
    </div>
  );
}
