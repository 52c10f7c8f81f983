// What a person can start: a run, all that hangs on it, a range of time.
import { useState } from "preact/hooks";
import { do_ask } from "../../live";
import { Confirm, Dialog, DialogFoot, Field, toast } from "../../ui";
import { short_name } from "./types";

export async function start_run(step: string, how: Record<string, unknown> = {}): Promise<void> {
  const answer = await do_ask<{ started?: string[] }>("POST", "/api/v1/runs", { step, ...how });
  const started = (answer.started ?? [step]).map(short_name);
  toast(started.length === 1 ? `${started[0]} is due now.` : `Due now: ${started.join(", ")}.`);
}

/** The same, with its refusal as a message. */
export function try_run(step: string, how: Record<string, unknown> = {}): void {
  start_run(step, how).catch((error: Error) => toast(error.message, "bad"));
}

export function RerunDialog({ step, close }: { step: string; close: () => void }) {
  const [scratch, set_scratch] = useState(false);
  const [after, set_after] = useState(true);
  return (
    <Confirm title={`Rerun from ${short_name(step)}`} word="Rerun" close={close} run={() => start_run(step, { from_scratch: scratch, downstream: after })}>
      <p>The step runs with what its inputs hold now. What is there stays until the run has ended well.</p>
      <label class="check">
        <input type="checkbox" checked={after} onChange={(event) => set_after(event.currentTarget.checked)} />
        and everything that hangs on it
      </label>
      <label class="check">
        <input type="checkbox" checked={scratch} onChange={(event) => set_scratch(event.currentTarget.checked)} />
        from scratch: tables compute all of their rows again
      </label>
    </Confirm>
  );
}

const day_after = (day: string): string => new Date(Date.parse(day + "T00:00:00Z") + 86_400_000).toISOString().slice(0, 10);

/** Days as people mean them: the last one is in it. The API's range ends before `to`. */
export function BackfillDialog({ step, close }: { step: string; close: () => void }) {
  const [first, set_first] = useState("");
  const [last, set_last] = useState("");
  const [problem, set_problem] = useState("");
  const [busy, set_busy] = useState(false);
  const go = async () => {
    if (!first || !last) return set_problem("Give the first and the last day.");
    if (last < first) return set_problem("The last day is before the first.");
    set_busy(true);
    try {
      await start_run(step, { range: { from: first, to: day_after(last) } });
      close();
    } catch (error) {
      set_problem((error as Error).message);
      set_busy(false);
    }
  };
  return (
    <Dialog title={`Backfill ${short_name(step)}`} close={close}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void go();
        }}
      >
        <p class="dialog-text">Rows whose date in the key lies in the range are deleted and computed again; all others stay as they are.</p>
        <Field label="First day">{(ids) => <input type="date" {...ids} value={first} onInput={(event) => set_first(event.currentTarget.value)} />}</Field>
        <Field label="Last day">{(ids) => <input type="date" {...ids} value={last} onInput={(event) => set_last(event.currentTarget.value)} />}</Field>
        <DialogFoot word="Backfill" problem={problem} disabled={busy} close={close} />
      </form>
    </Dialog>
  );
}
