// The frame: which of the page's states is shown, the navigation, and the screen of the address.

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect } from "preact/hooks";
import { connection, busy } from "./live";
import { install_keep_focus } from "./keep_focus";
import { Help, install_keys, palette_open, PaletteGate } from "./keys";
import { address, navigate, take_links } from "./navigate";
import { load_screen, loaded_screen, type ScreenModule, type ScreenRoute, screen_of, screens } from "./routes";
import { expected, lake, me, phase, sign_out } from "./session";
import { SignIn } from "./sign_in";
import { use_title } from "./title";
import { AsOf, Dialog, Empty, Menu, Toasts } from "./ui";

export function App() {
  switch (phase.value) {
    case "starting":
      return expected ? <Frame /> : <Starting />;
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
      return <Frame />;
  }
}

function Starting() {
  return (
    <div class="starting" role="status" aria-label="Loading">
      <Mark />
      <span>Tarn</span>
    </div>
  );
}

/** What somebody looks at on the way; the others stand behind More. */
const on_a_phone = new Set(["home", "catalog", "dashboards", "alerts"]);

/** Drawn while the server says who this is, too: without the screen, whose questions would be refused. */
function Frame() {
  useEffect(install_keys, []);
  useEffect(install_keep_focus, []);
  const narrow = useSignal(localStorage.getItem("tarn.nav") === "narrow");
  const drawer = useSignal(false);
  const fold = () => {
    narrow.value = !narrow.value;
    localStorage.setItem("tarn.nav", narrow.value ? "narrow" : "wide");
  };
  const current = screen_of(address.value.path);
  return (
    <div class={narrow.value ? "frame narrow" : "frame"} onClick={take_links}>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <nav class="side-nav" aria-label="Screens">
        <a class="brand" href="/" aria-label={`${lake.value || "Tarn"}: start`}>
          <Mark />
          <span class="lake">{lake.value || "Tarn"}</span>
        </a>
        <ul>
          {screens.map((screen) => (
            <li key={screen.name}>
              <ScreenLink screen={screen} current={screen === current} />
            </li>
          ))}
        </ul>
        <button type="button" class="quiet fold" aria-expanded={!narrow.value} onClick={fold} aria-label={narrow.value ? "Show the names of the screens" : "Show only the marks of the screens"}>
          <svg viewBox="0 0 24 24" class="icon" aria-hidden="true">
            <path d={narrow.value ? "M9 6l6 6-6 6" : "M15 6l-6 6 6 6"} />
          </svg>
        </button>
      </nav>
      <header class="bar">
        <a class="brand" href="/" aria-label={`${lake.value || "Tarn"}: start`}>
          <Mark />
        </a>
        <button type="button" class="ask" onClick={() => (palette_open.value = true)} aria-keyshortcuts="Control+K Meta+K">
          <svg viewBox="0 0 24 24" class="icon" aria-hidden="true">
            <path d="M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zm5 11.5L20 20" />
          </svg>
          <span>Find anything</span>
          <kbd>{/Mac|iPhone|iPad/.test(navigator.userAgent) ? "\u2318K" : "Ctrl K"}</kbd>
        </button>
        <Live />
        <div class="who" hidden={me.value === null}>
          <span class="user">{me.value?.user}</span>
          <button type="button" class="quiet" onClick={() => void sign_out()}>
            Sign out
          </button>
          <Menu
            label="Account and help"
            items={[
              { label: "Keys of the keyboard", run: () => (palette_open.value = "help") },
              { label: "Sign out everywhere", run: () => void sign_out(true) },
            ]}
          >
            <svg viewBox="0 0 24 24" class="icon" aria-hidden="true">
              <path d="M5 12h.01M12 12h.01M19 12h.01" class="dots" />
            </svg>
          </Menu>
        </div>
      </header>
      <AsOf lake={lake.value} />
      <main id="content" tabIndex={-1}>
        {phase.value !== "ready" ? <div class="page" role="status" aria-busy="true" aria-label="Loading" /> : current === null ? <NoSuchPage /> : <ScreenPlace key={current.name} screen={current} />}
      </main>
      <nav class="bottom-nav" aria-label="Screens, short">
        {screens.filter((screen) => on_a_phone.has(screen.name)).map((screen) => (
          <ScreenLink key={screen.name} screen={screen} current={screen === current} />
        ))}
        <button type="button" aria-haspopup="dialog" class={current !== null && !on_a_phone.has(current.name) ? "current" : ""} onClick={() => (drawer.value = true)}>
          <svg viewBox="0 0 24 24" class="icon" aria-hidden="true">
            <path d="M4 7h16M4 12h16M4 17h16" />
          </svg>
          <span>More</span>
        </button>
      </nav>
      {drawer.value && (
        <Dialog title="Screens" close={() => (drawer.value = false)}>
          <ul class="drawer" onClick={() => (drawer.value = false)}>
            {screens.map((screen) => (
              <li key={screen.name}>
                <ScreenLink screen={screen} current={screen === current} />
              </li>
            ))}
          </ul>
        </Dialog>
      )}
      <PaletteGate />
      <Help />
      <Toasts />
    </div>
  );
}

function ScreenLink({ screen, current }: { screen: ScreenRoute; current: boolean }) {
  return (
    <a href={screen.path} class="screen-link" aria-current={current ? "page" : undefined} title={screen.title} onPointerEnter={() => void load_screen(screen).catch(() => undefined)}>
      <svg viewBox="0 0 24 24" class="icon" aria-hidden="true">
        <path d={screen.icon} />
      </svg>
      <span>{screen.title}</span>
    </a>
  );
}

const kReloaded = "tarn.reloaded";

/** Loads the screen's chunk. Names of chunks change when the server's program does: then the page is loaded anew, once. */
function ScreenPlace({ screen }: { screen: ScreenRoute }) {
  const module = useSignal<ScreenModule | null>(loaded_screen(screen));
  const failed = useSignal(false);
  use_title(screen.title);
  useLayoutEffect(() => {
    if (module.value !== null) return;
    const load = () =>
      load_screen(screen).then(
        (found) => {
          sessionStorage.removeItem(kReloaded);
          module.value = found;
        },
        () => {
          if (sessionStorage.getItem(kReloaded) === null && connection.value !== "lost") {
            sessionStorage.setItem(kReloaded, "1");
            location.reload();
            return;
          }
          failed.value = true;
        },
      );
    void load();
  }, []);
  if (module.value !== null) {
    const Screen = module.value.Screen;
    return <Screen />;
  }
  if (!failed.value) return <div class="page" role="status" aria-busy="true" aria-label={`Loading ${screen.title}`} />;
  return (
    <Empty
      title="This screen did not load"
      action={
        <button type="button" class="primary" onClick={() => location.reload()}>
          Load the page again
        </button>
      }
    >
      The server may have been replaced by another version.
    </Empty>
  );
}

function NoSuchPage() {
  use_title("No such page");
  return (
    <div class="empty">
      <h1>There is no such page</h1>
      <p>The address may have been mistyped, or what it named is gone.</p>
      <button type="button" class="primary" onClick={() => navigate("/")}>
        Go to the start
      </button>
    </div>
  );
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

const connection_words = { connecting: "Connecting", live: "Live", asking: "Connected", lost: "Not connected" };
const connection_hints = {
  connecting: "The stream of changes is being opened",
  live: "The server tells this page when something changes",
  asking: "This page asks again every few seconds",
  lost: "The server cannot be reached; this page tries again by itself",
};

function Live() {
  return (
    <div class={`live ${connection.value}`} role="status" title={connection_hints[connection.value]}>
      <span class={`dot ${busy.value > 0 ? "busy" : ""}`} aria-hidden="true" />
      <span>{connection_words[connection.value]}</span>
    </div>
  );
}

