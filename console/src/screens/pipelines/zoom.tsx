// How large the graph is drawn: as wide as its frame as long as that can be read, by buttons, by keys, by the wheel with Ctrl (which is
// what two fingers on a pad are), and moved by dragging. The size stands in the address.

import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { address, set_query } from "../../navigate";
import { Button } from "../../ui";

const steps = [0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1, 1.25, 1.5, 2];
/** A text of 14 pixels that is drawn smaller than this is hard to read: then the graph scrolls instead. */
const readable = 0.8;

export interface Zoom {
  scale: number;
  /** "whole": all of it in the frame; null: as wide as the frame. */
  to: (scale: number | "whole" | null) => void;
  larger: () => void;
  smaller: () => void;
  /** Which of the two it is, not a size of the person's own. */
  fits: "whole" | "width" | null;
}

function read_word(): number | "whole" | null {
  const word = address.value.query.get("zoom");
  if (word === "whole") return word;
  const percent = Number(word);
  return percent >= 20 && percent <= 200 ? percent / 100 : null;
}

/** How high the frame may grow inside its padding; less a pixel, for sizes are rounded. */
function room_below(frame: HTMLElement): number {
  const style = getComputedStyle(frame);
  return parseFloat(style.maxHeight) - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom) - 1;
}

/** `width` and `height` of the drawing at its full size, `room` of the frame. */
export function use_zoom(frame: RefObject<HTMLElement | null>, width: number, height: number, room: number): Zoom {
  const [wanted, set_wanted] = useState(read_word);
  useEffect(() => {
    const word = wanted === null ? null : wanted === "whole" ? wanted : String(Math.round(wanted * 100));
    if (word === address.value.query.get("zoom")) return undefined;
    const timer = setTimeout(() => set_query({ zoom: word }), 200); // a wheel turns many times a second
    return () => clearTimeout(timer);
  }, [wanted]);

  const wide = Math.min(1, room / Math.max(1, width));
  const high = frame.current === null ? 1 : room_below(frame.current) / Math.max(1, height);
  const scale = wanted === "whole" ? Math.max(steps[0]!, Math.min(wide, high)) : (wanted ?? Math.max(readable, wide));

  // What was in the middle of the frame, or under the pointer, stays where it is.
  const kept = useRef<{ x: number; y: number; left: number; top: number } | null>(null);
  const keep = (x: number, y: number) => {
    const at = frame.current;
    if (at !== null) kept.current = { x: (at.scrollLeft + x) / scale, y: (at.scrollTop + y) / scale, left: x, top: y };
  };
  useLayoutEffect(() => {
    if (frame.current === null || kept.current === null) return;
    const { x, y, left, top } = kept.current;
    frame.current.scrollTo(x * scale - left, y * scale - top);
    kept.current = null;
  }, [scale]);

  const to = (next: number | "whole" | null, at?: [number, number]) => {
    keep(...(at ?? [(frame.current?.clientWidth ?? 0) / 2, (frame.current?.clientHeight ?? 0) / 2]));
    set_wanted(typeof next === "number" ? Math.max(steps[0]!, Math.min(steps[steps.length - 1]!, next)) : next);
  };
  const latest = useRef({ to, scale });
  latest.current = { to, scale };
  useEffect(() => {
    const at = frame.current;
    if (at === null) return undefined;
    const wheel = (event: WheelEvent) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const box = at.getBoundingClientRect();
      latest.current.to(latest.current.scale * Math.exp(-event.deltaY / 400), [event.clientX - box.left, event.clientY - box.top]);
    };
    at.addEventListener("wheel", wheel, { passive: false });
    return () => at.removeEventListener("wheel", wheel);
  }, [frame.current]);
  return {
    scale,
    to,
    larger: () => to(steps.find((one) => one > scale + 0.01) ?? scale),
    smaller: () => to([...steps].reverse().find((one) => one < scale - 0.01) ?? scale),
    fits: wanted === "whole" ? "whole" : wanted === null ? "width" : null,
  };
}

/** Of the frame: what has the focus is in the drawing. */
export function zoom_by_key(event: KeyboardEvent, zoom: Zoom): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const act = { "+": zoom.larger, "=": zoom.larger, "-": zoom.smaller, "0": () => zoom.to(null), "1": () => zoom.to(1) }[event.key];
  if (act === undefined) return;
  event.preventDefault();
  act();
}

const still = 4; // pixels that a hand moves in a click

/** A mouse drags the drawing, by its nodes too; a finger scrolls it as any page. */
export function drag_to_pan(event: PointerEvent): void {
  const frame = event.currentTarget as HTMLElement;
  if (event.pointerType !== "mouse" || event.button !== 0) return;
  const from = { x: event.clientX, y: event.clientY, left: frame.scrollLeft, top: frame.scrollTop };
  let dragged = false;
  const move = (at: PointerEvent) => {
    const [x, y] = [at.clientX - from.x, at.clientY - from.y];
    if (!dragged && Math.hypot(x, y) > still) {
      dragged = true;
      frame.setPointerCapture(at.pointerId);
    }
    if (dragged) frame.scrollTo(from.left - x, from.top - y);
  };
  const end = () => {
    removeEventListener("pointermove", move);
    // The click that ends a drag opens no node.
    if (dragged) addEventListener("click", (click) => (click.preventDefault(), click.stopPropagation()), { capture: true, once: true, signal: AbortSignal.timeout(50) });
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", end, { once: true });
}

export function ZoomButtons({ zoom }: { zoom: Zoom }) {
  return (
    <div class="zoom" role="group" aria-label="Size of the drawing">
      <Button aria-label="Smaller" title="Smaller: -" onClick={zoom.smaller}>
        {"\u2212"}
      </Button>
      <output aria-label="Size">{Math.round(zoom.scale * 100)}%</output>
      <Button aria-label="Larger" title="Larger: +" onClick={zoom.larger}>
        +
      </Button>
      <Button aria-pressed={zoom.fits === "whole"} title="All of it in sight" onClick={() => zoom.to(zoom.fits === "whole" ? null : "whole")}>
        Whole
      </Button>
    </div>
  );
}
