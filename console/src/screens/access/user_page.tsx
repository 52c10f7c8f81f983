// One user: keys, roles, policies, and what this person sees of each table.

import { useState } from "preact/hooks";
import { path_of } from "../../api";
import { do_ask, use_live } from "../../live";
import { navigate } from "../../navigate";
import { use_title } from "../../title";
import { Answered, Badge, Button, Card, CodeBlock, Confirm, copy_text, Dialog, DialogFoot, Empty, Failed, Field, KeyValue, Page, Table, Tag, Time, toast } from "../../ui";
import type { AccessKey, Roles, User } from "./shapes";
import { SightOf } from "./sight_tab";
import { RoleBoxes } from "./users_tab";

interface NewKey {
  access_key_id: string;
  secret_access_key: string;
}

export function UserPage({ name }: { name: string }) {
  use_title(name, "Access");
  const users = use_live<{ users: User[] }>("/api/v1/users");
  const user = users.data.value?.users.find((one) => one.name === name);
  const [deleting, set_deleting] = useState(false);
  return (
    <Page
      name="access"
      title={name}
      note={<a href="/access">All users</a>}
      aside={
        user &&
        name !== "root" && (
          <Button kind="danger" onClick={() => set_deleting(true)}>
            Delete
          </Button>
        )
      }
    >
      <Answered of={users} what="user">
        {() =>
          user === undefined ? (
            <Empty title="There is no such user." action={<a href="/access">All users</a>} />
          ) : (
            <>
              <div class="two">
                <Keys user={user} again={users.again} />
                <About user={user} again={users.again} />
              </div>
              <Policies user={user} again={users.again} />
              <Card title={`What ${name} sees`}>
                <SightOf user={name} />
              </Card>
            </>
          )
        }
      </Answered>
      {deleting && (
        <Confirm
          title={`Delete ${name}?`}
          word="Delete the user"
          danger
          close={() => set_deleting(false)}
          run={async () => {
            await do_ask("DELETE", path_of("/api/v1/users", name));
            toast(`${name} is gone.`);
            navigate("/access");
          }}
        >
          <p>The user's keys stop working and the user is signed out everywhere. What the user did stays in the audit trail.</p>
        </Confirm>
      )}
    </Page>
  );
}

function Keys({ user, again }: { user: User; again: () => void }) {
  const [made, set_made] = useState<NewKey | null>(null);
  const [gone, set_gone] = useState<AccessKey | null>(null);
  const make = async () => {
    try {
      set_made(await do_ask<NewKey>("POST", `${path_of("/api/v1/users", user.name)}/keys`));
      again();
    } catch (error) {
      toast((error as Error).message, "bad");
    }
  };
  const switch_key = async (key: AccessKey) => {
    try {
      await do_ask("PUT", path_of("/api/v1/keys", key.access_key_id), { active: !key.active });
      again();
    } catch (error) {
      toast((error as Error).message, "bad");
    }
  };
  return (
    <Card title="Access keys" aside={<Button onClick={() => void make()}>New key</Button>}>
      <Table
        label={`Access keys of ${user.name}`}
        word="keys"
        rows={user.keys}
        row_key={(key) => key.access_key_id}
        empty={<Empty title="No key yet: programs cannot sign in as this user, people by a sign-in link." />}
        columns={[
          { name: "id", title: "Key", value: (key) => key.access_key_id, show: (key) => <code>{key.access_key_id}</code> },
          { name: "state", title: "State", value: (key) => (key.active ? "active" : "off"), show: (key) => <Badge word={key.active ? "active" : "off"} /> },
          { name: "used", title: "Last used", hint: "Known to the hour", value: (key) => key.last_used, show: (key) => <Time at={key.last_used} absent="never" />, wide_from: 500 },
          { name: "created", title: "Created", value: (key) => key.created, show: (key) => <Time at={key.created} />, wide_from: 700 },
          {
            name: "do",
            title: "Do",
            unsorted: true,
            value: () => "",
            show: (key) => (
              <span class="row-actions">
                <Button kind="quiet" aria-label={`${key.active ? "Switch off" : "Switch on"} ${key.access_key_id}`} onClick={() => void switch_key(key)}>
                  {key.active ? "Switch off" : "Switch on"}
                </Button>
                <Button kind="quiet" aria-label={`Delete ${key.access_key_id}`} onClick={() => set_gone(key)}>
                  Delete
                </Button>
              </span>
            ),
          },
        ]}
      />
      {made && (
        <Dialog title="The new key" close={() => set_made(null)}>
          <p>
            The secret is shown this once. Nobody can read it again: copy it now, or make another key later.
          </p>
          <KeyValue
            rows={[
              ["Access key", <code>{made.access_key_id}</code>],
              ["Secret", <code class="secret">{made.secret_access_key}</code>],
            ]}
          />
          <div class="dialog-foot">
            <Button onClick={() => void copy_text(`export AWS_ACCESS_KEY_ID=${made.access_key_id} AWS_SECRET_ACCESS_KEY=${made.secret_access_key}`)}>Copy both</Button>
            <Button kind="primary" onClick={() => set_made(null)}>
              I have kept it
            </Button>
          </div>
        </Dialog>
      )}
      {gone && (
        <Confirm
          title="Delete the key?"
          word="Delete the key"
          danger
          close={() => set_gone(null)}
          run={async () => {
            await do_ask("DELETE", path_of("/api/v1/keys", gone.access_key_id));
            again();
          }}
        >
          <p>
            Programs that use <code>{gone.access_key_id}</code> are refused from now on.
          </p>
        </Confirm>
      )}
    </Card>
  );
}

function About({ user, again }: { user: User; again: () => void }) {
  const [roles, set_roles] = useState(false);
  const [link, set_link] = useState("");
  const invite = async () => {
    try {
      const { token } = await do_ask<{ token: string }>("POST", "/api/v1/sign-in-tokens", { user: user.name });
      set_link(`${location.origin}/#token=${token}`);
    } catch (error) {
      toast((error as Error).message, "bad");
    }
  };
  return (
    <Card title="About" aside={user.name !== "root" && <Button onClick={() => set_roles(true)}>Roles</Button>}>
      <KeyValue
        rows={[
          ["Roles", user.roles.length === 0 ? "none" : <span class="parts">{user.roles.map((role) => <Tag key={role}>{role}</Tag>)}</span>],
          ["Attributes", Object.keys(user.attributes).length === 0 ? "none" : Object.entries(user.attributes).map(([name, value]) => <div key={name}>{name} = {value}</div>)],
          ["Created", <Time at={user.created} />],
          ["ARN", <code>{user.arn}</code>],
        ]}
      />
      <p class="card-action">
        <Button onClick={() => void invite()}>Make a sign-in link</Button>
      </p>
      {link && (
        <Dialog title="Sign-in link" close={() => set_link("")}>
          <p>It signs in as {user.name}, once, and soon expires.</p>
          <CodeBlock text={link} label="Sign-in link" />
        </Dialog>
      )}
      {roles && <EditRoles user={user} close={() => set_roles(false)} again={again} />}
    </Card>
  );
}

function EditRoles({ user, close, again }: { user: User; close: () => void; again: () => void }) {
  const roles = use_live<Roles>("/api/v1/roles", { every_ms: 0 });
  const [held, set_held] = useState(user.roles);
  const [problem, set_problem] = useState("");
  const save = async () => {
    try {
      await do_ask("PUT", `${path_of("/api/v1/users", user.name)}/roles`, { roles: held });
      toast("Saved.");
      again();
      close();
    } catch (error) {
      set_problem((error as Error).message);
    }
  };
  return (
    <Dialog title={`Roles of ${user.name}`} close={close}>
      {roles.error.value && <Failed error={roles.error.value} what="roles" />}
      <RoleBoxes all={Object.keys(roles.data.value?.roles ?? {})} held={held} change={set_held} />
      <DialogFoot word="Save" problem={problem} run={() => void save()} close={close} />
    </Dialog>
  );
}

const new_policy = `{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}
  ]
}`;

function Policies({ user, again }: { user: User; again: () => void }) {
  const [edit, set_edit] = useState<{ name: string; text: string; known: boolean } | null>(null);
  const names = Object.keys(user.policies);
  return (
    <Card title="Policies" aside={user.name !== "root" && <Button onClick={() => set_edit({ name: "", text: new_policy, known: false })}>New policy</Button>}>
      {names.length === 0 ? (
        <p class="calm-note">{user.name === "root" ? "Root may do everything." : "None of its own: what this user may do comes from the roles."}</p>
      ) : (
        names.map((name) => (
          <details key={name} class="policy">
            <summary>{name}</summary>
            <CodeBlock text={JSON.stringify(user.policies[name], null, 2)} label={`Policy ${name}`} />
            <Button onClick={() => set_edit({ name, text: JSON.stringify(user.policies[name], null, 2), known: true })}>Edit</Button>
          </details>
        ))
      )}
      {edit && <EditPolicy user={user.name} start={edit} close={() => set_edit(null)} again={again} />}
    </Card>
  );
}

function EditPolicy({ user, start, close, again }: { user: string; start: { name: string; text: string; known: boolean }; close: () => void; again: () => void }) {
  const [name, set_name] = useState(start.name);
  const [text, set_text] = useState(start.text);
  const [problem, set_problem] = useState("");
  const save = async (event: Event) => {
    event.preventDefault();
    try {
      await do_ask("PUT", path_of("/api/v1/users", user, "policies", name.trim()), JSON.parse(text) as unknown);
      toast("Saved.");
      again();
      close();
    } catch (error) {
      set_problem(error instanceof SyntaxError ? `This is no JSON: ${error.message}` : (error as Error).message);
    }
  };
  return (
    <Dialog title={start.known ? `Policy ${start.name}` : "New policy"} close={close} wide>
      <form class="form" onSubmit={(event) => void save(event)}>
        {!start.known && (
          <Field label="Name">{(ids) => <input {...ids} required maxLength={64} spellcheck={false} value={name} onInput={(event) => set_name(event.currentTarget.value)} />}</Field>
        )}
        <Field label="Document (IAM)" problem={problem}>
          {(ids) => <textarea {...ids} rows={12} spellcheck={false} value={text} onInput={(event) => set_text(event.currentTarget.value)} />}
        </Field>
        <DialogFoot word="Save" close={close} />
      </form>
    </Dialog>
  );
}
