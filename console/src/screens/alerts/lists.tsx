// Open alerts, history and deliveries as tables.
import { useState } from "preact/hooks";
import { plain, words } from "../../format";
import { Badge, Button, Dialog, Empty, KeyValue, Name, Table, type TableColumn, Time } from "../../ui";
import { SilenceDialog, end_silence } from "./actions";
import { type AlertEvent, type Cells, type Delivery, type OpenAlert, alert_path, key_text } from "./types";

/** The cells of a row beside its key, as "4.2 h left, chance empty >99%, units 3"; texts stand last. */
export function row_text(row: Cells | "" | undefined, key: Cells | "" | undefined): string {
  if (!row) return "";
  const figures: string[] = [];
  const texts: string[] = [];
  for (const [name, value] of Object.entries(row)) {
    if ((key && name in key) || value === null || value === "") continue;
    const word = words(name).toLowerCase();
    const text = plain(value, { name, type: typeof value === "number" ? "double precision" : typeof value === "boolean" ? "boolean" : "text", role: "value" });
    if (/^hours_to_/.test(name) && typeof value === "number") figures.unshift(`${text} left`);
    else if (typeof value === "string" && /^reasons?$/.test(name)) texts.push(text);
    else figures.push(`${word} ${text}`);
  }
  return [...figures, ...texts].join(" \u00b7 ");
}

export function OpenList({ alerts, of_one, done }: { alerts: OpenAlert[]; of_one?: boolean; done: () => void }) {
  const [silencing, set_silencing] = useState<OpenAlert | null>(null);
  const [shown, set_shown] = useState<OpenAlert | null>(null);
  const columns: TableColumn<OpenAlert>[] = [
    { name: "rule", title: "Rule", value: (alert) => alert.rule, show: (alert) => <a href={alert_path(alert.rule)}><Name of={alert.rule} /></a> },
    {
      name: "key",
      title: "What",
      value: (alert) => key_text(alert.key),
      show: (alert) => (
        <button type="button" class="link" onClick={() => set_shown(alert)}>
          {alert.summary ? "more than can be open at once" : key_text(alert.key) || "the rule as a whole"}
        </button>
      ),
    },
    { name: "row", title: "Now", value: (alert) => row_text(alert.row, alert.key), show: (alert) => <span class="cell-text rest" title={row_text(alert.row, alert.key)}>{row_text(alert.row, alert.key) || <span class="absent-value">&ndash;</span>}</span>, wide_from: 700 },
    { name: "since", title: "Since", value: (alert) => alert.since, show: (alert) => <Time at={alert.since} /> },
    { name: "told", title: "Told", value: (alert) => alert.told, show: (alert) => <Time at={alert.told} absent="nobody yet" />, wide_from: 900 },
    {
      name: "silence",
      title: "Silence",
      value: (alert) => alert.silenced_until,
      // The button stays when it is done: for longer, and so that the focus is not lost.
      show: (alert) => (
        <>
          {alert.silenced_until && (
            <>
              <Badge word="silenced" tone="mute" /> ends <Time at={alert.silenced_until} />
            </>
          )}
          <Button kind="quiet" onClick={() => set_silencing(alert)} aria-label={`Silence ${alert.rule} ${key_text(alert.key)}`}>
            Silence
          </Button>
        </>
      ),
    },
  ];
  return (
    <>
      <Table
        label="Open alerts"
        {...(of_one ? { first: 10 } : {})}
        word="open"
        {...(alerts.length > 5 ? { find: "Filter open alerts" } : {})}
        columns={of_one ? columns.slice(1) : columns}
        rows={alerts}
        row_key={(alert) => alert.id}
        empty={<Empty title="Nothing is open.">{"All rules that you can see are quiet."}</Empty>}
      />
      {silencing && <SilenceDialog rule={silencing.rule} of={silencing.key} done={done} close={() => set_silencing(null)} />}
      {shown && <AlertDialog alert={shown} close={() => set_shown(null)} silence={() => set_silencing(shown)} done={done} />}
    </>
  );
}

function AlertDialog({ alert, close, silence, done }: { alert: OpenAlert; close: () => void; silence: () => void; done: () => void }) {
  return (
    <Dialog title={key_text(alert.key) || alert.rule} close={close}>
      <KeyValue
        rows={[
          ["Rule", <a href={alert_path(alert.rule)}>{alert.rule}</a>],
          ["Open since", <Time at={alert.since} exact />],
          ["Told", <Time at={alert.told} exact absent="nobody yet: silenced" />],
          ...Object.entries(alert.row).map(([name, value]): [string, string] => [name, String(value ?? "\u2013")]),
        ]}
      />
      <div class="dialog-foot">
        {alert.silenced_until ? (
          <Button
            onClick={() => {
              end_silence(alert.rule, alert.key, done);
              close();
            }}
          >
            End the silence
          </Button>
        ) : (
          <Button
            onClick={() => {
              close();
              silence();
            }}
          >
            Silence
          </Button>
        )}
      </div>
    </Dialog>
  );
}

const event_tone = { opened: "bad", recovered: "good", silenced: "mute", tested: "busy" } as const;

export function EventList({ events, of_one }: { events: AlertEvent[]; of_one?: boolean }) {
  const columns: TableColumn<AlertEvent>[] = [
    { name: "rule", title: "Rule", value: (event) => event.rule, show: (event) => <a href={alert_path(event.rule)}>{event.rule}</a> },
    { name: "kind", title: "What", value: (event) => event.kind, show: (event) => <Badge word={event.kind} tone={event_tone[event.kind as keyof typeof event_tone] ?? "mute"} /> },
    { name: "at", title: "When", value: (event) => event.at, show: (event) => <Time at={event.at} /> },
    { name: "key", title: "Of what", value: (event) => key_text(event.key), show: (event) => key_text(event.key) || <span class="absent-value">{event.key === undefined ? "not visible to you" : "the rule"}</span> },
    { name: "row", title: "Row", value: (event) => row_text(event.row, event.key), show: (event) => <span class="cell-text rest" title={row_text(event.row, event.key)}>{row_text(event.row, event.key)}</span>, wide_from: 900 },
    { name: "by", title: "By", value: (event) => event.by, show: (event) => event.by || "", wide_from: 700 },
  ];
  return (
    <Table
      label="History of alerts"
      {...(of_one ? { first: 20 } : {})}
      word="events"
      find="Filter history"
      columns={of_one ? columns.slice(1) : columns}
      rows={events}
      row_key={(event, at) => `${event.at} ${event.id ?? ""} ${at}`}
      empty={<Empty title="Nothing has happened yet." />}
    />
  );
}

const delivery_tone = { delivered: "good", waiting: "busy", failed: "bad" } as const;

/** What the webhook said last. */
function answer_of(delivery: Delivery): string {
  const last = delivery.attempts[delivery.attempts.length - 1];
  if (last === undefined) return "not sent yet";
  return last.status === 0 ? last.answer || "no answer" : `${last.status}${last.answer ? ` ${last.answer}` : ""}`;
}

export function DeliveryList({ deliveries, of_one }: { deliveries: Delivery[]; of_one?: boolean }) {
  const [shown, set_shown] = useState<Delivery | null>(null);
  const columns: TableColumn<Delivery>[] = [
    { name: "rule", title: "Rule", value: (one) => one.rule, show: (one) => <a href={alert_path(one.rule)}><Name of={one.rule} /></a> },
    { name: "type", title: "Message", value: (one) => one.type, show: (one) => one.type.replace("alert.", "") },
    { name: "key", title: "Of what", value: (one) => key_text(one.key), show: (one) => key_text(one.key) || <span class="absent-value">&ndash;</span>, wide_from: 700 },
    { name: "where", title: "To", value: (one) => one.where, show: (one) => <span class="cell-text" title={one.where}>{one.where}</span>, wide_from: 1200 },
    { name: "state", title: "State", value: (one) => one.state, show: (one) => <Badge word={one.state} tone={delivery_tone[one.state as keyof typeof delivery_tone] ?? "mute"} />, wide_from: 500 },
    { name: "made", title: "Made", value: (one) => one.made, show: (one) => <Time at={one.made} /> },
    {
      name: "answer",
      title: "Answer",
      value: (one) => answer_of(one),
      show: (one) => (
        <button type="button" class="link cell-text" onClick={() => set_shown(one)} aria-label={`Attempts of ${one.id}: ${answer_of(one)}`}>
          {answer_of(one)}
        </button>
      ),
    },
    { name: "attempts", title: "Attempts", value: (one) => one.attempt_count, right: true, wide_from: 500 },
  ];
  return (
    <>
      <Table
        label="Deliveries to webhooks"
        {...(of_one ? { first: 20 } : {})}
        word="deliveries"
        find="Filter deliveries"
        columns={of_one ? columns.slice(1) : columns}
        rows={deliveries}
        row_key={(one) => one.id}
        empty={<Empty title="No message yet.">A message goes to each address under <code>to:</code> when an alert opens and when it has recovered.</Empty>}
      />
      {shown && <DeliveryDialog delivery={shown} close={() => set_shown(null)} />}
    </>
  );
}

function DeliveryDialog({ delivery, close }: { delivery: Delivery; close: () => void }) {
  return (
    <Dialog title={`Message ${delivery.type.replace("alert.", "")}`} close={close} wide>
      <KeyValue
        rows={[
          ["Id", <code>{delivery.id}</code>],
          ["To", delivery.where],
          ["State", <Badge word={delivery.state} tone={delivery_tone[delivery.state as keyof typeof delivery_tone] ?? "mute"} />],
          ["Next attempt", <Time at={delivery.next_attempt} exact />],
        ]}
      />
      <Table
        label="Attempts, the latest ten"
        word="attempts"
        columns={[
          { name: "at", title: "When", value: (one) => one.at, show: (one) => <Time at={one.at} exact /> },
          { name: "status", title: "HTTP", value: (one) => one.status, show: (one) => (one.status === 0 ? "no answer" : one.status), right: true },
          { name: "took", title: "Took", value: (one) => one.took_ms, show: (one) => `${one.took_ms} ms`, right: true },
          { name: "answer", title: "Answer", value: (one) => one.answer, show: (one) => <span class="wrap">{one.answer || <span class="absent-value">&ndash;</span>}</span>, unsorted: true },
        ]}
        rows={delivery.attempts}
        row_key={(one, at) => `${one.at} ${at}`}
        empty={<Empty title="Not sent yet." />}
      />
    </Dialog>
  );
}
