// The answers that Access asks for.

import type { SightLine } from "../../ui";

export interface AccessKey {
  access_key_id: string;
  active: boolean;
  created: string;
  last_used: string | null;
}
export interface User {
  name: string;
  arn: string;
  created: string;
  roles: string[];
  policies: Record<string, unknown>;
  attributes: Record<string, string>;
  keys: AccessKey[];
}
export interface Grant {
  columns?: string[];
  hide?: string[];
  rows?: string;
  masks?: Record<string, string>;
  read?: boolean;
  write?: string[];
}
export interface Role {
  grants: Record<string, Grant>;
  policies: Record<string, PolicyDocument>; // beside the one that is made of the grants
}
export interface PolicyDocument {
  Statement: Statement | Statement[];
}
export interface Statement {
  Effect: string;
  Action?: string | string[];
  Resource?: string | string[];
}
export interface Roles {
  roles: Record<string, Role>;
}
export interface UserAccess {
  user: string;
  roles: string[];
  attributes: Record<string, string>;
  tables: ({ database: string; table: string; may?: Record<string, boolean> } & SightLine)[];
}
export interface AuditRecord {
  at: number;
  time: string;
  principal?: string;
  access_key_id?: string;
  door: string;
  action?: string; // what the lake does by itself has none
  resource?: string;
  outcome: "allowed" | "denied" | "failed";
  error_code?: string;
  source_ip?: string;
  user_agent?: string;
  request_id: string;
  bytes?: number;
  count?: number;
}
