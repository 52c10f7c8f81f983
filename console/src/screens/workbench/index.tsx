// The workbench: SQL, and questions without it. Results stay on the server for a while; tabs stay in the browser.

import { useState } from "preact/hooks";
import { address } from "../../navigate";
import { use_title } from "../../title";
import { Questions } from "./questions";
import { SqlPage } from "./sql_page";
import { open_workbench } from "./state";
import "./style.css";

export function Screen() {
  const questions = address.value.segments[1] === "questions";
  use_title("Workbench");
  useState(open_workbench); // before its parts look at the tabs
  return (
    <div class="page workbench">
      <h1 class="sr-only">Workbench</h1>
      <nav class="switch modes" aria-label="Workbench">
        <a href="/workbench" aria-current={questions ? undefined : "page"}>
          SQL
        </a>
        <a href="/workbench/questions" aria-current={questions ? "page" : undefined}>
          Questions
        </a>
      </nav>
      {questions ? <Questions /> : <SqlPage />}
    </div>
  );
}
