/** Whether a result is still about what is on the screen. Nothing here asks Jupyter. */

/** A place in a document: a cell of a notebook or a line of a text, counted from 1. */
export interface IPlace {
  cell: number | null;
  line: number | null;
}

/** What is used of a document's model: a text, or the cells of a notebook. */
export interface IAnswer {
  toString(): string;
  readonly cells?: Iterable<{
    readonly type: string;
    readonly sharedModel: { getSource(): string };
  }>;
}

/** What a learner has written, without outputs and execution counts. */
export function textOf(model: IAnswer): string {
  return model.cells
    ? JSON.stringify(
        Array.from(model.cells, cell => [
          cell.type,
          cell.sharedModel.getSource()
        ])
      )
    : model.toString();
}
