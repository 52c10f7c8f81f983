// Who is signed in. A link's token stands behind '#', which browsers do not send, and leaves the address at once. Signing
// in is a state of the page and no address: whoever signs in again is where they were.

import { signal } from "@preact/signals";
import { ApiError, ask, type Me, on_unauthenticated, use_csrf_token } from "./api";
import { ask_early, forget_early } from "./early";

export type Phase = "starting" | "signed_out" | "ready" | "unreachable";

export const phase = signal<Phase>("starting");
export const sign_in_note = signal("");
export const me = signal<Me | null>(null);
/** The lake's name, of the lakefile; empty before one is applied. */
export const lake = signal("");

function take_token(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? new URLSearchParams(location.search).get("token");
  if (token === null) return null;
  const query = new URLSearchParams(location.search);
  query.delete("token");
  const rest = query.toString();
  history.replaceState(null, "", (location.pathname === "/sign-in" ? "/" : location.pathname) + (rest ? "?" + rest : ""));
  return token;
}

let link_token = take_token(); // kept until the server has answered

const kEntered = "tarn.entered";
/** Whether this browser will most likely be let in: then the frame is drawn while the server says who it is. */
export const expected = link_token !== null || localStorage.getItem(kEntered) !== null;

export async function start(): Promise<void> {
  if (expected && link_token === null) ask_early();
  try {
    if (link_token !== null) {
      try {
        const who = await ask<Me>("POST", "/api/v1/session", { token: link_token });
        link_token = null;
        return enter(who);
      } catch (error) {
        if (!(error instanceof ApiError) || error.status === 0) throw error;
        link_token = null;
        // An old link in a browser that is signed in already does no harm.
        return enter(await find_me(), "This link has been used or has expired. Sign in with an access key, or ask for a new link.");
      }
    }
    enter(await find_me());
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    phase.value = "unreachable";
    setTimeout(() => void start(), 3000);
  }
}

/** Who the browser's session belongs to; null: it has none. */
async function find_me(): Promise<Me | null> {
  try {
    return await ask<Me>("GET", "/api/v1/me");
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

function enter(who: Me | null, otherwise = ""): void {
  if (who === null) return signed_out(otherwise);
  use_csrf_token(who.csrf_token);
  me.value = who;
  lake.value = who.lake;
  localStorage.setItem(kEntered, "1");
  ask_early();
  phase.value = "ready";
}

function signed_out(note: string): void {
  forget_early();
  sign_in_note.value = note;
  me.value = null;
  localStorage.removeItem(kEntered);
  phase.value = "signed_out";
}

/** Any answer 401 of a page that is signed in comes here (api.ts). */
export function session_ended(): void {
  if (phase.value === "ready") signed_out("Your session has ended. Sign in again to go on.");
}
on_unauthenticated(session_ended);

/** Throws ApiError when the key is not right. */
export async function sign_in(user: string, password: string): Promise<void> {
  const who = await ask<Me>("POST", "/api/v1/session", { user, password });
  sign_in_note.value = "";
  enter(who);
}

export async function sign_out(everywhere = false): Promise<void> {
  try {
    await ask("DELETE", everywhere ? "/api/v1/session?everywhere" : "/api/v1/session");
  } catch {
    /* gone already, or it ends by itself */
  }
  signed_out(everywhere ? "You have signed out everywhere." : "You have signed out.");
}
