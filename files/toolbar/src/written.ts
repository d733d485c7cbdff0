/** What people wrote of a notebook, apart from what Jupyter writes by itself. */
import { JSONExt, type ReadonlyJSONValue } from '@lumino/coreutils';

/** Keys of a notebook's metadata that Jupyter writes when a kernel starts or it is saved. */
const OF_THE_KERNEL = ['kernelspec', 'language_info', 'widgets'];

/** Keys of a cell's metadata that say how it is shown, and when it ran. */
const OF_THE_DISPLAY = [
  'scrolled',
  'collapsed',
  'autoscroll',
  'jupyter',
  'execution',
  'ExecuteTime',
  'hidden',
  'trusted'
];

type Mapping = Readonly<Record<string, unknown>>;

/** Whether two notebooks (nbformat 4) differ in nothing that a person wrote. */
export function sameWritten(one: unknown, other: unknown): boolean {
  const [here, there] = [written(one), written(other)];
  return here !== null && there !== null && JSONExt.deepEqual(here, there);
}

/** Null: it is no notebook. */
function written(notebook: unknown): ReadonlyJSONValue | null {
  if (!isMapping(notebook) || !Array.isArray(notebook.cells)) {
    return null;
  }
  const cells = (notebook.cells as unknown[]).filter(isMapping).map(cell => ({
    type: cell.cell_type,
    source: Array.isArray(cell.source) ? cell.source.join('') : cell.source,
    attachments: cell.attachments ?? {},
    metadata: without(cell.metadata, OF_THE_DISPLAY)
  }));
  const metadata = without(notebook.metadata, OF_THE_KERNEL);
  return { cells, metadata } as unknown as ReadonlyJSONValue;
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function without(metadata: unknown, keys: string[]): Mapping {
  const kept = Object.entries(isMapping(metadata) ? metadata : {});
  return Object.fromEntries(kept.filter(([key]) => !keys.includes(key)));
}
