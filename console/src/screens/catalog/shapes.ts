// The answers that the catalog asks for.

import type { Cell } from "../../api";

export interface Maker {
  kind: "source" | "step";
  name: string;
  how: string;
}
export interface TableLine {
  database: string;
  table: string;
  kind: "table" | "view";
  description: string;
  tags: string[];
  owner: string;
  whole: boolean;
  columns: number;
  updated: string | null;
  made_by: Maker | null;
  rows?: number | null;
  bytes?: number | null;
  files?: number | null;
  fresh_s?: number; // how long ago its newest change may be
  late?: boolean;
  found_columns?: string[];
}
export interface TableColumn {
  name: string;
  type: string;
  description: string;
  required: boolean;
  masked: boolean;
}
export interface TableAnswer extends Omit<TableLine, "columns"> {
  columns: TableColumn[];
  created: string;
  may: { insert: boolean; update: boolean; delete: boolean; alter: boolean };
  partition?: { name: string; column: string; transform: string }[];
  snapshot?: string | null;
  snapshots?: number;
  location?: string;
  metadata_location?: string;
  properties?: Record<string, string>;
  sql?: string;
}
export interface SnapshotLine {
  id: string;
  at: string;
  operation: string;
  current: boolean;
  parent?: string;
  rows?: number | null;
  bytes?: number | null;
  files?: number | null;
  rows_added?: number;
  rows_removed?: number;
  files_added?: number;
  files_removed?: number;
  bytes_added?: number;
}
export interface FilesAnswer {
  files: { path: string; partition: string; rows: number; bytes: number; format: string; delete_files: number }[];
  partitions: { partition: string; files: number; rows: number; bytes: number }[];
  partitions_total: number;
  total: number;
  bytes: number;
}
export interface ColumnProfile {
  name: string;
  type: string;
  masked: boolean;
  nulls: number;
  distinct: number | null;
  min: string | null;
  max: string | null;
  histogram?: { low: number; high: number; counts: number[]; each: boolean; unit: "value" | "epoch_s" } | null;
  top?: { value: string; count: number }[];
  not_drawn?: boolean;
  problem?: string;
}
export interface ProfileAnswer {
  rows: number;
  partial: boolean;
  exact: boolean;
  milliseconds: number;
  columns: ColumnProfile[];
}
export interface SampleAnswer {
  columns: { name: string; type: string }[];
  rows: Cell[][];
}
export interface LineageNode {
  id: string;
  kind: "table" | "source" | "alert" | "dashboard";
  name: string;
  state?: string;
  how?: string;
  title?: string;
  step?: string;
}
export interface LineageColumn {
  table: string;
  column: string;
  from: { table: string; column: string }[];
}
export interface LineageAnswer {
  nodes: LineageNode[];
  edges: { from: string; to: string; step?: string }[];
  truncated: boolean;
  columns_from?: LineageColumn[];
  columns_to?: LineageColumn[];
  sql?: string;
  checks?: { expression: string; consequence: string }[];
}
export interface Sight {
  extent: "none" | "part" | "whole";
  columns: { name: string; masked: boolean }[];
  hidden: string[];
  grants: { all_columns: boolean; columns: string[]; rows: string; masks: Record<string, string> }[];
  may?: { insert: boolean; update: boolean; delete: boolean; alter: boolean };
  problem?: string;
}
export interface AccessAnswer {
  users: ({ user: string; roles: string[]; attributes: Record<string, string> } & Sight)[];
  roles: Record<string, unknown>;
}
