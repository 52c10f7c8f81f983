// How wide a part of the page is: drawings are made for it, so that their text keeps its size.
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

/** Of a page of paper between its margins, in CSS pixels: a drawing for a wide window would be too small to read there. */
const paper = 640;

/** Without padding, as an observer measures: another width would draw everything once more. */
function inner_width(element: HTMLElement): number {
  const style = getComputedStyle(element);
  return Math.max(0, Math.round(element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)));
}

/** 0 until the element is laid out, which is before anything is painted: nothing is drawn for a width that is a guess.
    The element may come later, and be another one later: a drawing that has no rows yet. */
export function use_width_of(element: RefObject<HTMLElement | null>): number {
  const [width, set_width] = useState(0);
  const seen = useRef<HTMLElement | null>(null);
  const printing = useRef(false);
  const observer = useMemo(
    () =>
      new ResizeObserver((entries) => {
        const measured = Math.round(entries[0]!.contentRect.width);
        // What was measured for the screen may be told only after the print has begun.
        if (measured > 0) set_width(printing.current ? Math.min(measured, paper) : measured);
      }),
    [],
  );
  useLayoutEffect(() => {
    if (width === 0 && element.current !== null) set_width(inner_width(element.current));
  });
  useEffect(() => {
    if (seen.current === element.current) return;
    seen.current = element.current;
    observer.disconnect();
    if (seen.current !== null) observer.observe(seen.current);
  });
  useEffect(() => {
    const print = () => {
      printing.current = true;
      set_width((now) => Math.min(now, paper));
    };
    const printed = () => {
      printing.current = false;
      if (element.current !== null) set_width(inner_width(element.current));
    };
    addEventListener("beforeprint", print);
    addEventListener("afterprint", printed);
    return () => {
      observer.disconnect();
      removeEventListener("beforeprint", print);
      removeEventListener("afterprint", printed);
    };
  }, []);
  return width;
}
