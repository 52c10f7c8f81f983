// One table: what it is, what stands in it, where it comes from, who sees it.

import { useState } from "preact/hooks";
import { path_of } from "../../api";
import { duration } from "../../format";
import { do_ask, use_live } from "../../live";
import { address, set_query } from "../../navigate";
import { use_title } from "../../title";
import { Answered, Badge, Button, Bytes, Card, CodeBlock, Count, Dialog, DialogFoot, Empty, Field, KeyValue, Page, Table, Tabs, Tag, Time, toast } from "../../ui";
import { AccessTab } from "./access_tab";
import { FilesTab } from "./files_tab";
import { HistoryTab } from "./history_tab";
import { LineageTab } from "./lineage_tab";
import { MakerLink } from "./maker";
import { ProfileTab } from "./profile_tab";
import { SampleTab } from "./sample_tab";
import type { SnapshotLine, TableAnswer } from "./shapes";
import { SnippetsTab } from "./snippets_tab";

export function TablePage({ database, table }: { database: string; table: string }) {
  const base = path_of("/api/v1/catalog", database, table);
  const answer = use_live<TableAnswer>(base, { tables: [`${database}.${table}`] });
  use_title(`${database}.${table}`, "Catalog");
  return (
    <Page
      name="table-page"
      title={
        <>
          <a class="zone" href={path_of("/catalog", database)}>
            {database}
          </a>
          <span class="dot-between">.</span>
          {table}
        </>
      }
      aside={
        (answer.error.value === null || answer.data.value !== null) && <a class="button" href={`/workbench?sql=${encodeURIComponent(`select * from ${database}.${table} limit 100`)}`}>
          Query
        </a>
      }
    >
      <Answered of={answer} what="table">
        {(found) => <Parts base={base} found={found} again={answer.again} />}
      </Answered>
    </Page>
  );
}

function Parts({ base, found, again }: { base: string; found: TableAnswer; again: () => void }) {
  const snapshot = address.value.query.get("snapshot");
  const tabs = [
    { name: "columns", title: "Columns", count: found.columns.length, show: () => <Columns base={base} found={found} again={again} /> },
    { name: "sample", title: "Sample", show: () => <SampleTab base={base} found={found} snapshot={snapshot} /> },
    { name: "profile", title: "Profile", show: () => <ProfileTab base={base} snapshot={snapshot} /> },
    ...(found.kind === "table"
      ? [
          { name: "history", title: "History", count: found.snapshots, show: () => <HistoryTab base={base} found={found} /> },
          { name: "files", title: "Files", count: found.files ?? undefined, show: () => <FilesTab base={base} found={found} /> },
        ]
      : []),
    { name: "lineage", title: "Lineage", show: () => <LineageTab base={base} found={found} /> },
    { name: "access", title: "Who sees it", show: () => <AccessTab base={base} found={found} /> },
    { name: "use", title: "Read it", show: () => <SnippetsTab found={found} /> },
  ];
  return (
    <>
      <Description base={base} found={found} again={again} />
      {snapshot !== null && (
        <Travel base={base} snapshot={snapshot} />
      )}
      <Tabs label={`Parts of ${found.table}`} tabs={tabs} />
    </>
  );
}

/** Says when that was: a snapshot's number tells nobody. */
function Travel({ base, snapshot }: { base: string; snapshot: string }) {
  const history = use_live<{ snapshots: SnapshotLine[] }>(`${base}/snapshots?limit=500`, { every_ms: 0 });
  const then = history.data.value?.snapshots.find((one) => one.id === snapshot);
  return (
    <p class="banner travel" role="status">
      <span>
        Sample and profile are of the table as it was {then ? <Time at={then.at} exact /> : "then"}, snapshot {snapshot}; the rest is of now.
      </span>
      <Button onClick={() => set_query({ snapshot: null }, true)}>Back to now</Button>
    </p>
  );
}

interface Edit {
  column: string | null; // null: the table itself
  text: string;
}

function Description({ base, found, again }: { base: string; found: TableAnswer; again: () => void }) {
  const [edit, set_edit] = useState<Edit | null>(null);
  const [tags, set_tags] = useState<string | null>(null);
  return (
    <div class="description">
      <p>{found.description || <span class="measure">No description yet.</span>}</p>
      <div class="tags">
        {found.kind === "view" && <Tag>view</Tag>}
        {found.tags.map((tag) => (
          <Tag key={tag}>{tag}</Tag>
        ))}
        {!found.whole && <Badge word="in part" tone="mute" title="A grant shows you some of its columns or rows" />}
        {found.may.alter && (
          <>
            <Button kind="quiet" onClick={() => set_edit({ column: null, text: found.description })}>
              {found.description ? "Edit the description" : "Describe it"}
            </Button>
            {found.kind === "table" && (
              <Button kind="quiet" onClick={() => set_tags(found.tags.join(", "))}>
                Tags
              </Button>
            )}
          </>
        )}
      </div>
      {edit && <Editor base={base} title={`Describe ${found.table}`} edit={edit} close={() => set_edit(null)} done={again} />}
      {tags !== null && <TagEditor base={base} start={tags} close={() => set_tags(null)} done={again} />}
    </div>
  );
}

function Editor({ base, title, edit, close, done }: { base: string; title: string; edit: Edit; close: () => void; done: () => void }) {
  const [text, set_text] = useState(edit.text);
  const [problem, set_problem] = useState("");
  const save = async (event: Event) => {
    event.preventDefault();
    try {
      await do_ask("PUT", `${base}/description`, edit.column === null ? { description: text } : { description: text, column: edit.column });
      toast("Saved.");
      done();
      close();
    } catch (error) {
      set_problem((error as Error).message);
    }
  };
  return (
    <Dialog title={title} close={close}>
      <form class="form" onSubmit={(event) => void save(event)}>
        <Field label="Description" problem={problem} hint="What it holds, in which unit, and where it comes from.">
          {(ids) => <textarea {...ids} class="prose" rows={5} maxLength={8000} value={text} onInput={(event) => set_text(event.currentTarget.value)} />}
        </Field>
        <DialogFoot word="Save" close={close} />
      </form>
    </Dialog>
  );
}

function TagEditor({ base, start, close, done }: { base: string; start: string; close: () => void; done: () => void }) {
  const [text, set_text] = useState(start);
  const [problem, set_problem] = useState("");
  const save = async (event: Event) => {
    event.preventDefault();
    try {
      const tags = [...new Set(text.split(",").map((word) => word.trim()).filter(Boolean))];
      await do_ask("PUT", `${base}/description`, { tags });
      toast("Saved.");
      done();
      close();
    } catch (error) {
      set_problem((error as Error).message);
    }
  };
  return (
    <Dialog title="Tags" close={close}>
      <form class="form" onSubmit={(event) => void save(event)}>
        <Field label="Tags, separated by commas" problem={problem}>
          {(ids) => <input {...ids} value={text} onInput={(event) => set_text(event.currentTarget.value)} />}
        </Field>
        <DialogFoot word="Save" close={close} />
      </form>
    </Dialog>
  );
}

function Columns({ base, found, again }: { base: string; found: TableAnswer; again: () => void }) {
  const [edit, set_edit] = useState<Edit | null>(null);
  const parted = new Map((found.partition ?? []).map((part) => [part.column, part.transform]));
  return (
    <div class="table-columns">
      <Card title="Columns">
        <Table
          label={`Columns of ${found.table}`}
          word="columns"
          {...(found.columns.length > 10 ? { find: "Filter columns" } : {})}
          rows={found.columns}
          row_key={(column) => column.name}
          empty={<Empty title="It has no columns that you may see." />}
          columns={[
            {
              name: "name",
              title: "Column",
              value: (column) => column.name,
              show: (column) => (
                <span class="column-name">
                  <strong>{column.name}</strong>
                  {column.masked && <Badge word="masked" tone="mute" title="You see what a mask makes of it" />}
                  {parted.has(column.name) && <Tag>partition: {parted.get(column.name)}</Tag>}
                  <code class="type-below">{column.type}</code>
                </span>
              ),
            },
            { name: "type", title: "Type", value: (column) => column.type, show: (column) => <code title={column.required ? "never NULL" : "may be NULL"}>{column.type}{column.required ? " not null" : ""}</code>, wide_from: 500 },
            {
              name: "description",
              title: "Description",
              value: (column) => column.description,
              show: (column) => (
                <span class="column-about">
                  <span>{column.description || <span class="absent-value">&ndash;</span>}</span>
                  {found.may.alter && found.kind === "table" && (
                    <Button kind="quiet" aria-label={`Edit the description of ${column.name}`} onClick={() => set_edit({ column: column.name, text: column.description })}>
                      Edit
                    </Button>
                  )}
                </span>
              ),
            },
          ]}
        />
      </Card>
      <Card title="Facts">
        <KeyValue
          rows={[
            ["Rows", <Count value={found.rows ?? null} />],
            ["Size", <Bytes value={found.bytes ?? null} />],
            ["Files", <Count value={found.files ?? null} />],
            [
              "Changed",
              <>
                <Time at={found.updated} absent="never" /> {found.fresh_s !== undefined && <Badge word={found.late ? "late" : "fresh"} title={`expected every ${duration(found.fresh_s)}`} />}
              </>,
            ],
            ...(found.fresh_s === undefined ? [] : ([["Expected", `a change every ${duration(found.fresh_s)}`]] as [string, preact.ComponentChildren][])),
            ["Made by", found.made_by ? <MadeBy found={found} /> : "hand"],
            ["Partitioned", found.partition && found.partition.length > 0 ? found.partition.map((part) => `${part.transform}(${part.column})`).join(", ") : "no"],
            ["Owner", found.owner || "\u2013"],
            ["Created", <Time at={found.created} />],
            ...(found.location ? ([["Location", <code>{found.location}</code>]] as [string, preact.ComponentChildren][]) : []),
          ]}
        />
      </Card>
      {found.sql && (
        <Card title="The view's SQL">
          <CodeBlock text={found.sql} label={`SQL of ${found.table}`} />
        </Card>
      )}
      {edit && <Editor base={base} title={`Describe ${edit.column}`} edit={edit} close={() => set_edit(null)} done={again} />}
    </div>
  );
}

function MadeBy({ found }: { found: TableAnswer }) {
  const by = found.made_by!;
  return (
    <>
      {by.kind === "source" ? "source " : ""}
      <MakerLink by={by} /> <Badge word={by.how} {...(by.kind === "source" ? { tone: "mute" as const } : {})} />
    </>
  );
}
