// The document's title: "sales · Catalog · kiosk". The innermost part that set words wins.

import { effect, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { lake } from "./session";

export const title_words = signal<string[]>([]);

effect(() => {
  document.title = [...title_words.value, lake.value || "Tarn"].join(" \u00b7 ");
});

/** Titles the document while the component is there: use_title("sales", "Catalog"). */
export function use_title(...words: string[]): void {
  const key = words.join("\n");
  useEffect(() => {
    const before = title_words.peek();
    title_words.value = words;
    return () => {
      if (title_words.peek() === words) title_words.value = before;
    };
  }, [key]);
}
