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
  { name: "home", title: "Home", path: "/", icon: "M4 11.5 12 4l8 7.5M6.5 10v10h11V10", key: "h", load: () => import("./screens/home") },
  {
    name: "catalog",
    title: "Catalog",
    path: "/catalog",
    icon: "M5 6.5C5 5 8 4 12 4s7 1 7 2.5S16 9 12 9 5 8 5 6.5zm0 0v11C5 19 8 20 12 20s7-1 7-2.5v-11M5 12c0 1.5 3 2.5 7 2.5s7-1 7-2.5",
    key: "c",
    load: () => import("./screens/catalog"),
  },
  {
    name: "workbench",
    title: "Workbench",
    path: "/workbench",
    icon: "M4 5h16v14H4zm3 5 3 2-3 2m6 1h4",
    key: "w",
    load: () => import("./screens/workbench"),
  },
  {
    name: "pipelines",
    title: "Pipelines",
    path: "/pipelines",
    icon: "M4 5h5v5H4zm11 9h5v5h-5zM15 5h5v5h-5zM9 7.5h6M6.5 10v6.5H15",
    key: "p",
    load: () => import("./screens/pipelines"),
  },
  {
    name: "dashboards",
    title: "Dashboards",
    path: "/dashboards",
    icon: "M4 13h6V4H4zm10 7h6v-9h-6zM4 20h6v-3H4zm10-13h6V4h-6z",
    key: "d",
    load: () => import("./screens/dashboards"),
  },
  {
    name: "alerts",
    title: "Alerts",
    path: "/alerts",
    icon: "M6 10a6 6 0 0 1 12 0c0 5 2 6 2 7H4c0-1 2-2 2-7zm4 10h4",
    key: "a",
    load: () => import("./screens/alerts"),
  },
  {
    name: "models",
    title: "Models",
    path: "/models",
    icon: "M4 20V4m0 16h16M7 15l4-5 3 3 5-7",
    key: "m",
    load: () => import("./screens/models"),
  },
  {
    name: "access",
    title: "Access",
    path: "/access",
    icon: "M8 11a4 4 0 1 1 0-8 4 4 0 0 1 0 8zm-6 9c0-3.5 2.5-6 6-6s6 2.5 6 6M16 11l2 2 4-4.5",
    key: "u",
    load: () => import("./screens/access"),
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
  if (href === undefined || document.querySelector(`link[rel="stylesheet"][href="${href}"]`)) return Promise.resolve();
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
