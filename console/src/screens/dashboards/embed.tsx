// One dashboard in another site's page, opened by a signed link that ends by itself. The link's token stands behind '#', which
// browsers do not send; it is all that the page knows, and it opens nothing else.

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Dashboard } from "../../api";
import { milliseconds } from "../../format";
import { is_list_word } from "../../navigate";
import { ChartCards } from "./cards";
import "./style.css";

const every_ms = 10_000;

type Shown = { page: Dashboard } | { message: string } | null;

async function fetch_dashboard(name: string, token: string): Promise<Shown> {
  const filters = new URLSearchParams([...new URLSearchParams(location.search)].filter(([word]) => !is_list_word(word)));
  let response: Response;
  try {
    response = await fetch(`/api/v1/dashboards/${encodeURIComponent(name)}?${filters.toString()}`, { headers: { authorization: `Embed ${token}` }, credentials: "omit" });
  } catch {
    return { message: "The lake cannot be reached." };
  }
  const answer = (await response.json().catch(() => null)) as (Dashboard & { error?: { message?: string } }) | null;
  if (response.ok && answer) return { page: answer };
  return { message: response.status === 401 ? "This link has expired. Ask for a new one." : (answer?.error?.message ?? `The server answered ${response.status}.`) };
}

function Embedded({ name, token }: { name: string; token: string }) {
  const [shown, set_shown] = useState<Shown>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let gone = false;
    const look = async () => {
      const next = await fetch_dashboard(name, token);
      if (gone) return;
      set_shown(next);
      timer = setTimeout(() => void look(), every_ms);
    };
    void look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, []);
  if (shown === null) return <p class="frame-note" role="status" aria-label="Loading" />;
  if ("message" in shown)
    return (
      <main class="frame-note">
        <h1>Nothing to show</h1>
        <p role="alert">{shown.message}</p>
      </main>
    );
  return (
    <main class="page embedded">
      <div class="page-head">
        <h1>{shown.page.title}</h1>
        <span class="cost">{milliseconds(shown.page.milliseconds)}</span>
      </div>
      <ChartCards page={shown.page} />
    </main>
  );
}

export function start_embedded(): void {
  const name = decodeURIComponent(location.pathname.slice("/embed/".length));
  document.title = "Tarn";
  const place = document.getElementById("app")!;
  place.replaceChildren();
  render(<Embedded name={name} token={location.hash.slice(1)} />, place);
}
