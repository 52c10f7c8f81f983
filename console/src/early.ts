// A dashboard is asked for as soon as it is known who asks, while the screen's script is still on its way.

import { ask } from "./api";
import { is_list_word } from "./navigate";

const kept_ms = 10_000; // for a screen that does not come
const answers = new Map<string, Promise<unknown>>();

/** The question of a dashboard's address; null: it is none, or names no dashboard. */
function question_of(place: Location): string | null {
  const name = /^\/dashboards\/([a-z0-9_]+)\/?$/.exec(place.pathname)?.[1];
  if (name === undefined) return null;
  const query = new URLSearchParams([...new URLSearchParams(place.search)].filter(([word]) => !is_list_word(word))).toString();
  return `/api/v1/dashboards/${name}${query ? "?" + query : ""}`;
}

/** While the server is asked who this is, too: what is answered to nobody is asked again. */
export function ask_early(): void {
  const path = question_of(location);
  if (path === null || answers.has(path)) return;
  const answer = ask("GET", path);
  const forget = () => void (answers.get(path) === answer && answers.delete(path));
  answer.catch(forget); // asked anew, it is told where it is taken
  answers.set(path, answer);
  setTimeout(forget, kept_ms);
}

/** The answer that is on its way already, for the first who wants it; otherwise it is asked for now. */
export function early_or_ask<T>(path: string): Promise<T> {
  const answer = answers.get(path);
  answers.delete(path);
  return (answer as Promise<T> | undefined) ?? ask<T>("GET", path);
}
