// The SQL editor: CodeMirror in a shadow root. There its styles are constructed style sheets, which a policy that forbids
// inline styles lets be; in the page itself they would be style elements, which it does not.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { PostgreSQL, sql } from "@codemirror/lang-sql";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { Compartment, EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { TableColumns } from "./catalog";
import type { Mark } from "./state";

const look = EditorView.theme({
  "&": { height: "100%", fontSize: "0.929rem", backgroundColor: "var(--card)", color: "var(--ink)" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5" },
  ".cm-gutters": { backgroundColor: "var(--card)", color: "var(--ink-2)", border: "0" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--accent-soft) 45%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--flash)" },
  ".cm-placeholder": { color: "var(--ink-2)" },
  ".cm-tooltip": { backgroundColor: "var(--card)", color: "var(--ink)", border: "1px solid var(--line)", borderRadius: "8px", boxShadow: "var(--shadow-high)" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--accent-ink)" },
  ".cm-completionDetail": { color: "inherit", opacity: "0.8", marginLeft: "1.2em", fontStyle: "normal" },
  ".cm-diagnostic-error": { borderLeft: "4px solid var(--bad)", padding: "6px 10px" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad)", textUnderlineOffset: "4px" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--mute-soft)", outline: "1px solid var(--line-strong)" },
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--accent)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--warn)" },
  { tag: tags.comment, color: "var(--ink-2)", fontStyle: "italic" },
  { tag: tags.typeName, color: "var(--series-2)" },
]);

/** What is typed over selected text is put in by the editor: Chromium would put it into an element with the old text's look in its style
    attribute, which the policy forbids and the browser's console tells as an error. */
const typed_over = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { from, to, empty } = view.state.selection.main;
    if (event.inputType !== "insertText" || event.data === null || empty || view.composing || view.state.selection.ranges.length > 1) return false;
    const text = event.data;
    const insert = () => view.state.update({ ...view.state.replaceSelection(text), userEvent: "input.type", scrollIntoView: true });
    // Brackets around what was selected, and the like.
    if (!view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, text, insert))) view.dispatch(insert());
    event.preventDefault();
    return true;
  },
});

export interface Editor {
  text: () => string;
  set_text: (text: string) => void;
  /** Where the cursor stands, instead of what is selected. */
  insert: (text: string) => void;
  selection: () => { text: string; from: number };
  set_tables: (tables: TableColumns[]) => void;
  set_mark: (mark: Mark | null) => void;
  focus: () => void;
  destroy: () => void;
}

function schema_of(tables: TableColumns[]): Record<string, readonly { label: string; detail: string; type: string }[]> {
  return Object.fromEntries(tables.map((table) => [table.name, table.columns.map((column) => ({ label: column.name, detail: column.type, type: "property" }))]));
}

export function make_editor(host: HTMLElement, options: { text: string; label: string; change: (text: string) => void; run: () => void }): Editor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  root.replaceChildren();
  const language = new Compartment();
  const sql_with = (tables: TableColumns[]) => sql({ dialect: PostgreSQL, schema: schema_of(tables), upperCaseKeywords: false });
  let told = true;
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        keymap.of([
          { key: "Mod-Enter", run: () => (options.run(), true), preventDefault: true },
          ...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap,
        ]),
        lineNumbers(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(), highlightActiveLine(),
        autocompletion({ icons: false }), typed_over,
        placeholder("select * from \u2026"),
        language.of(sql_with([])), syntaxHighlighting(colours), look, EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": options.label, spellcheck: "false" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && told) options.change(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    set_text: (text) => {
      if (text === view.state.doc.toString()) return;
      told = false;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
      told = true;
    },
    insert: (text) => {
      view.dispatch(view.state.replaceSelection(text));
      view.focus();
    },
    selection: () => {
      const { from, to } = view.state.selection.main;
      return from === to ? { text: view.state.doc.toString(), from: 0 } : { text: view.state.sliceDoc(from, to), from };
    },
    set_tables: (tables) => view.dispatch({ effects: language.reconfigure(sql_with(tables)) }),
    set_mark: (mark) => {
      const size = view.state.doc.length;
      const list: Diagnostic[] = mark === null || mark.from > size ? [] : [{ from: Math.min(mark.from, size), to: Math.min(mark.to, size), severity: "error", message: mark.message }];
      view.dispatch(setDiagnostics(view.state, list));
      if (mark !== null && mark.from <= size) view.dispatch({ effects: EditorView.scrollIntoView(mark.from, { y: "nearest" }) });
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}
