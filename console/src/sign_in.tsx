// Signing in with an access key; links with a token come past this page (state.ts).

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ApiError } from "./api";
import { Mark } from "./app";
import { sign_in, sign_in_note } from "./session";

export function SignIn() {
  const error = useSignal("");
  const busy = useSignal(false);
  const user = useRef<HTMLInputElement>(null);
  const secret = useRef<HTMLInputElement>(null);
  useEffect(() => user.current?.focus(), []);

  const submit = async (event: Event) => {
    event.preventDefault();
    busy.value = true;
    error.value = "";
    try {
      await sign_in(user.current!.value.trim(), secret.current!.value);
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      error.value =
        problem.status === 401
          ? "That access key and secret do not belong together. Check both and try again."
          : problem.status === 429
            ? `${problem.message.charAt(0).toUpperCase()}${problem.message.slice(1)}.` // it says in how many seconds
            : problem.message;
      secret.current!.value = "";
      secret.current!.focus();
    } finally {
      busy.value = false;
    }
  };

  return (
    <main class="sign-in">
      <form onSubmit={submit} aria-labelledby="sign-in-title">
        <Mark />
        <h1 id="sign-in-title">Sign in to the lake</h1>
        {sign_in_note.value && (
          <p class="note" role="status">
            {sign_in_note.value}
          </p>
        )}
        <label>
          Access key or user
          <input ref={user} name="user" autocomplete="username" autocapitalize="none" spellcheck={false} required />
        </label>
        <label>
          Secret
          <input ref={secret} name="password" type="password" autocomplete="current-password" required />
        </label>
        <p class="problem" role="alert">
          {error.value}
        </p>
        <button type="submit" class="primary" disabled={busy.value}>
          {busy.value ? "Signing in\u2026" : "Sign in"}
        </button>
        <p class="hint">
          The same key pair opens every door of the lake: SQL, objects, messages, and this page. The first start leaves one in root.credentials, in the lake&rsquo;s data folder.
        </p>
      </form>
    </main>
  );
}
