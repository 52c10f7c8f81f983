// What somebody may see of a table, in words.

import { Badge } from "./basic";

export interface SightLine {
  extent: "none" | "part" | "whole";
  columns: { name: string; masked: boolean }[];
  hidden: string[];
  grants: { all_columns: boolean; columns: string[]; rows: string; masks: Record<string, string> }[];
}

export const extent_words = { whole: "everything", part: "in part", none: "nothing" };

export const Extent = ({ extent }: { extent: SightLine["extent"] }) => <Badge word={extent_words[extent]} tone={extent === "whole" ? "good" : extent === "part" ? "warn" : "mute"} />;

/** Hidden columns, masks and row filters; nothing when all or nothing is seen. */
export function SightDetails({ sight }: { sight: SightLine }) {
  if (sight.extent !== "part") return <span class="absent-value">&ndash;</span>;
  const masked = sight.columns.filter((column) => column.masked);
  const rows = [...new Set(sight.grants.map((grant) => grant.rows))];
  const every_row = rows.includes("");
  return (
    <span class="sight-details">
      {sight.hidden.length > 0 && (
        <span>
          without <code>{sight.hidden.join(", ")}</code>
        </span>
      )}
      {masked.length > 0 && (
        <span>
          masked <code>{masked.map((column) => column.name).join(", ")}</code>
        </span>
      )}
      {rows.filter(Boolean).map((filter) => (
        <span key={filter}>
          {every_row ? "in some columns only rows where " : "only rows where "}
          <code>{filter}</code>
        </span>
      ))}
    </span>
  );
}
