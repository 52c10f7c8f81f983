// How wide a part of the page is: drawings are made for it, so that their text keeps its size.
import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

export function use_width_of(element: RefObject<HTMLElement | null>, start: number): number {
  const [width, set_width] = useState(start);
  useEffect(() => {
    const observer = new ResizeObserver((entries) => {
      const measured = Math.round(entries[0]!.contentRect.width);
      if (measured > 0) set_width(measured);
    });
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, []);
  return width;
}
