// Who sees the table, and how much of it.

import { use_live } from "../../live";
import { Answered, Card, Empty, Extent, extent_words, SightDetails, Table } from "../../ui";
import type { AccessAnswer, TableAnswer } from "./shapes";

export function AccessTab({ base, found }: { base: string; found: TableAnswer }) {
  const access = use_live<AccessAnswer>(`${base}/access`, { every_ms: 0 });
  return (
    <Card title="Who may see it">
      <Answered of={access} what="grants">
        {(answer) => (
          <Table
            label={`Who may see ${found.table}`}
            word="who"
            find="Filter people"
            rows={answer.users}
            row_key={(one) => one.user}
            empty={<Empty title="There is nobody but root." />}
            columns={[
              { name: "user", title: "Who", value: (one) => one.user, show: (one) => <a href={`/access/users/${encodeURIComponent(one.user)}`}>{one.user}</a> },
              { name: "roles", title: "Roles", value: (one) => one.roles.join(", ") || "\u2013", wide_from: 700 },
              { name: "extent", title: "Sees", value: (one) => extent_words[one.extent], show: (one) => <Extent extent={one.extent} /> },
              { name: "details", title: "But", unsorted: true, value: (one) => [...one.hidden, ...one.grants.map((grant) => grant.rows)].join(" "), show: (one) => <SightDetails sight={one} /> },
              { name: "may", title: "May change", value: (one) => may_words(one.may), wide_from: 900 },
            ]}
          />
        )}
      </Answered>
    </Card>
  );
}

function may_words(may: { insert: boolean; update: boolean; delete: boolean; alter: boolean } | undefined): string {
  if (!may) return "\u2013";
  return Object.entries(may).filter(([, yes]) => yes).map(([name]) => name).join(", ") || "\u2013";
}
