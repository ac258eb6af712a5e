// The text files of the message that is being written.
import { Observable } from "./observable.ts";
import { joinMessage, readTextFile, sizeOf, type TextFile } from "./text-files.ts";

export class Attached extends Observable {
  files: readonly TextFile[] = [];
  /** Why the last files were not added. */
  problems: readonly string[] = [];

  async add(files: readonly File[]): Promise<void> {
    this.problems = [];
    for (const file of files) {
      const held = this.files.reduce((sum, each) => sum + sizeOf(each), 0);
      try {
        const added = await readTextFile(file, held);
        this.files = [...this.files.filter(({ name }) => name !== added.name), added];
      } catch (error) {
        this.problems = [...this.problems, error instanceof Error ? error.message : String(error)];
      }
    }
    this.changed();
  }

  remove(file: TextFile): void {
    this.files = this.files.filter((each) => each !== file);
    this.problems = [];
    this.changed();
  }

  /** @returns the message with the files, which are no longer kept */
  take(words: string): string {
    const message = joinMessage(words, this.files);
    this.files = this.problems = [];
    this.changed();
    return message;
  }
}
