// The trail: who did what, when, from where, and what came of it; newest first, a page at a time.

import { useEffect, useState } from "preact/hooks";
import { use_live } from "../../live";
import { address, set_query } from "../../navigate";
import { Answered, Badge, Button, Card, CodeBlock, Dialog, Empty, Field, Table, Time } from "../../ui";
import type { AuditRecord } from "./shapes";

interface AuditPage {
  records: AuditRecord[];
  next?: number;
}

const words = ["principal", "action", "resource", "outcome"] as const;
const page_size = 100;
const outcome_tones = { allowed: "good", denied: "bad", failed: "warn" } as const;

export function AuditTab() {
  const query = address.value.query;
  const asked = new URLSearchParams({ limit: String(page_size) });
  for (const word of words) {
    const value = query.get(word);
    if (value) asked.set(word, value);
  }
  // What the lake does by itself names no action: two records for each commit of a step, which would hide what people did.
  const own = query.has("own");
  if (!own && !asked.has("action")) asked.set("action", "?*");
  const hours = query.get("hours") ?? "";
  const before = query.get("before");
  if (before) asked.set("before", before);
  // Whole minutes, so that the address asked for does not change with every drawing.
  if (hours) asked.set("from", new Date(Math.floor(Date.now() / 60_000) * 60_000 - Number(hours) * 3_600_000).toISOString());
  const trail = use_live<AuditPage>(`/api/v1/audit?${asked}`, { every_ms: before ? 0 : 10_000 });
  const [open, set_open] = useState<AuditRecord | null>(null);
  return (
    <Card title="Audit trail">
      <Search />
      <Answered of={trail} what="audit trail" lines={8}>
        {(found) => (
          <>
            <Table
              label="Audit trail"
              word="trail"
              rows={found.records}
              row_key={(record, at) => `${record.request_id} ${record.action} ${at}`}
              empty={<Empty title="Nothing in the trail matches." />}
              columns={[
                { name: "at", title: "When", value: (record) => record.at, show: (record) => <Time at={record.time} /> },
                { name: "who", title: "Who", value: (record) => (record.door === "internal" ? "the lake" : who(record.principal)) },
                { name: "action", title: "Did", value: (record) => record.action ?? "own work", show: (record) => (record.action ? <code>{breakable(record.action)}{record.count && record.count > 1 ? ` \u00d7${record.count}` : ""}</code> : <span class="measure">own work</span>) },
                { name: "resource", title: "To", value: (record) => what(record.resource), show: (record) => <span class="text" title={record.resource}>{what(record.resource)}</span>, wide_from: 700 },
                { name: "outcome", title: "Came of it", value: (record) => record.outcome, show: (record) => <Badge word={record.outcome} tone={outcome_tones[record.outcome]} {...(record.error_code ? { title: record.error_code } : {})} /> },
                { name: "door", title: "Door", value: (record) => record.door, wide_from: 900 },
                { name: "from", title: "From", value: (record) => record.source_ip ?? "", wide_from: 1200 },
                {
                  name: "more",
                  title: "Record",
                  unsorted: true,
                  value: () => "",
                  show: (record) => (
                    <Button kind="quiet" aria-label={`The whole record ${record.request_id}`} onClick={() => set_open(record)}>
                      Whole
                    </Button>
                  ),
                },
              ]}
            />
            <div class="pager">
              {before && <Button onClick={() => set_query({ before: null }, true)}>Newest</Button>}
              {found.next !== undefined && <Button onClick={() => set_query({ before: String(found.next) }, true)}>Older</Button>}
            </div>
          </>
        )}
      </Answered>
      {open && (
        <Dialog title="Audit record" close={() => set_open(null)} wide>
          <CodeBlock text={JSON.stringify(open, null, 2)} label="Audit record" />
        </Dialog>
      )}
    </Card>
  );
}

// What is empty is left out of a record.
const who = (arn = ""): string => arn.split(/[:/]/).pop() || arn || "\u2013";
const what = (arn = ""): string => arn.split(":").slice(5).join(":").replace(/#$/, "") || arn || "\u2013";

/** "tarn:Select" may go on below its colon. */
function breakable(action: string) {
  const [service, ...rest] = action.split(":");
  return rest.length === 0 ? (
    action
  ) : (
    <>
      {service}:<wbr />
      {rest.join(":")}
    </>
  );
}

function Search() {
  const query = address.value.query;
  const now_text = words.map((word) => query.get(word) ?? "").join("\n");
  const [values, set_values] = useState<Record<string, string>>({});
  useEffect(() => set_values(Object.fromEntries(words.map((word) => [word, query.get(word) ?? ""]))), [now_text]);
  const search = (event: Event) => {
    event.preventDefault();
    set_query({ ...Object.fromEntries(words.map((word) => [word, values[word]?.trim() || null])), before: null }, true);
  };
  const text = (word: string, label: string, hint: string) => (
    <Field label={label}>{(ids) => <input {...ids} placeholder={hint} spellcheck={false} autocapitalize="none" value={values[word] ?? ""} onInput={(event) => set_values({ ...values, [word]: event.currentTarget.value })} />}</Field>
  );
  return (
    <form class="audit-search" role="search" aria-label="Search the audit trail" onSubmit={search}>
      {text("principal", "Who", "ann")}
      {text("action", "Action", "s3:Get*")}
      {text("resource", "Resource", "*table/erp/*")}
      <Field label="Outcome">
        {(ids) => (
          <select {...ids} value={query.get("outcome") ?? ""} onChange={(event) => set_query({ outcome: event.currentTarget.value || null, before: null }, true)}>
            <option value="">any</option>
            <option value="allowed">allowed</option>
            <option value="denied">denied</option>
            <option value="failed">failed</option>
          </select>
        )}
      </Field>
      <Field label="Since">
        {(ids) => (
          <select {...ids} value={query.get("hours") ?? ""} onChange={(event) => set_query({ hours: event.currentTarget.value || null, before: null }, true)}>
            <option value="">the beginning</option>
            <option value="1">1 hour ago</option>
            <option value="24">24 hours ago</option>
            <option value="168">7 days ago</option>
          </select>
        )}
      </Field>
      <Button kind="primary" submit>
        Search
      </Button>
      <label class="check">
        <input type="checkbox" checked={query.has("own")} onChange={(event) => set_query({ own: event.currentTarget.checked ? "1" : null, before: null }, true)} />
        With the lake&rsquo;s own work
      </label>
    </form>
  );
}
