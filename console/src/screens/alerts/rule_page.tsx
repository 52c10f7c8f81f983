// One rule: what is open, when it was, its SQL, its webhooks and what they answered.
import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { path_of } from "../../api";
import { do_ask, use_live } from "../../live";
import { Answered, Badge, Button, Card, CodeBlock, Dialog, Empty, KeyValue, Page, Time, toast } from "../../ui";
import { SilenceDialog, end_silence, test_fire, use_again } from "./actions";
import { DeliveryList, EventList, OpenList } from "./lists";
import { Timeline } from "./timeline";
import { type AlertEvent, type Delivery, type RuleDetail, type Webhook, key_text } from "./types";

export function RulePage({ name }: { name: string }) {
  const rule = use_live<RuleDetail>(path_of("/api/v1/alerts", name), { tables: "*", every_ms: 3000 });
  const events = use_live<{ events: AlertEvent[] }>(path_of("/api/v1/alerts", name, "events") + "?limit=500", { tables: "*", every_ms: 5000 });
  const deliveries = use_live<{ deliveries: Delivery[] }>(path_of("/api/v1/alerts", name, "deliveries") + "?limit=200", { tables: "*", every_ms: 5000 });
  const [silencing, set_silencing] = useState(false);
  const again = () => {
    rule.again();
    events.again();
    deliveries.again();
  };
  const known = rule.data.value;
  const whole = known?.silences.find((silence) => silence.key === "");
  return (
    <Page
      name="alerts-screen"
      title={name}
      note={known && <StateBadge rule={known} />}
      aside={
        known && (
          <>
            {whole ? <Button onClick={() => end_silence(name, null, again)}>End the silence</Button> : <Button onClick={() => set_silencing(true)}>Silence the rule</Button>}
            <Button onClick={() => test_fire(name, again)}>Send a test</Button>
          </>
        )
      }
    >
      <nav class="crumbs" aria-label="Where this is">
        <a href="/alerts">Alerts</a> <span aria-hidden="true">/</span> {name}
        <a class="crumb-aside" href={`/pipelines/${encodeURIComponent("alerts." + name)}`}>
          Its runs
        </a>
      </nav>
      <Answered of={rule} what="alert rule">
        {(data) => (
          <>
            {data.error !== "" && (
              <p class="banner" role="status">
                The rule does not run: {data.error}
              </p>
            )}
            {data.warnings.map((warning) => (
              <p key={warning} class="banner">
                {warning}
              </p>
            ))}
            <Silences rule={data} done={again} />
            {data.rows_shown ? (
              <>
                <Card title="Open now">
                  <OpenList alerts={data.alerts} of_one done={again} />
                </Card>
                <Card title="Timeline">
                  <Answered of={events} what="history">
                    {(history) => <Timeline events={history.events} open={data.alerts} />}
                  </Answered>
                </Card>
              </>
            ) : (
              <Card title="Open now">
                <Empty title={data.open === 0 ? "Nothing is open." : `${data.open} open`}>Rows and keys are shown to who sees the rule&rsquo;s tables whole.</Empty>
              </Card>
            )}
            <div class="two-columns">
              <RuleCard rule={data} />
              <Card title="Webhooks">
                <Webhooks rule={data} done={again} />
              </Card>
            </div>
          </>
        )}
      </Answered>
      {known && (
        <>
          <Card title="Deliveries" aside={<span class="measure">with the webhook&rsquo;s answer</span>}>
            <Answered of={deliveries} what="deliveries">
              {(data) => <DeliveryList deliveries={data.deliveries} of_one />}
            </Answered>
          </Card>
          <Card title="History">
            <Answered of={events} what="history">
              {(data) => <EventList events={data.events} of_one />}
            </Answered>
          </Card>
        </>
      )}
      {silencing && <SilenceDialog rule={name} of={null} done={again} close={() => set_silencing(false)} />}
    </Page>
  );
}

export function StateBadge({ rule }: { rule: { open: number; error: string } }) {
  if (rule.error !== "") return <Badge word="does not run" tone="bad" />;
  return rule.open > 0 ? <Badge word={`${rule.open} open`} tone="bad" /> : <Badge word="quiet" tone="good" />;
}

function Silences({ rule, done }: { rule: RuleDetail; done: () => void }) {
  if (rule.silences.length === 0) return null;
  return (
    <ul class="silence-list">
      {rule.silences.map((silence) => (
        <li key={key_text(silence.key)}>
          <Badge word="silenced" tone="mute" /> {silence.key === "" ? "the whole rule" : key_text(silence.key)} until <Time at={silence.until} exact /> by {silence.by}
          <Button kind="quiet" aria-label={`End the silence of ${silence.key === "" ? "the whole rule" : key_text(silence.key)}`} onClick={() => end_silence(rule.rule, silence.key === "" ? null : silence.key, done)}>
            End
          </Button>
        </li>
      ))}
    </ul>
  );
}

function span_text(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

function RuleCard({ rule }: { rule: RuleDetail }) {
  const of = rule.definition;
  const rows: [string, ComponentChildren][] = [];
  if (of !== null) {
    rows.push(["One alert per", of.one_per.length === 0 ? "the rule as a whole" : of.one_per.join(", ")]);
    if (of.for_seconds !== null) rows.push(["Opens after", `the row was there for ${span_text(of.for_seconds)}`]);
    if (of.recover_after_seconds !== null) rows.push(["Recovers after", `the row was gone for ${span_text(of.recover_after_seconds)}`]);
    rows.push(["Looks", `when a table changes, and every ${span_text(of.check_every_seconds)}`], ["Recovery", of.tells_recovery ? "is told too" : "is not told"]);
    if (of.run_as !== "") rows.push(["Reads as role", of.run_as]);
  }
  rows.push(["Looked last", <Time at={rule.evaluated} absent="not yet" />], ["Reads", rule.tables.length === 0 ? <span class="absent-value">&ndash;</span> : rule.tables.map((table) => table.replace(/^main\./, "")).join(", ")]);
  return (
    <Card title="Rule">
      {of === null ? (
        <Empty title="Not visible to you">SQL names tables and columns: it is shown to who sees all of the tables behind it.</Empty>
      ) : (
        <div class="rule-sql">
          <CodeBlock text={of.when.trim()} label="Opens for each row of" />
          {of.while !== "" && (
            <>
              <p class="measure">An open alert stays open while its row is here:</p>
              <CodeBlock text={of.while.trim()} label="Stays open for each row of" />
            </>
          )}
        </div>
      )}
      <KeyValue rows={rows} />
    </Card>
  );
}

function Webhooks({ rule, done }: { rule: RuleDetail; done: () => void }) {
  const [secret, set_secret] = useState<{ of: Webhook; text: string } | null>(null);
  if (rule.webhooks.length === 0)
    return (
      <Empty title="Nobody is told.">
        Give the rule addresses with <code>to:</code> in the lakefile.
      </Empty>
    );
  const show = (webhook: Webhook) => {
    do_ask<{ secret: string }>("GET", path_of("/api/v1/alerts", rule.rule, "webhooks", webhook.target, "secret"))
      .then((answer) => set_secret({ of: webhook, text: answer.secret }))
      .catch((error: Error) => toast(error.message, "bad"));
  };
  return (
    <>
      <ul class="webhooks">
        {rule.webhooks.map((webhook) => (
          <li key={webhook.target}>
            <span class="webhook-where">{webhook.where}</span>
            <span>{webhook.disabled !== "" ? <Badge word="switched off" tone="bad" title={webhook.disabled} /> : webhook.waiting > 0 ? <Badge word={`${webhook.waiting} waiting`} tone="busy" /> : <Badge word="in use" tone="good" />}</span>
            {webhook.disabled !== "" && <p class="problem">{webhook.disabled}</p>}
            <span class="webhook-actions">
              <Button kind="quiet" aria-label={`Signing secret of ${webhook.where}`} onClick={() => show(webhook)}>
                Signing secret
              </Button>
              {webhook.disabled !== "" && (
                <Button kind="quiet" onClick={() => use_again(rule.rule, webhook.target, done)}>
                  Use it again
                </Button>
              )}
            </span>
          </li>
        ))}
      </ul>
      {secret && (
        <Dialog title="Signing secret" close={() => set_secret(null)}>
          <p class="dialog-text">Receivers check the signature of each message with it (Standard Webhooks): {secret.of.where}</p>
          <CodeBlock text={secret.text} label="Signing secret" />
        </Dialog>
      )}
    </>
  );
}
