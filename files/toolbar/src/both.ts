/** A document whose file somebody else has changed: both versions stay. Nothing here asks Jupyter. */

/** What is used of a document that is open (`DocumentRegistry.Context`). */
export interface IOpen {
  readonly path: string;
  readonly model: {
    dirty: boolean;
    toString(): string;
    fromString(text: string): void;
  };
  readonly contentsModel: IOnDisk | null;
  save(): Promise<void>;
  revert(): Promise<void>;
}

/** What is known of a file on the disk (`Contents.IModel`). */
export interface IOnDisk {
  readonly type: string;
  readonly last_modified: string;
  readonly hash?: string | null;
  readonly size?: number | null;
}

/** How files are looked at and written. */
export interface IFiles<T extends IOpen> {
  /** What is on the disk now; null when there is nothing. */
  look(path: string): Promise<IOnDisk | null>;
  /** A name beside `path` that nothing has. */
  freeName(path: string): Promise<string>;
  /** Write what a document shows to a file. */
  write(name: string, document: T): Promise<void>;
  /** Whether a document's file has all that a person wrote in the document, and nothing else. */
  sameWritten(document: T): Promise<boolean>;
}

/** Nobody waits longer for a cell whose output does not end. */
const TRIES = 10;

/** A time this little later, in milliseconds, is the same: Jupyter's own measure. */
const SAME_MS = 500;

/** Whether a file is another one than was read or saved here. */
export function differs(known: IOnDisk | null, now: IOnDisk | null): boolean {
  if (!known || !now) {
    return false;
  }
  return known.hash && now.hash
    ? known.hash !== now.hash
    : Date.parse(now.last_modified) - Date.parse(known.last_modified) > SAME_MS;
}

/** Show a file as it is on the disk. */
export async function showFile(
  document: IOpen,
  onDisk: IOnDisk
): Promise<void> {
  await document.revert();
  if (onDisk.size === 0 && document.model.toString() !== '') {
    document.model.fromString(''); // Jupyter takes an empty file for one without an answer
  }
  // A model that had edits still says so after it was read again.
  document.model.dirty = false;
}

/**
 * When a file has changed since a document was read or saved, write what the document shows beside
 * it, then show the file. Fails, and leaves the document as it is, when that cannot be written.
 * Runs alone, such as that of a notebook in two windows, make no second file: the last one stays.
 *
 * @param told - is called before the document changes, and keeps the learner from typing from then
 * on; what was typed until then is in the version beside.
 * @returns whether it had; `kept` is missing when the document had no edits to keep.
 */
export async function keepBoth<T extends IOpen>(
  document: T,
  files: IFiles<T>,
  told: (kept: string) => void
): Promise<{ changed: boolean; kept?: string }> {
  const now = await files.look(document.path);
  if (!now || !differs(document.contentsModel, now)) {
    return { changed: false };
  }
  if (!document.model.dirty) {
    await showFile(document, now);
    return { changed: true };
  }
  if (await files.sameWritten(document)) {
    await files.write(document.path, document);
    await showFile(document, (await files.look(document.path)) ?? now);
    return { changed: true };
  }
  const kept = await files.freeName(document.path);
  let written = document.model.toString();
  await files.write(kept, document);
  told(kept);
  for (let tries = 0; tries < TRIES; tries += 1) {
    if (document.model.toString() === written) {
      break;
    }
    written = document.model.toString();
    await files.write(kept, document);
  }
  await showFile(document, now);
  return { changed: true, kept };
}

/**
 * Let every save of a document (Ctrl+S, the menu, Jupyter's own from time to time) look first
 * whether its file has changed, where Jupyter would ask which version is to be lost.
 *
 * @param settle - keeps both versions and returns true when the file has changed.
 */
export function guardSaves(
  document: IOpen,
  settle: () => Promise<boolean>
): void {
  const save = document.save.bind(document);
  let looking: Promise<boolean> | null = null;
  document.save = async () => {
    looking ??= settle().finally(() => (looking = null));
    if (!(await looking)) {
      await save();
    }
  };
}

/** Bytes of one file's name, on every file system in use. */
const NAME_BYTES = 255;

/** `stem` as far as `stem` + `end` can be the name of a file. */
export function nameWithin(stem: string, end: string): string {
  const bytes = (text: string): number => new TextEncoder().encode(text).length;
  const characters = Array.from(stem);
  while (characters.length && bytes(characters.join('') + end) > NAME_BYTES) {
    characters.pop();
  }
  return characters.join('') + end;
}
