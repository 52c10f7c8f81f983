import { useState } from "preact/hooks";
import { path_of } from "../../api";
import { do_ask, use_live } from "../../live";
import { navigate } from "../../navigate";
import { Answered, Button, Card, Dialog, DialogFoot, Empty, Field, Table, Tag, Time, toast } from "../../ui";
import type { Roles, User } from "./shapes";

export const words_in = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

/** "region = north", a line each. */
export function attributes_in(text: string): Record<string, string> {
  const out: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const at = line.indexOf("=");
    if (at > 0) out[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return out;
}

const last_used = (user: User): string | null => user.keys.reduce<string | null>((best, key) => (key.last_used !== null && (best === null || key.last_used > best) ? key.last_used : best), null);

export function UsersTab() {
  const users = use_live<{ users: User[] }>("/api/v1/users");
  const [making, set_making] = useState(false);
  return (
    <Card title="Users">
      <Answered of={users} what="users">
        {(found) => (
          <Table
            label="Users"
            find="Filter users"
            rows={found.users}
            row_key={(user) => user.name}
            empty={<Empty title="There is nobody but root." />}
            aside={
              <Button kind="primary" onClick={() => set_making(true)}>
                New user
              </Button>
            }
            columns={[
              { name: "name", title: "Name", value: (user) => user.name, show: (user) => <a href={path_of("/access/users", user.name)}>{user.name}</a> },
              {
                name: "roles",
                title: "Roles",
                value: (user) => user.roles.join(" "),
                show: (user) => (user.roles.length === 0 ? <span class="absent-value">&ndash;</span> : <span class="parts">{user.roles.map((role) => <Tag key={role}>{role}</Tag>)}</span>),
              },
              { name: "attributes", title: "Attributes", value: (user) => Object.entries(user.attributes).map(([name, value]) => `${name}=${value}`).join(", "), wide_from: 900 },
              { name: "policies", title: "Policies", value: (user) => Object.keys(user.policies).length, right: true, wide_from: 900 },
              { name: "keys", title: "Keys", value: (user) => user.keys.filter((key) => key.active).length, right: true },
              { name: "used", title: "Last used", hint: "Known to the hour", value: last_used, show: (user) => <Time at={last_used(user)} absent="never" /> },
              { name: "created", title: "Created", value: (user) => user.created, show: (user) => <Time at={user.created} />, wide_from: 900 },
            ]}
          />
        )}
      </Answered>
      {making && <NewUser close={() => set_making(false)} />}
    </Card>
  );
}

function NewUser({ close }: { close: () => void }) {
  const roles = use_live<Roles>("/api/v1/roles", { every_ms: 0 });
  const [name, set_name] = useState("");
  const [held, set_held] = useState<string[]>([]);
  const [attributes, set_attributes] = useState("");
  const [problem, set_problem] = useState("");
  const save = async (event: Event) => {
    event.preventDefault();
    try {
      await do_ask("POST", "/api/v1/users", { name: name.trim(), roles: held, attributes: attributes_in(attributes) });
      toast(`${name.trim()} is there. Make a key to sign in with.`);
      close();
      navigate(path_of("/access/users", name.trim()));
    } catch (error) {
      set_problem((error as Error).message);
    }
  };
  return (
    <Dialog title="New user" close={close}>
      <form class="form" onSubmit={(event) => void save(event)}>
        <Field label="Name" problem={problem}>
          {(ids) => <input {...ids} required maxLength={64} autocapitalize="none" spellcheck={false} value={name} onInput={(event) => set_name(event.currentTarget.value)} />}
        </Field>
        <RoleBoxes all={Object.keys(roles.data.value?.roles ?? {})} held={held} change={set_held} />
        <Field label="Attributes" hint="One a line: region = north. Row filters of roles read them as user.region.">
          {(ids) => <textarea {...ids} class="low" rows={2} value={attributes} onInput={(event) => set_attributes(event.currentTarget.value)} />}
        </Field>
        <DialogFoot word="Make the user" close={close} />
      </form>
    </Dialog>
  );
}

export function RoleBoxes({ all, held, change }: { all: string[]; held: string[]; change: (held: string[]) => void }) {
  const names = [...new Set([...all, ...held])].sort();
  return (
    <fieldset class="boxes">
      <legend>Roles</legend>
      {names.length === 0 && <span class="measure">No role is declared yet.</span>}
      {names.map((role) => (
        <label key={role} class="check">
          <input type="checkbox" checked={held.includes(role)} onChange={(event) => change(event.currentTarget.checked ? [...held, role] : held.filter((one) => one !== role))} />
          {role}
        </label>
      ))}
    </fieldset>
  );
}
