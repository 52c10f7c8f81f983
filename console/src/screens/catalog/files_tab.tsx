// The data files of the current snapshot, by partition and one by one.

import { number } from "../../format";
import { use_live } from "../../live";
import { Answered, Bytes, Card, Count, Empty, Table } from "../../ui";
import type { FilesAnswer, TableAnswer } from "./shapes";

export function FilesTab({ base, found }: { base: string; found: TableAnswer }) {
  const files = use_live<FilesAnswer>(`${base}/files`, { tables: [`${found.database}.${found.table}`] });
  return (
    <Answered of={files} what="files">
      {(answer) => (
        <>
          {found.partition && found.partition.length > 0 && (
            <Card title="Partitions" aside={<span class="unit">{number(answer.partitions_total)}</span>}>
              <Table
                label={`Partitions of ${found.table}`}
                word="partitions"
                {...(answer.partitions.length > 10 ? { find: "Filter partitions" } : {})}
                start_sort="partition"
                rows={answer.partitions}
                row_key={(one) => one.partition}
                empty={<Empty title="There is no partition yet." />}
                height={320}
                columns={[
                  { name: "partition", title: "Partition", value: (one) => one.partition || "(none)" },
                  { name: "files", title: "Files", value: (one) => one.files, right: true },
                  { name: "rows", title: "Rows", value: (one) => one.rows, show: (one) => <Count value={one.rows} />, right: true },
                  { name: "bytes", title: "Size", value: (one) => one.bytes, show: (one) => <Bytes value={one.bytes} />, right: true },
                ]}
              />
            </Card>
          )}
          <Card
            title="Data files"
            aside={
              <span class="unit">
                {number(answer.total)} files, <Bytes value={answer.bytes} />
              </span>
            }
          >
            {answer.files.length < answer.total && <p class="calm-note">The first {number(answer.files.length)} are listed.</p>}
            <Table
              label={`Data files of ${found.table}`}
              word="files"
              {...(answer.files.length > 10 ? { find: "Filter files" } : {})}
              rows={answer.files}
              row_key={(one) => one.path}
              empty={<Empty title="There is no file yet." />}
              columns={[
                { name: "path", title: "Object", value: (one) => one.path, show: (one) => <code class="text" title={one.path}>{one.path.split("/").slice(-1)[0]}</code> },
                { name: "partition", title: "Partition", value: (one) => one.partition || "\u2013", wide_from: 1200 },
                { name: "rows", title: "Rows", value: (one) => one.rows, show: (one) => <Count value={one.rows} />, right: true },
                { name: "bytes", title: "Size", value: (one) => one.bytes, show: (one) => <Bytes value={one.bytes} />, right: true },
                { name: "deletes", title: "Delete files", value: (one) => one.delete_files, right: true, wide_from: 900 },
              ]}
            />
          </Card>
        </>
      )}
    </Answered>
  );
}
