// What is below the window's edge is drawn after what is seen has been painted, a little at a time: nobody waits for it, and the
// page answers in between.
import { useEffect, useState } from "preact/hooks";

const at_once = 2;
const waiting = new Set<() => void>();

function next(): void {
  for (const draw of [...waiting].slice(0, at_once)) {
    waiting.delete(draw);
    draw();
  }
  if (waiting.size > 0) setTimeout(next);
}

/** Whether a part of the page may be drawn; false only with `later`, and until those before it are there. */
export function use_turn(later: boolean): boolean {
  const [turn, set_turn] = useState(!later);
  useEffect(() => {
    if (turn) return undefined;
    const draw = () => set_turn(true);
    if (waiting.size === 0) setTimeout(next);
    waiting.add(draw);
    return () => void waiting.delete(draw);
  }, []);
  return turn;
}

const slice = 24;

/** How many of a long row of equal parts are drawn by now: some more each time that the page has answered in between. */
export function use_slices(all: number): number {
  const [drawn, set_drawn] = useState(0);
  useEffect(() => {
    if (drawn >= all) return undefined;
    const timer = setTimeout(() => set_drawn(drawn + slice));
    return () => clearTimeout(timer);
  }, [drawn, all]);
  return drawn;
}
