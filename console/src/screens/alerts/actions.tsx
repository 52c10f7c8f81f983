// Silencing and test firing, each with what the server says to it.
import { useState } from "preact/hooks";
import { path_of } from "../../api";
import { do_ask } from "../../live";
import { Dialog, DialogFoot, Field, toast } from "../../ui";
import { type Cells, key_text } from "./types";

const spans: [string, number][] = [
  ["30 minutes", 30 * 60],
  ["2 hours", 2 * 3600],
  ["8 hours", 8 * 3600],
  ["1 day", 86_400],
  ["1 week", 7 * 86_400],
];

async function silence(rule: string, key: Cells | null, seconds: number): Promise<void> {
  const until = new Date(Date.now() + seconds * 1000).toISOString();
  await do_ask("POST", path_of("/api/v1/alerts", rule, "silence"), { ...(key === null ? {} : { key }), until });
}

export function end_silence(rule: string, key: Cells | null, done: () => void): void {
  silence(rule, key, -1)
    .then(() => {
      toast("The silence is over: what is still open is told now.");
      done();
    })
    .catch((error: Error) => toast(error.message, "bad"));
}

export function test_fire(rule: string, done: () => void): void {
  do_ask<{ deliveries: string[] }>("POST", path_of("/api/v1/alerts", rule, "test"), {})
    .then(({ deliveries }) => {
      toast(`A test message is on its way to ${deliveries.length === 1 ? "the webhook" : `${deliveries.length} webhooks`}.`);
      done();
    })
    .catch((error: Error) => toast(error.message, "bad"));
}

export function use_again(rule: string, target: string, done: () => void): void {
  do_ask("POST", path_of("/api/v1/alerts", rule, "webhooks", target, "enable"), {})
    .then(done)
    .catch((error: Error) => toast(error.message, "bad"));
}

export function SilenceDialog(props: { rule: string; of: Cells | null; done: () => void; close: () => void }) {
  const [seconds, set_seconds] = useState(spans[1]![1]);
  const [problem, set_problem] = useState("");
  const [busy, set_busy] = useState(false);
  const name = props.of === null ? props.rule : `${props.rule}, ${key_text(props.of)}`;
  const go = async () => {
    set_busy(true);
    try {
      await silence(props.rule, props.of, seconds);
      toast(`Silent: ${name}.`);
      props.done();
      props.close();
    } catch (error) {
      set_problem((error as Error).message);
      set_busy(false);
    }
  };
  return (
    <Dialog title="Silence" close={props.close}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void go();
        }}
      >
        <p class="dialog-text">
          Nobody is told that {props.of === null ? "an alert of this rule" : "this alert"} opened: <strong>{name}</strong>. What is still open afterwards is told then.
        </p>
        <Field label="For">
          {(ids) => (
            <select class="find" {...ids} value={seconds} onChange={(event) => set_seconds(Number(event.currentTarget.value))}>
              {spans.map(([word, value]) => (
                <option key={value} value={value}>
                  {word}
                </option>
              ))}
            </select>
          )}
        </Field>
        <DialogFoot word="Silence" problem={problem} disabled={busy} close={props.close} />
      </form>
    </Dialog>
  );
}
