// Links that show a dashboard in another site's page: each can be taken back before it ends.

import { useState } from "preact/hooks";
import { path_of } from "../../api";
import { do_ask, use_live } from "../../live";
import { Answered, Button, Card, Confirm, Empty, Table, Time, toast } from "../../ui";

interface Link {
  id: string;
  dashboard: string;
  user: string;
  by: string;
  filters: Record<string, string[]>;
  made: string;
  expires: string;
}

const filter_words = (link: Link): string =>
  Object.entries(link.filters)
    .map(([column, values]) => `${column}: ${values.join(", ")}`)
    .join("; ");

export function LinksTab() {
  const links = use_live<{ embeds: Link[] }>("/api/v1/embeds");
  const [gone, set_gone] = useState<Link | null>(null);
  return (
    <Card title="Links that embed a dashboard">
      <p class="calm-note">Made by Share on a dashboard. Whoever has one sees that dashboard with its user&rsquo;s grants until it ends or is taken back here.</p>
      <Answered of={links} what="links">
        {(found) => (
          <Table
            label="Links that embed a dashboard"
            word="links"
            find="Find a link"
            start_sort="-made"
            rows={found.embeds}
            row_key={(link) => link.id}
            empty={<Empty title="No link is open.">A dashboard whose lakefile lists origins under embed: can be shared.</Empty>}
            columns={[
              { name: "dashboard", title: "Dashboard", value: (link) => link.dashboard, show: (link) => <a href={`/dashboards/${encodeURIComponent(link.dashboard)}`}>{link.dashboard}</a> },
              { name: "user", title: "As user", hint: "Shows what this user sees", value: (link) => link.user, show: (link) => <a href={`/access/users/${encodeURIComponent(link.user)}`}>{link.user}</a> },
              { name: "filters", title: "Fixed filters", value: filter_words, show: (link) => filter_words(link) || "none", wide_from: 900 },
              { name: "by", title: "Made by", value: (link) => link.by, wide_from: 700 },
              { name: "made", title: "Made", value: (link) => link.made, show: (link) => <Time at={link.made} />, wide_from: 700 },
              { name: "expires", title: "Ends", value: (link) => link.expires, show: (link) => <Time at={link.expires} /> },
              { name: "id", title: "Link", value: (link) => link.id, show: (link) => <code>{link.id}</code>, wide_from: 1200 },
              {
                name: "revoke",
                title: "Take back",
                unsorted: true,
                value: () => null,
                show: (link) => (
                  <Button kind="quiet" aria-label={`Take back the link ${link.id}`} onClick={() => set_gone(link)}>
                    Take back
                  </Button>
                ),
              },
            ]}
          />
        )}
      </Answered>
      {gone !== null && (
        <Confirm
          title="Take the link back?"
          word="Take it back"
          danger
          close={() => set_gone(null)}
          run={async () => {
            await do_ask("DELETE", path_of("/api/v1/embeds", gone.id));
            toast("The link opens nothing any more.");
            links.again();
          }}
        >
          <p>
            Pages that show {gone.dashboard} by it stop at their next look. Other links stay.
          </p>
        </Confirm>
      )}
    </Card>
  );
}
