// Roles: which tables, columns and rows they show, and what else they allow.

import { useState } from "preact/hooks";
import { path_of } from "../../api";
import { do_ask, use_live } from "../../live";
import { address, set_query } from "../../navigate";
import { Answered, Button, Card, Confirm, Dialog, DialogFoot, Empty, Field, Name, Table, toast } from "../../ui";
import type { Grant, Role, Roles, Statement } from "./shapes";

const template = `{
  "erp.sales": {"hide": ["margin"], "rows": "region = user.region"},
  "main.*": {}
}`;

interface Edit {
  name: string;
  grants: string;
  policies: string;
  known: boolean;
}

export function RolesTab() {
  const roles = use_live<Roles>("/api/v1/roles");
  const needle = address.value.query.get("roles.find") ?? "";
  const [edit, set_edit] = useState<Edit | null>(null);
  const [gone, set_gone] = useState<string | null>(null);
  return (
    <>
      <Card title="Roles" aside={<Button kind="primary" onClick={() => set_edit({ name: "", grants: template, policies: "{}", known: false })}>New role</Button>}>
        <p class="calm-note">A role that the lakefile declares is changed there: an apply puts it back as it is written.</p>
        <Answered of={roles} what="roles">
          {(found) =>
            Object.keys(found.roles).length === 0 ? (
              <Empty title="No role is declared yet.">A role says which tables, columns and rows its holders see.</Empty>
            ) : (
              <div class="roles">
                {Object.keys(found.roles).length > 5 && <input type="search" class="find" aria-label="Filter roles" placeholder="Filter roles" value={needle} onInput={(event) => set_query({ "roles.find": event.currentTarget.value })} />}
                {Object.entries(found.roles).filter(([name, role]) => `${name} ${JSON.stringify(role)}`.toLowerCase().includes(needle.trim().toLowerCase())).map(([name, role]) => (
                  <section key={name} class="role" aria-label={`Role ${name}`}>
                    <div class="role-head">
                      <h3>{name}</h3>
                      <Button kind="quiet" aria-label={`Edit the role ${name}`} onClick={() => set_edit({ name, grants: pretty(role.grants), policies: pretty(role.policies), known: true })}>
                        Edit
                      </Button>
                      <Button kind="quiet" aria-label={`Delete the role ${name}`} onClick={() => set_gone(name)}>
                        Delete
                      </Button>
                    </div>
                    <Table
                      label={`Grants of ${name}`}
                      word={`role.${name}`}
                      rows={Object.entries(role.grants)}
                      row_key={([table]) => table}
                      empty={<Empty title="It grants nothing." />}
                      columns={[
                        { name: "table", title: "Tables", value: ([table]) => table, show: ([table]) => (table === "*" ? "all tables" : <code><Name of={table} /></code>) },
                        { name: "columns", title: "Columns", value: ([, grant]) => column_words(grant) },
                        { name: "rows", title: "Rows", value: ([, grant]) => grant.rows ?? "", show: ([, grant]) => (grant.rows ? <code class="wrap">{grant.rows}</code> : "all") },
                        { name: "write", title: "May change", value: ([, grant]) => grant.write?.join(", ") || "nothing", wide_from: 700 },
                      ]}
                    />
                    <Further role={role} />
                  </section>
                ))}
              </div>
            )
          }
        </Answered>
      </Card>
      {edit && <EditRole start={edit} close={() => set_edit(null)} again={roles.again} />}
      {gone !== null && (
        <Confirm
          title={`Delete the role ${gone}?`}
          word="Delete it for good"
          danger
          close={() => set_gone(null)}
          run={async () => {
            await do_ask("DELETE", path_of("/api/v1/roles", gone));
            toast("The role is gone.");
            roles.again();
          }}
        >
          <p>Who holds it loses what only it shows, at once.</p>
        </Confirm>
      )}
    </>
  );
}

const pretty = (value: unknown): string => JSON.stringify(value, null, 2);
const as_list = <One,>(value: One | One[] | undefined): One[] => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

/** What a role allows beside tables: silencing alerts in words, the rest as its policy says it. */
function Further({ role }: { role: Role }) {
  const statements = Object.values(role.policies).flatMap((policy) => as_list(policy.Statement));
  if (statements.length === 0) return null;
  return (
    <ul class="plain-list further" aria-label="Further rights">
      {statements.map((statement, i) => (
        <li key={i}>
          <span>{right_of(statement)}</span>
        </li>
      ))}
    </ul>
  );
}

function right_of(statement: Statement) {
  const actions = as_list(statement.Action);
  const resources = as_list(statement.Resource);
  const alerts = resources.map((resource) => /:alert\/(.+)$/.exec(resource)?.[1]);
  if (statement.Effect === "Allow" && actions.every((action) => action === "tarn:SilenceAlert") && alerts.every((alert) => alert !== undefined))
    return (
      <>
        May silence{" "}
        {alerts.map((alert, i) => (
          <span key={alert}>
            {i > 0 && ", "}
            {alert.includes("*") ? <code>{alert}</code> : <a href={path_of("/alerts", alert)}>{alert}</a>}
          </span>
        ))}
      </>
    );
  return (
    <>
      {statement.Effect === "Allow" ? "May" : "May not"} <code class="wrap">{actions.join(", ")}</code> on <code class="wrap">{resources.join(", ")}</code>
    </>
  );
}

function column_words(grant: Grant): string {
  if (grant.read === false) return "none";
  const masks = Object.keys(grant.masks ?? {});
  const shown = grant.columns?.length ? `only ${grant.columns.join(", ")}` : grant.hide?.length ? `all but ${grant.hide.join(", ")}` : "all";
  return masks.length > 0 ? `${shown}; masked: ${masks.join(", ")}` : shown;
}

function EditRole({ start, close, again }: { start: Edit; close: () => void; again: () => void }) {
  const [name, set_name] = useState(start.name);
  const [grants, set_grants] = useState(start.grants);
  const [policies, set_policies] = useState(start.policies);
  const [problem, set_problem] = useState("");
  const save = async (event: Event) => {
    event.preventDefault();
    try {
      await do_ask("PUT", path_of("/api/v1/roles", name.trim()), { grants: JSON.parse(grants) as unknown, policies: JSON.parse(policies) as unknown });
      toast("Saved.");
      again();
      close();
    } catch (error) {
      set_problem(error instanceof SyntaxError ? `This is no JSON: ${error.message}` : (error as Error).message);
    }
  };
  return (
    <Dialog title={start.known ? `Role ${start.name}` : "New role"} close={close} wide>
      <form class="form" onSubmit={(event) => void save(event)}>
        {!start.known && <Field label="Name">{(ids) => <input {...ids} required maxLength={64} spellcheck={false} value={name} onInput={(event) => set_name(event.currentTarget.value)} />}</Field>}
        <Field label="Grants" hint={'By table, database ("erp.*") or "*": columns, hide, rows, masks, write.'}>
          {(ids) => <textarea {...ids} rows={10} spellcheck={false} value={grants} onInput={(event) => set_grants(event.currentTarget.value)} />}
        </Field>
        <Field label="Policies" hint="What is allowed beside tables: a name and an IAM document each." problem={problem}>
          {(ids) => <textarea {...ids} rows={5} spellcheck={false} value={policies} onInput={(event) => set_policies(event.currentTarget.value)} />}
        </Field>
        <DialogFoot word="Save" close={close} />
      </form>
    </Dialog>
  );
}
