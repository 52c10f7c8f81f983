// Alerts: what is open, the rules, what happened, who was told.
import { address } from "../../navigate";
import { use_live } from "../../live";
import { Answered, Badge, Card, Empty, Page, Table, Tabs, Time } from "../../ui";
import { DeliveryList, EventList, OpenList } from "./lists";
import { RulePage, StateBadge } from "./rule_page";
import { type AlertEvent, type Delivery, type OpenAlert, type Rule, alert_path } from "./types";
import "./style.css";

export function Screen() {
  const rule = address.value.segments[1];
  return rule === undefined ? <Overview /> : <RulePage key={rule} name={rule} />;
}

interface All {
  alerts: Rule[];
  open: OpenAlert[];
  open_truncated: boolean;
}

function Overview() {
  const all = use_live<All>("/api/v1/alerts", { tables: "*", every_ms: 3000 });
  const known = all.data.value;
  const open = known?.alerts.reduce((sum, rule) => sum + rule.open, 0) ?? 0;
  return (
    <Page name="alerts-screen" title="Alerts" note={known && known.alerts.length > 0 && <span role="status">{open > 0 ? <Badge word={`${open} open`} tone="bad" /> : <Badge word="all quiet" tone="good" />}</span>}>
      <Answered of={all} what="alerts" lines={6}>
        {(data) =>
          data.alerts.length === 0 ? (
            <Card title="No rules yet">
              <Empty title="Nothing is watched.">
                A rule is a SELECT under <code>alerts:</code> in the lakefile: each of its rows is a reason to be told.
              </Empty>
            </Card>
          ) : (
            <Tabs
              label="Alerts"
              tabs={[
                { name: "open", title: "Open", count: open, show: () => <OpenTab all={data} done={all.again} /> },
                { name: "rules", title: "Rules", count: data.alerts.length, show: () => <RulesTab rules={data.alerts} /> },
                { name: "history", title: "History", show: () => <HistoryTab /> },
                { name: "deliveries", title: "Deliveries", show: () => <DeliveriesTab /> },
              ]}
            />
          )
        }
      </Answered>
    </Page>
  );
}

function OpenTab({ all, done }: { all: All; done: () => void }) {
  const hidden = all.alerts.filter((rule) => !rule.rows_shown && rule.open > 0);
  return (
    <Card title="Open alerts">
      <OpenList alerts={all.open} done={done} />
      {all.open_truncated && <p class="foot">More are open than are shown here.</p>}
      {hidden.length > 0 && (
        <p class="foot">
          <span>
            Without their rows, which are for who sees the rule&rsquo;s tables whole:{" "}
            {hidden.map((rule, i) => (
              <>
                {i > 0 && ", "}
                <a href={alert_path(rule.rule)}>{rule.rule}</a> ({rule.open})
              </>
            ))}
          </span>
        </p>
      )}
    </Card>
  );
}

function RulesTab({ rules }: { rules: Rule[] }) {
  return (
    <Card title="Rules">
      <Table
        label="Alert rules"
        word="rules"
        find="Filter rules"
        columns={[
          { name: "rule", title: "Rule", value: (rule) => rule.rule, show: (rule) => <a href={alert_path(rule.rule)}>{rule.rule}</a> },
          { name: "open", title: "State", value: (rule) => rule.open, show: (rule) => <StateBadge rule={rule} /> },
          { name: "looked", title: "Looked last", value: (rule) => rule.evaluated, show: (rule) => <Time at={rule.evaluated} /> },
          { name: "evaluations", title: "Looks since start", value: (rule) => rule.evaluations, right: true, wide_from: 900 },
          { name: "webhooks", title: "Tells", value: (rule) => rule.webhooks.map((one) => one.where).join(", "), show: (rule) => (rule.webhooks.length === 0 ? <span class="absent-value">nobody</span> : <span class="cell-text">{rule.webhooks.map((one) => one.where).join(", ")}</span>), wide_from: 700 },
          { name: "error", title: "Problem", value: (rule) => rule.error, show: (rule) => (rule.error ? <span class="problem cell-text" title={rule.error}>{rule.error}</span> : ""), wide_from: 900 },
        ]}
        rows={rules}
        row_key={(rule) => rule.rule}
      />
    </Card>
  );
}

function HistoryTab() {
  const events = use_live<{ events: AlertEvent[] }>("/api/v1/alert-events?limit=500", { tables: "*", every_ms: 5000 });
  return (
    <Card title="History of all rules" aside={<span class="measure">newest first</span>}>
      <Answered of={events} what="history">
        {(data) => <EventList events={data.events} />}
      </Answered>
    </Card>
  );
}

function DeliveriesTab() {
  const deliveries = use_live<{ deliveries: Delivery[] }>("/api/v1/alert-deliveries?limit=500", { tables: "*", every_ms: 5000 });
  return (
    <Card title="Deliveries of all rules" aside={<span class="measure">with the webhook&rsquo;s answer</span>}>
      <Answered of={deliveries} what="deliveries">
        {(data) => <DeliveryList deliveries={data.deliveries} />}
      </Answered>
    </Card>
  );
}
