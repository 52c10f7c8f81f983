// A signed link that shows the dashboard in another site's page, with the maker's own grants, until it ends.

import { useState } from "preact/hooks";
import { ApiError } from "../../api";
import { do_ask } from "../../live";
import { me } from "../../session";
import { CodeBlock, Dialog, DialogFoot, Field, Time } from "../../ui";
import { route } from "./state";

interface Link {
  path: string;
  user: string;
  origins: string[];
  expires: string;
}

const lives: [number, string][] = [
  [3600, "an hour"],
  [24 * 3600, "a day"],
  [7 * 24 * 3600, "a week"],
  [30 * 24 * 3600, "30 days"],
];

export function Share({ name, close }: { name: string; close: () => void }) {
  const [life, set_life] = useState(24 * 3600);
  const [link, set_link] = useState<Link | null>(null);
  const [problem, set_problem] = useState("");
  const [user, set_user] = useState("");
  const is_root = me.value?.user === "root"; // a link of root would show everything: it names somebody
  const make = async () => {
    set_problem("");
    try {
      set_link(await do_ask<Link>("POST", `/api/v1/dashboards/${encodeURIComponent(name)}/embeds`, { ...(is_root ? { user } : {}), expires_in_s: life, filters: Object.fromEntries(route.value.filters) }));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      set_problem(error.message);
    }
  };
  const address = link === null ? "" : location.origin + link.path;
  return (
    <Dialog title="Embed" close={close} wide>
      <p>A link for another site&rsquo;s page. Whoever opens it sees this dashboard with {is_root ? "that user\u2019s" : "your"} grants, as they are then, and nothing else; the filters that are chosen now are fixed in it.</p>
      {is_root && <Field label="As user">{(ids) => <input {...ids} value={user} onInput={(event) => set_user(event.currentTarget.value)} />}</Field>}
      <Field label="It ends after">
        {(ids) => (
          <select {...ids} value={life} onChange={(event) => set_life(Number(event.currentTarget.value))}>
            {lives.map(([seconds, text]) => (
              <option key={seconds} value={seconds}>
                {text}
              </option>
            ))}
          </select>
        )}
      </Field>
      {link !== null && (
        <>
          <CodeBlock text={`<iframe src="${address}" title="${name}" width="100%" height="800"></iframe>`} label="For the page" />
          <p class="hint">
            As {link.user}, until <Time at={link.expires} exact />, in pages of {link.origins.join(", ")}. <a href={address} target="_blank" rel="noreferrer">Look at it</a>
          </p>
        </>
      )}
      <DialogFoot word="Make a link" out="Close" problem={problem} disabled={is_root && user.trim() === ""} run={() => void make()} close={close} />
    </Dialog>
  );
}
