// The address as a signal. Screens are drawn from it, lists keep their sorting and filters in it, and the browser's back
// button walks it.

import { signal } from "@preact/signals";

export interface Address {
  path: string;
  /** The path's segments, decoded: /catalog/erp/sales -> ["catalog", "erp", "sales"]. */
  segments: string[];
  query: URLSearchParams;
}

function read(): Address {
  const segments = location.pathname.split("/").filter(Boolean).map((segment) => {
    try {
      return decodeURIComponent(segment);
    } catch {
      return segment;
    }
  });
  return { path: location.pathname, segments, query: new URLSearchParams(location.search) };
}

export const address = signal<Address>(read());

addEventListener("popstate", () => (address.value = read()));

/** Goes to an address of the console: "/catalog/erp/sales?tab=files". */
export function navigate(to: string, how: { replace?: boolean } = {}): void {
  if (to === location.pathname + location.search) {
    address.value = read();
    return;
  }
  if (how.replace) history.replaceState(null, "", to);
  else {
    history.pushState(null, "", to);
    // Another page begins at its top; another filter of the same page stays where it is.
    if (new URL(to, location.href).pathname !== address.value.path) scrollTo(0, 0);
  }
  address.value = read();
}

/** A list's own word ("orders.sort", ui/table.tsx): it has a dot, and the names of columns that a dashboard is narrowed by have none. */
export const is_list_word = (word: string): boolean => word.includes(".");

/** The word in the address of the list with this title: "Runs empty first" -> "runs-empty-first". */
export const list_word = (title: string): string => title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 40);

/** Changes words of the query and keeps the others; null takes one away. Replaces the address unless `push`. */
export function set_query(words: Record<string, string | null>, push = false): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(words)) {
    if (value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  // What stands behind '#' stays: an embedded page's token is there.
  navigate(location.pathname + (text ? "?" + text : "") + location.hash, { replace: !push });
}

/** The console's own links open in place; with Ctrl, Shift or another button as the browser does it. */
export function take_links(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  // Of a page or of a drawing: the two are different elements.
  const link = (event.target as Element | null)?.closest?.("a[href]");
  if (!link || link.hasAttribute("target") || link.hasAttribute("download")) return;
  const href = link.getAttribute("href")!;
  const to = new URL(href, location.href);
  if (to.origin !== location.origin || to.pathname.startsWith("/api/") || href.startsWith("#")) return;
  event.preventDefault();
  navigate(to.pathname + to.search);
}
