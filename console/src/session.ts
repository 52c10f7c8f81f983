// Who is signed in. A link's token stands behind '#', which browsers do not send, and leaves the address at once. Signing
// in is a state of the page and no address: whoever signs in again is where they were.

import { signal } from "@preact/signals";
import { ApiError, ask, type Me, on_unauthenticated, use_csrf_token } from "./api";

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

export async function start(): Promise<void> {
  try {
    if (link_token !== null) {
      try {
        await ask("POST", "/api/v1/session", { token: link_token });
        link_token = null;
      } catch (error) {
        if (!(error instanceof ApiError) || error.status === 0) throw error;
        link_token = null;
        // An old link in a browser that is signed in already does no harm.
        if (!(await load_me())) return signed_out("This link has been used or has expired. Sign in with an access key, or ask for a new link.");
        return void (await enter());
      }
    }
    if (!(await load_me())) return signed_out("");
    await enter();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    phase.value = "unreachable";
    setTimeout(() => void start(), 3000);
  }
}

async function load_me(): Promise<boolean> {
  try {
    me.value = await ask<Me>("GET", "/api/v1/me");
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return false;
    throw error;
  }
  use_csrf_token(me.value.csrf_token);
  return true;
}

async function enter(): Promise<void> {
  lake.value = (await ask<{ lake?: string }>("GET", "/api/v1/dashboards")).lake ?? "";
  phase.value = "ready";
}

function signed_out(note: string): void {
  sign_in_note.value = note;
  me.value = null;
  phase.value = "signed_out";
}

/** Any answer 401 of a page that is signed in comes here (api.ts). */
export function session_ended(): void {
  if (phase.value === "ready") signed_out("Your session has ended. Sign in again to go on.");
}
on_unauthenticated(session_ended);

/** Throws ApiError when the key is not right. */
export async function sign_in(user: string, password: string): Promise<void> {
  await ask("POST", "/api/v1/session", { user, password });
  sign_in_note.value = "";
  if (await load_me()) await enter();
}

export async function sign_out(everywhere = false): Promise<void> {
  try {
    await ask("DELETE", everywhere ? "/api/v1/session?everywhere" : "/api/v1/session");
  } catch {
    /* gone already, or it ends by itself */
  }
  signed_out(everywhere ? "You have signed out everywhere." : "You have signed out.");
}
