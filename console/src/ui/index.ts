// The design system: import from "../../ui".
export * from "./basic";
export * from "./layout";
export * from "./overlays";
export * from "./states";
export * from "./table";
export * from "./sight";
