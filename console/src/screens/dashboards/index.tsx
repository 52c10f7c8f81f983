// The dashboards that the lakefile declares, live.

import { useLayoutEffect } from "preact/hooks";
import { DashboardTabs, DashboardPage } from "./page";
import { open_screen } from "./state";
import "./style.css";

export function Screen() {
  useLayoutEffect(open_screen, []); // asks before this is painted
  return (
    <>
      <DashboardTabs />
      <DashboardPage />
    </>
  );
}
