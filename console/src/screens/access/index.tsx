// Users, roles, keys, policies; what each person sees; the trail of who did what.

import { address } from "../../navigate";
import { use_title } from "../../title";
import { Page, Tabs } from "../../ui";
import { AuditTab } from "./audit_tab";
import { LinksTab } from "./links_tab";
import { RolesTab } from "./roles_tab";
import { SightTab } from "./sight_tab";
import { UserPage } from "./user_page";
import { UsersTab } from "./users_tab";
import "./style.css";

export function Screen() {
  const [, part, name] = address.value.segments;
  use_title("Access");
  if (part === "users" && name !== undefined) return <UserPage key={name} name={name} />;
  return (
    <Page title="Access" name="access">
      <Tabs
        label="Parts of Access"
        tabs={[
          { name: "users", title: "Users", show: () => <UsersTab /> },
          { name: "roles", title: "Roles", show: () => <RolesTab /> },
          { name: "sight", title: "Who sees what", show: () => <SightTab /> },
          { name: "links", title: "Links", show: () => <LinksTab /> },
          { name: "audit", title: "Audit trail", show: () => <AuditTab /> },
        ]}
      />
    </Page>
  );
}
