// The tables and columns that the viewer may see: for completion, and for questions.

import { signal } from "@preact/signals";
import { ApiError, ask_sql } from "../../api";

export interface TableColumns {
  name: string; // "daily_sales", "erp.stores"
  columns: { name: string; type: string }[];
}

export const tables = signal<TableColumns[] | null>(null);
export const tables_error = signal<ApiError | null>(null);

export async function load_tables(): Promise<void> {
  try {
    const answer = await ask_sql(
      "select table_schema, table_name, column_name, data_type from information_schema.columns " +
        "where table_schema not in ('pg_catalog', 'information_schema') order by table_schema = 'main' desc, table_schema, table_name, ordinal_position",
    );
    const found = new Map<string, TableColumns>();
    for (const [schema, table, column, type] of answer.rows) {
      const name = schema === "main" ? String(table) : `${schema}.${table}`;
      const one = found.get(name) ?? { name, columns: [] };
      one.columns.push({ name: String(column), type: String(type) });
      found.set(name, one);
    }
    tables.value = [...found.values()];
    tables_error.value = null;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    tables_error.value = error;
  }
}
