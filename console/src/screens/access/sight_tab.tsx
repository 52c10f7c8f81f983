// What can this person see: each table, down to columns and rows, as the server decides it for that person.

import { path_of } from "../../api";
import { use_live } from "../../live";
import { address, set_query } from "../../navigate";
import { Answered, Card, Empty, Extent, extent_words, Field, SightDetails, Table } from "../../ui";
import type { User, UserAccess } from "./shapes";

export function SightTab() {
  const users = use_live<{ users: User[] }>("/api/v1/users", { every_ms: 0 });
  const who = address.value.query.get("who") ?? "";
  return (
    <Card title="What can this person see?">
      <Answered of={users} what="users">
        {(found) => (
          <div class="form">
            <div class="narrow-field">
              <Field label="Person">
                {(ids) => (
                  <select {...ids} value={who} onChange={(event) => set_query({ who: event.currentTarget.value || null }, true)}>
                    <option value="">Choose&hellip;</option>
                    {found.users.map((user) => (
                      <option key={user.name} value={user.name}>
                        {user.name}
                      </option>
                    ))}
                  </select>
                )}
              </Field>
            </div>
            {who === "" ? <Empty title="Choose a person.">Every table is shown as that person sees it: its columns, and which of its rows.</Empty> : <SightOf key={who} user={who} />}
          </div>
        )}
      </Answered>
    </Card>
  );
}

export function SightOf({ user }: { user: string }) {
  const access = use_live<UserAccess>(`${path_of("/api/v1/users", user)}/access`, { every_ms: 0 });
  return (
    <Answered of={access} what="grants">
      {(found) => (
        <Table
          label={`What ${user} sees`}
          word="sees"
          find="Filter tables"
          start_sort="table"
          rows={found.tables}
          row_key={(one) => `${one.database}.${one.table}`}
          empty={<Empty title="There is no table yet." />}
          columns={[
            { name: "table", title: "Table", value: (one) => `${one.database}.${one.table}`, show: (one) => <a href={path_of("/catalog", one.database, one.table) + "?tab=access"}>{`${one.database}.${one.table}`}</a> },
            { name: "extent", title: "Sees", value: (one) => extent_words[one.extent], show: (one) => <Extent extent={one.extent} /> },
            { name: "columns", title: "Columns", value: (one) => one.columns.length, show: (one) => `${one.columns.length} of ${one.columns.length + one.hidden.length}`, right: true, wide_from: 600 },
            { name: "but", title: "But", unsorted: true, value: (one) => [...one.hidden, ...one.grants.map((grant) => grant.rows)].join(" "), show: (one) => <SightDetails sight={one} /> },
            { name: "may", title: "May change", wide_from: 900, value: (one) => Object.entries(one.may ?? {}).filter(([, yes]) => yes).map(([name]) => name).join(", ") || "\u2013" },
          ]}
        />
      )}
    </Answered>
  );
}
