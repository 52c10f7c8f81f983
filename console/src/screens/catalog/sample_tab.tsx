// A few rows, as the viewer sees them, of now or of an older snapshot.

import { useState } from "preact/hooks";
import { DataTable } from "../../charts/table";
import { use_live } from "../../live";
import { Answered, Card, Empty, Field } from "../../ui";
import type { SampleAnswer, TableAnswer } from "./shapes";

export function SampleTab({ base, found, snapshot }: { base: string; found: TableAnswer; snapshot: string | null }) {
  const [limit, set_limit] = useState(50);
  const rows = use_live<SampleAnswer>(`${base}/sample?limit=${limit}${snapshot ? `&snapshot=${snapshot}` : ""}`, { every_ms: 0, ...(snapshot ? {} : { tables: [`${found.database}.${found.table}`] }) });
  return (
    <Card
      title="Sample"
      aside={
        <Field label="Rows" hide_label>
          {(ids) => (
            <select {...ids} value={String(limit)} onChange={(event) => set_limit(Number(event.currentTarget.value))}>
              {[20, 50, 200, 500].map((one) => (
                <option key={one} value={one}>
                  {one} rows
                </option>
              ))}
            </select>
          )}
        </Field>
      }
    >
      <Answered of={rows} what="sample" lines={6}>
        {(answer) =>
          answer.rows.length === 0 ? (
            <Empty title="No rows that you may see." />
          ) : (
            <div class="tall">
              <DataTable title={`Sample of ${found.table}`} columns={answer.columns.map((column) => ({ ...column, role: "value" as const }))} rows={answer.rows} twin={false} plain />
            </div>
          )
        }
      </Answered>
    </Card>
  );
}
