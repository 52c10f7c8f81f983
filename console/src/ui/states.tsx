// The states that are no content: nothing there, on its way, broken, not for you. Each says what to do.

import type { ComponentChildren } from "preact";
import type { ApiError } from "../api";
import { Button } from "./basic";

export function Empty({ title, children, action }: { title: string; children?: ComponentChildren; action?: ComponentChildren }) {
  return (
    <div class="note-state" role="status">
      <strong>{title}</strong>
      {children && <div>{children}</div>}
      {action}
    </div>
  );
}

/** Grey bars in the place of what comes. */
export function Loading({ what, lines = 3 }: { what: string; lines?: number }) {
  return (
    <div class="loading" role="status" aria-busy="true" aria-label={`Loading ${what}`}>
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} class={`ghost line-${i % 3}`} />
      ))}
    </div>
  );
}

/** What an ApiError means to a person; a refusal is no failure. */
export function Failed({ error, what, again }: { error: ApiError; what: string; again?: () => void }) {
  if (error.status === 403) return <NoPermission what={what} message={error.message} />;
  const title =
    error.status === 404 ? `There is no such ${what}` : error.status === 0 ? "The server cannot be reached" : error.status === 501 ? "Not part of this server" : `The ${what} did not load`;
  return (
    <div class="trouble failed" role="alert">
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M12 4 3 20h18zm0 6v5m0 2v1" />
      </svg>
      <div>
        <strong>{title}</strong>
        <p>{error.status === 0 ? "This page tries again by itself." : error.message}</p>
        {again && error.status !== 404 && <Button onClick={again}>Try again</Button>}
      </div>
    </div>
  );
}

export function NoPermission({ what, message }: { what: string; message?: string }) {
  return (
    <div class="trouble hidden-from" role="status">
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M7 11V8a5 5 0 0 1 10 0v3m-11 0h12v9H6z" />
      </svg>
      <div>
        <strong>Not visible to you</strong>
        <p>You have no right to see the {what}. Ask who administers the lake.</p>
        {message && !message.includes("arn:") && <p class="why">{message}</p>}
        {message?.includes("arn:") && (
          <details class="why">
            <summary>Which right</summary>
            <p>{message}</p>
          </details>
        )}
      </div>
    </div>
  );
}

/** The usual three around an answer (live.ts): loading, failed, there. What is there stays while it is asked again. */
export function Answered<T>(props: {
  of: { data: { value: T | null }; error: { value: ApiError | null }; again: () => void };
  what: string;
  lines?: number;
  children: (data: T) => ComponentChildren;
}) {
  const data = props.of.data.value;
  const error = props.of.error.value;
  if (data !== null)
    return (
      <>
        {error !== null && (
          <p class={error.status === 0 ? "banner lost" : "banner"} role="status">
            {error.status === 0 ? "The server cannot be reached. This is what was known last." : error.message}
          </p>
        )}
        {props.children(data)}
      </>
    );
  if (error !== null) return <Failed error={error} what={props.what} again={props.of.again} />;
  return <Loading what={props.what} {...(props.lines === undefined ? {} : { lines: props.lines })} />;
}
