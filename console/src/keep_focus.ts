// What has the focus may go away: the row that was dealt with, the link that led to another screen, the window that opened a
// second one. The browser then begins anew at the top of the page; here the focus stays near: at the next thing around it
// that can hold it, in the end the content as a whole.

function path_of(one: Element): Element[] {
  const path: Element[] = [];
  for (let at: Element | null = one; at !== null; at = at.parentElement) path.push(at);
  return path;
}

export function install_keep_focus(): () => void {
  let path: Element[] = [];
  const on_focus = (event: FocusEvent) => {
    if (event.target instanceof Element) path = path_of(event.target);
  };
  const changes = new MutationObserver(() => {
    if (path.length === 0 || path[0]!.isConnected || document.activeElement !== document.body) return;
    const around = path.find((one) => one.isConnected)?.closest<HTMLElement>("[tabindex]") ?? document.getElementById("content");
    path = [];
    around?.focus({ preventScroll: true });
  });
  addEventListener("focusin", on_focus);
  changes.observe(document.body, { childList: true, subtree: true });
  return () => {
    removeEventListener("focusin", on_focus);
    changes.disconnect();
  };
}
