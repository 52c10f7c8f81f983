// The dashboards that the lakefile declares, live.

import { useEffect } from "preact/hooks";
import { DashboardTabs, DashboardPage } from "./page";
import { open_screen } from "./state";
import "./style.css";

export function Screen() {
  useEffect(open_screen, []);
  return (
    <>
      <DashboardTabs />
      <DashboardPage />
    </>
  );
}
