// The statements that this browser keeps: those that were saved by a name, and those that ran.

import { milliseconds } from "../../format";
import { Button, Dialog, Empty, Table, Time } from "../../ui";
import { active, add_tab, change_tab, forget_history, forget_saved, past, saved } from "./state";

export function History({ close }: { close: () => void }) {
  const use = (sql: string) => {
    if (active.value && active.value.sql.trim() === "") change_tab(active.value.id, { sql });
    else add_tab(sql);
    close();
  };
  const statement = (sql: string, name?: string) => (
    <button type="button" class="past-use" onClick={() => use(sql)} title="Opens it in the editor">
      {name !== undefined && <strong>{name}</strong>}
      <code>{sql.slice(0, 300)}</code>
    </button>
  );
  return (
    <Dialog title="History" close={close} wide>
      {saved.value.length > 0 && (
        <section aria-label="Saved">
          <h3>Saved</h3>
          <Table
            label="Saved statements"
            word="saved"
            {...(saved.value.length > 5 ? { find: "Find in what was saved" } : {})}
            rows={saved.value}
            row_key={(one) => one.name}
            columns={[
              { name: "name", title: "Statement", value: (one) => one.name, text: (one) => `${one.name} ${one.sql}`, show: (one) => statement(one.sql, one.name) },
              {
                name: "forget",
                title: "",
                unsorted: true,
                right: true,
                value: () => null,
                show: (one) => (
                  <Button kind="quiet" aria-label={`Forget ${one.name}`} onClick={() => forget_saved(one.name)}>
                    &#10005;
                  </Button>
                ),
              },
            ]}
          />
          <h3>Run before</h3>
        </section>
      )}
      <Table
        label="Statements that ran"
        word="past"
        find="Find in statements"
        rows={past.value}
        row_key={(one) => `${one.at} ${one.sql}`}
        first={50}
        empty={<Empty title="Nothing was run yet." />}
        columns={[
          { name: "statement", title: "Statement", value: (one) => one.sql, text: (one) => `${one.sql} ${one.error}`, show: (one) => (<>{statement(one.sql)}{one.error && <span class="past-error">{one.error}</span>}</>) },
          { name: "at", title: "When", value: (one) => one.at, text: () => "", show: (one) => <Time at={one.at} />, wide_from: 640 },
          { name: "took", title: "Took", right: true, value: (one) => one.milliseconds, text: () => "", show: (one) => milliseconds(one.milliseconds), wide_from: 640 },
          { name: "rows", title: "Rows", right: true, value: (one) => one.rows, text: () => "", show: (one) => one.rows?.toLocaleString() ?? "\u2013", wide_from: 640 },
        ]}
      />
      <div class="dialog-foot">
        <Button kind="danger" onClick={forget_history} disabled={past.value.length === 0}>
          Forget all
        </Button>
      </div>
    </Dialog>
  );
}
