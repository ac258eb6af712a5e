// The files of a picked or dropped checkpoint: those of the folder itself, without subfolders, or GGUF files.
import { firstPart } from "./gguf-files.ts";

export interface Picked {
  readonly name: string;
  readonly files: readonly File[];
}

/** From `<input type="file">`, with or without `webkitdirectory`. */
export function pickedFiles(list: FileList): Picked {
  const files = [...list].filter(({ webkitRelativePath }) => webkitRelativePath.split("/").length <= 2);
  return { name: files[0]?.webkitRelativePath.split("/")[0] || nameOf(files), files };
}

/** From a drop: a folder or its files. undefined for anything else. */
export async function droppedFiles(data: DataTransfer): Promise<Picked | undefined> {
  // Before the first await: after it the browser has cleared the entries.
  const entries = [...data.items].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
  const loose = [...data.files];
  if (entries.length === 0) return loose.length > 0 ? { name: nameOf(loose), files: loose } : undefined;
  const folder = entries.find((entry) => entry.isDirectory);
  const listed = folder ? await entriesOf(folder as FileSystemDirectoryEntry) : entries;
  const files = await Promise.all(
    listed.filter((entry) => entry.isFile).map((entry) => fileOf(entry as FileSystemFileEntry)),
  );
  return files.length > 0 ? { name: folder?.name ?? nameOf(files), files } : undefined;
}

/** The name of a GGUF file, whole or in parts. */
function nameOf(files: readonly File[]): string {
  const [name, ...others] = new Set(files.map((file) => firstPart(file.name)));
  return name !== undefined && others.length === 0 ? name : "the chosen files";
}

/** A directory reader returns entries in batches; an empty batch ends the folder. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const piece = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (piece.length === 0) return all;
    all.push(...piece);
  }
}

const fileOf = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => entry.file(resolve, reject));
