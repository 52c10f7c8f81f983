// Each source with how fresh it is and how much comes in now: the rows between two questions, over the time between them.

import { useEffect, useState } from "preact/hooks";
import type { Source } from "../../api";
import { number } from "../../format";
import type { Answer } from "../../live";
import { Answered, Badge, Card, Count, Empty, Sparkline, Table, Time } from "../../ui";
import type { CatalogTable } from "./shapes";

interface Sample {
  at: number;
  rows: number;
}
const kept = new Map<string, Sample[]>(); // of each source, newest last
const samples_max = 40;

function keep(sources: Source[]): void {
  const now = Date.now();
  for (const source of sources) {
    const rows = source.tables.reduce((sum, table) => sum + (table.rows ?? 0), 0);
    const list = kept.get(source.name) ?? [];
    // A load that begins again counts from nothing.
    if (list.length > 0 && rows < list[list.length - 1]!.rows) list.length = 0;
    list.push({ at: now, rows });
    if (list.length > samples_max) list.shift();
    kept.set(source.name, list);
  }
}

function rates(name: string): number[] {
  const list = kept.get(name) ?? [];
  return list.slice(1).map((sample, i) => ((sample.rows - list[i]!.rows) * 1000) / Math.max(1, sample.at - list[i]!.at));
}

/** Rows a second over the last half minute. */
function rate_now(name: string): number | null {
  const list = kept.get(name) ?? [];
  const last = list[list.length - 1];
  const first = list.find((sample) => last !== undefined && last.at - sample.at <= 30_000);
  return last === undefined || first === undefined || first === last ? null : ((last.rows - first.rows) * 1000) / (last.at - first.at);
}

/** Between two tries it waits; what is wrong is wrong meanwhile. */
const state_of = (source: Source) => (source.last_error ? "failed" : source.state);

const later = (best: string | null, one: string | null): string | null => (one !== null && (best === null || one > best) ? one : best);

export function Sources({ tables, sources }: { tables: CatalogTable[]; sources: Answer<{ sources: Source[] }> }) {
  // A source's own memory begins with the server's start; the tables know of before.
  const newest = (source: Source): string | null => {
    const of_tables = tables.filter((one) => one.made_by?.kind === "source" && one.made_by.name === source.name);
    return later(source.tables.map((table) => table.last_commit).reduce(later, null), of_tables.map((one) => one.updated).reduce(later, null));
  };
  const [, again] = useState(0);
  const found = sources.data.value;
  useEffect(() => {
    if (found === null) return;
    keep(found.sources);
    again((turn) => turn + 1);
  }, [found]);
  return (
    <Card title="Sources">
      <Answered of={sources} what="sources">
        {(answer) => (
          <Table
            label="Sources"
            word="sources"
            start_sort="name"
            rows={answer.sources}
            row_key={(source) => source.name}
            empty={<Empty title="No source is declared yet.">Declare one in the lakefile and run tarn apply.</Empty>}
            columns={[
              {
                name: "name",
                title: "Source",
                value: (source) => source.name,
                show: (source) => (
                  <span class="source-cell">
                    <a href={`/pipelines?source=${encodeURIComponent(source.name)}`}>{source.name}</a> <span class="measure">{source.kind}</span>
                    {source.last_error && <span class="problem">{source.last_error}</span>}
                  </span>
                ),
              },
              { name: "state", title: "State", value: state_of, show: (source) => <Badge word={state_of(source)} /> },
              { name: "fresh", title: "Last rows", value: newest, show: (source) => <Time at={newest(source)} absent="none yet" /> },
              {
                name: "rate",
                title: "Rate now",
                right: true,
                wide_from: 440,
                value: (source) => rate_now(source.name),
                show: (source) => {
                  const rate = rate_now(source.name);
                  return (
                    <span class="rate">
                      {rates(source.name).length > 3 && (
                        <span class="rate-line">
                          <Sparkline values={rates(source.name)} label={`Rows a second of ${source.name}, the last minutes`} width={64} height={20} />
                        </span>
                      )}
                      {rate === null ? <span class="absent-value">&ndash;</span> : `${number(rate)} rows/s`}
                    </span>
                  );
                },
              },
              { name: "rows", title: "Since start", right: true, wide_from: 700, value: (source) => source.tables.reduce((sum, table) => sum + (table.rows ?? 0), 0), show: (source) => <Count value={source.tables.reduce((sum, table) => sum + (table.rows ?? 0), 0)} unit="row" /> },
            ]}
          />
        )}
      </Answered>
    </Card>
  );
}
