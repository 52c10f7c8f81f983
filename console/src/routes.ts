// The screens: where each stands, and the chunk that draws it. A screen is one line here and a folder screens/<name>/ whose
// index.tsx exports `Screen`; its style sheet, if it imports one, is loaded with it.

import type { ComponentType } from "preact";

export interface ScreenModule {
  Screen: ComponentType;
}

export interface ScreenRoute {
  name: string; // of the folder, and the first segment of its addresses
  title: string;
  path: string; // "/catalog" takes "/catalog" and all below it
  icon: string; // the d of a path, 24 by 24, drawn as a line
  key: string; // "g" and then this key goes there
  load: () => Promise<ScreenModule>;
}

export const screens: ScreenRoute[] = [
  {
    name: "workbench",
    title: "Workbench",
    path: "/workbench",
    icon: "M4 5h16v14H4zm3 5 3 2-3 2m6 1h4",
    key: "w",
    load: () => import("./screens/workbench"),
  },
  {
    name: "dashboards",
    title: "Dashboards",
    path: "/dashboards",
    icon: "M4 13h6V4H4zm10 7h6v-9h-6zM4 20h6v-3H4zm10-13h6V4h-6z",
    key: "d",
    load: () => import("./screens/dashboards"),
  },
];

/** The screen of a path; "/" is Home, or the first one there is. */
export function screen_of(path: string): ScreenRoute | null {
  if (path === "/" || path === "/sign-in") return screens[0] ?? null;
  return screens.find((one) => one.path !== "/" && (path === one.path || path.startsWith(one.path + "/"))) ?? null;
}

// The style sheet of a screen's chunk, by the screen's name; build.mjs writes it into the page.
const styles = JSON.parse(document.querySelector('meta[name="screen-styles"]')?.getAttribute("content") || "{}") as Record<string, string>;

/** Of a chunk that is no screen: its folder's name. */
export function load_style(name: string): Promise<void> {
  const href = styles[name];
  if (href === undefined || document.querySelector(`link[href="${href}"]`)) return Promise.resolve();
  return new Promise((done) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = href;
    link.onload = () => done();
    link.onerror = () => done(); // unstyled is better than nothing
    document.head.append(link);
  });
}

const loaded = new Map<string, ScreenModule>();
export const loaded_screen = (route: ScreenRoute): ScreenModule | null => loaded.get(route.name) ?? null;

export async function load_screen(route: ScreenRoute): Promise<ScreenModule> {
  const known = loaded.get(route.name);
  if (known) return known;
  const [module] = await Promise.all([route.load(), load_style(route.name)]);
  loaded.set(route.name, module);
  return module;
}
