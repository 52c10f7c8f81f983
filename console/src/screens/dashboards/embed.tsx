// One dashboard in another site's page, opened by a signed link that ends by itself. The link's token stands behind '#', which
// browsers do not send; it is all that the page knows, and it opens nothing else.

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Dashboard } from "../../api";
import { milliseconds, words } from "../../format";
import { is_list_word } from "../../navigate";
import { AsOf } from "../../ui";
import { ChartCards } from "./cards";
import { Waiting } from "./waiting";
import "./style.css";

const every_ms = 10_000;
const again_ms = 3_000; // after a question that failed

interface Shown {
  page: Dashboard | null; // the last that came
  trouble: { ended: boolean; message: string } | null; // of the last question
}

async function fetch_dashboard(name: string, token: string): Promise<Shown> {
  const filters = new URLSearchParams([...new URLSearchParams(location.search)].filter(([word]) => !is_list_word(word)));
  const failed = (message: string, ended = false): Shown => ({ page: null, trouble: { ended, message } });
  let response: Response;
  try {
    response = await fetch(`/api/v1/dashboards/${encodeURIComponent(name)}?${filters.toString()}`, { headers: { authorization: `Embed ${token}` }, credentials: "omit" });
  } catch {
    return failed("The lake cannot be reached. This page tries again by itself.");
  }
  const answer = (await response.json().catch(() => null)) as (Dashboard & { error?: { message?: string } }) | null;
  if (response.ok && answer) return { page: answer, trouble: null };
  if (response.status === 401) return failed("This link has expired or was taken back. Ask for a new one.", true);
  return failed(answer?.error?.message ?? `The server answered ${response.status}.`);
}

function Embedded({ name, token }: { name: string; token: string }) {
  const [{ page, trouble }, set_shown] = useState<Shown>({ page: null, trouble: null });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let gone = false;
    const look = async () => {
      const next = await fetch_dashboard(name, token);
      if (gone) return;
      // What is shown stays while the server is away; with the link its figures end, too.
      set_shown((before) => (next.page === null && !next.trouble!.ended ? { page: before.page, trouble: next.trouble } : next));
      if (!next.trouble?.ended) timer = setTimeout(() => void look(), next.trouble ? again_ms : every_ms);
    };
    void look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, []);
  useEffect(() => {
    if (page !== null) document.title = page.title;
  }, [page?.title]);
  if (page === null && trouble === null) return <Waiting name="embedded" />;
  if (page === null)
    return (
      <main class="frame-note">
        <h1>Nothing to show</h1>
        <p role="alert">{trouble!.message}</p>
      </main>
    );
  const fixed = page.filters.filter((filter) => filter.selected.length > 0);
  return (
    <main class="page embedded">
      <AsOf lake="" />
      <div class="page-head">
        <h1>{page.title}</h1>
        {fixed.map((filter) => (
          <span key={filter.name} class="filter chosen">
            {words(filter.name)} <b>{filter.selected.join(", ")}</b>
          </span>
        ))}
        <span class="cost" title="Time the server took for the whole page">
          {milliseconds(page.milliseconds)}
        </span>
      </div>
      {trouble !== null && (
        <p class="banner" role="status">
          {trouble.message}
        </p>
      )}
      <ChartCards page={page} />
    </main>
  );
}

export function start_embedded(): void {
  const name = decodeURIComponent(location.pathname.slice("/embed/".length));
  document.title = "Tarn";
  const place = document.getElementById("app")!;
  place.replaceChildren();
  // A page that renews its link changes what stands behind '#' alone, which loads nothing anew.
  const show = () => render(<Embedded key={location.hash} name={name} token={location.hash.slice(1)} />, place);
  addEventListener("hashchange", show);
  show();
}
