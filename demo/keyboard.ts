// Keyboard shortcuts. Alt+Shift (on a Mac Control+Shift) and a letter: browsers and screen readers leave
// these letters to pages. They work while typing, too.

export type Command = "new" | "message" | "copy" | "search" | "list" | "settings" | "inspect";

/** By the letter on the key of a US keyboard, which is `KeyboardEvent.code`. */
export const SHORTCUTS: Readonly<Record<Command, { readonly letter: string; readonly label: string }>> = {
  new: { letter: "N", label: "New conversation" },
  message: { letter: "M", label: "Go to the message field" },
  copy: { letter: "C", label: "Copy the last answer" },
  search: { letter: "K", label: "Search conversations" },
  list: { letter: "L", label: "Show or hide the list of conversations" },
  settings: { letter: "S", label: "Settings" },
  inspect: { letter: "X", label: "Inspect" },
};

type Pressed = Pick<KeyboardEvent, "altKey" | "ctrlKey" | "shiftKey" | "metaKey" | "code" | "key">;

export const onMac = (): boolean => /Mac|iPhone|iPad/.test(navigator.platform);

/** @returns undefined if these keys mean nothing */
export function commandOf(
  { altKey, ctrlKey, shiftKey, metaKey, code }: Pressed,
  isMac: boolean,
): Command | undefined {
  const isHeld = shiftKey && !metaKey && (isMac ? ctrlKey && !altKey : altKey && !ctrlKey);
  const entries = Object.entries(SHORTCUTS) as [Command, { letter: string }][];
  return isHeld ? entries.find(([, { letter }]) => code === `Key${letter}`)?.[0] : undefined;
}

/** Whether the keys ask for the sheet: "?" outside of fields, Ctrl+/ (⌘/) everywhere. */
export function asksForSheet(
  { altKey, ctrlKey, metaKey, key }: Pressed,
  isMac: boolean,
  isTyping: boolean,
): boolean {
  if (altKey) return false;
  if (key === "?" && !ctrlKey && !metaKey) return !isTyping;
  return key === "/" && (isMac ? metaKey && !ctrlKey : ctrlKey && !metaKey);
}

/** Whether letters go into this element. */
export const isTypedInto = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  target.matches(
    "textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=button], [type=file])",
  );

/** As they are printed on the platform's keys. */
export const keysOf = (letter: string, isMac: boolean): readonly string[] =>
  isMac ? ["⌃", "⇧", letter] : ["Alt", "Shift", letter];
