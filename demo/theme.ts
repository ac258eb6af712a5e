// Light or dark colours: the system's, unless the visitor chose others.
import type { SettingValues } from "./settings.ts";

type Theme = SettingValues["theme"];

/** Whether the system has dark colours now. */
export const isDark = matchMedia("(prefers-color-scheme: dark)");

/** The colours that are not shown now, and the theme that shows them. */
export function otherColours(theme: Theme): { readonly colours: "light" | "dark"; readonly theme: Theme } {
  const system = isDark.matches ? "dark" : "light";
  const colours = (theme === "auto" ? system : theme) === "dark" ? "light" : "dark";
  return { colours, theme: colours === system ? "auto" : colours };
}
