// The frame: which of the page's states is shown, and the bar above it.

import { DashboardPage } from "./dashboard";
import { ago, exact_time } from "./format";
import { SignIn } from "./sign_in";
import { connection, dashboard, dashboards, go, lake, loading, me, now, phase, route, sign_out } from "./state";

export function App() {
  switch (phase.value) {
    case "starting":
      return <div class="frame-note" role="status" aria-label="Loading" />;
    case "unreachable":
      return (
        <main class="frame-note">
          <h1>The lake does not answer</h1>
          <p>The server may be starting. This page tries again by itself.</p>
        </main>
      );
    case "signed_out":
      return <SignIn />;
    case "ready":
      return (
        <>
          <a class="skip" href="#content">
            Skip to the dashboard
          </a>
          <Bar />
          <main id="content" tabIndex={-1}>
            <DashboardPage />
          </main>
        </>
      );
  }
}

export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M5 21.5 12.2 9l4.3 7 2.6-4L27 21.5z" />
      <path class="water" d="M5 24.5h22" />
    </svg>
  );
}

function Bar() {
  const list = dashboards.value;
  const name = route.value.name ?? list[0]?.name;
  return (
    <header class="bar">
      <div class="brand">
        <Mark />
        <span class="lake">{lake.value || "Tarn"}</span>
      </div>
      <nav aria-label="Dashboards">
        {list.map((one) => (
          <a
            key={one.name}
            href={`/dashboards/${encodeURIComponent(one.name)}`}
            aria-current={one.name === name ? "page" : undefined}
            onClick={(event) => {
              if (event.ctrlKey || event.metaKey || event.shiftKey) return;
              event.preventDefault();
              go(one.name);
            }}
          >
            {one.title}
          </a>
        ))}
      </nav>
      <Live />
      <div class="who">
        <span class="user">{me.value?.user}</span>
        <button type="button" class="quiet" onClick={() => void sign_out()}>
          Sign out
        </button>
      </div>
    </header>
  );
}

const connection_words = { connecting: "Connecting", live: "Live", asking: "Every 5 s", lost: "Not connected" };

function Live() {
  const at = dashboard.value ? Date.parse(dashboard.value.at) : null;
  return (
    <div class={`live ${connection.value}`} role="status" title={at === null ? "" : `As of ${exact_time(at)}`}>
      <span class={`dot ${loading.value ? "busy" : ""}`} aria-hidden="true" />
      <span>{connection_words[connection.value]}</span>
      {at !== null && connection.value !== "live" && <span class="since"> · as of {ago(at, now.value)}</span>}
    </div>
  );
}
