// What the drawings share: a place whose width they know, and a legend whose words say what is under the pointer.

import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { words } from "../format";
import { use_width_of } from "../ui/width";
import { colour_of } from "./shape";

interface PlotProps {
  height: number;
  label: string;
  kind: string;
  draw: (width: number) => ComponentChildren;
  /** By the arrow keys. */
  move?: (by: number, far: boolean) => void;
  leave?: () => void;
  enter?: () => void;
  /** Where the pointer or a finger is; a drawing of many parts finds the one by its place. */
  point?: (x: number, y: number, width: number) => void;
  /** A click takes what the pointer is on. */
  pick?: boolean;
}

export function Plot(props: PlotProps) {
  const frame = useRef<HTMLDivElement>(null);
  const width = use_width_of(frame);
  const keys = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1, Home: -1e6, End: 1e6 }[event.key];
    if (event.key === "Escape") props.leave?.();
    if (event.key === "Enter") props.enter?.();
    if (by === undefined || !props.move) return;
    event.preventDefault();
    props.move(by, event.key === "ArrowUp" || event.key === "ArrowDown");
  };
  const point = (event: PointerEvent) => {
    const box = frame.current!.getBoundingClientRect();
    props.point?.(event.clientX - box.left, event.clientY - box.top, width);
  };
  const on = props.point && { onPointerMove: point, onPointerDown: point };
  return (
    <div class="plot" ref={frame} tabIndex={0} role="application" aria-roledescription={props.kind} aria-label={props.label} onKeyDown={keys} onPointerLeave={props.leave} onBlur={props.leave} {...on}>
      <svg width={width} height={props.height} viewBox={`0 0 ${width} ${props.height}`} aria-hidden="true" class={props.pick ? "pick" : ""} onClick={props.pick ? props.enter : undefined}>
        {width > 0 && props.draw(width)}
      </svg>
    </div>
  );
}

/** `choose`: a click on a series' name narrows the page to it. */
export function Legend({ names, at, choose }: { names: string[]; at: ComponentChildren | null; choose?: ((series: string) => void) | undefined }) {
  return (
    <figcaption class="legend">
      {at ??
        names.map((name, i) => (
          <span key={name} class="legend-item">
            <SeriesName name={name} choose={choose}>
              <svg viewBox="0 0 12 12" class={`swatch ${colour_of(i)}`} aria-hidden="true">
                <rect width="12" height="12" rx="3" />
              </svg>
            </SeriesName>
          </span>
        ))}
    </figcaption>
  );
}

/** Of a legend: the mark given and the name, which narrows the page where it can. */
export function SeriesName({ name, choose, children }: { name: string; choose?: ((series: string) => void) | undefined; children: ComponentChildren }) {
  const said = (
    <>
      {children}
      {words(name)}
    </>
  );
  if (!choose) return said;
  return (
    <button type="button" class="legend-pick" title={`Only ${words(name)}`} onClick={() => choose(name)}>
      {said}
    </button>
  );
}
