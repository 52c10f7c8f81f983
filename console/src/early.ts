// What a dashboard or the start shows is asked for while its screen's script is still on its way.

import { ask } from "./api";
import { is_list_word } from "./navigate";

const kept_ms = 10_000; // for a screen that does not come
const answers = new Map<string, Promise<unknown>>();
let asked_at = ""; // whose questions they are: another screen asks by itself

const of_home = ["/catalog", "/runs?limit=1000", "/alerts", "/growth?hours=24", "/usage?hours=24", "/sources"].map((path) => `/api/v1${path}`);

/** The questions of an address, as its screen will ask them. */
function questions_of(place: Location): string[] {
  if (place.pathname === "/") return of_home;
  const name = /^\/dashboards\/([a-z0-9_]+)\/?$/.exec(place.pathname)?.[1];
  if (name === undefined) return [];
  const query = new URLSearchParams([...new URLSearchParams(place.search)].filter(([word]) => !is_list_word(word))).toString();
  return [`/api/v1/dashboards/${name}${query ? "?" + query : ""}`];
}

/** While the server is asked who this is, too: what is answered to nobody is asked again. */
export function ask_early(): void {
  asked_at = location.pathname;
  for (const path of questions_of(location)) {
    if (answers.has(path)) continue;
    const answer = ask("GET", path);
    const forget = () => void (answers.get(path) === answer && answers.delete(path));
    answer.catch(forget); // asked anew, it is told where it is taken
    answers.set(path, answer);
    setTimeout(forget, kept_ms);
  }
}

/** Whoever signs in next is told nothing of what was answered to another. */
export const forget_early = (): void => answers.clear();

/** The answer that is on its way already, for the first who wants it; otherwise it is asked for now. */
export function early_or_ask<T>(path: string): Promise<T> {
  if (location.pathname !== asked_at) answers.clear();
  const answer = answers.get(path);
  answers.delete(path);
  return (answer as Promise<T> | undefined) ?? ask<T>("GET", path);
}
