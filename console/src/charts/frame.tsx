// What the drawings share: a place whose width they know, and a legend whose words say what is under the pointer.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { words } from "../format";
import { colour_of } from "./shape";

export function Plot(props: { height: number; label: string; kind: string; draw: (width: number) => ComponentChildren; move?: (by: number, far: boolean) => void; leave?: () => void; enter?: () => void }) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useSignal(640);
  useEffect(() => {
    const observer = new ResizeObserver((entries) => {
      const measured = Math.round(entries[0]!.contentRect.width);
      if (measured > 0) width.value = measured;
    });
    observer.observe(frame.current!);
    return () => observer.disconnect();
  }, []);
  const keys = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1, Home: -1e6, End: 1e6 }[event.key];
    if (event.key === "Escape") props.leave?.();
    if (event.key === "Enter") props.enter?.();
    if (by === undefined || !props.move) return;
    event.preventDefault();
    props.move(by, event.key === "ArrowUp" || event.key === "ArrowDown");
  };
  return (
    <div class="plot" ref={frame} tabIndex={0} role="application" aria-roledescription={props.kind} aria-label={props.label} onKeyDown={keys} onPointerLeave={props.leave} onBlur={props.leave}>
      <svg width={width.value} height={props.height} aria-hidden="true">
        {props.draw(width.value)}
      </svg>
    </div>
  );
}

export function Legend({ names, at }: { names: string[]; at: ComponentChildren | null }) {
  return (
    <figcaption class="legend">
      {at ??
        names.map((name, i) => (
          <span key={name} class="legend-item">
            <svg viewBox="0 0 12 12" class={`swatch ${colour_of(i)}`} aria-hidden="true">
              <rect width="12" height="12" rx="3" />
            </svg>
            {words(name)}
          </span>
        ))}
    </figcaption>
  );
}
