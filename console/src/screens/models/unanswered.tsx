// A figure that is computed of tables: refused where the viewer may not read them, and else not there yet.
import { Empty, NoPermission } from "../../ui";
import type { Unanswered } from "./types";

export const NotAnswered = ({ of, what, title }: { of: Unanswered; what: string; title: string }) =>
  of.error.code === "permission_denied" ? <NoPermission what={what} message={of.error.message} /> : <Empty title={title}>{of.error.message}</Empty>;
