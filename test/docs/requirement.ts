/** What a standard demands of this product, by the id that tests carry. */

export interface Requirement {
  readonly id: string;
  /** RFC and section. */
  readonly clause: string;
  readonly text: string;
  /** What of it is missing, and why. */
  readonly partly?: string;
  /** Why nothing of it is there. */
  readonly not?: string;
}

export interface Chapter {
  readonly title: string;
  readonly requirements: readonly Requirement[];
}

export type Row = readonly [
  id: string,
  clause: string,
  text: string,
  state?: { readonly partly?: string; readonly not?: string },
];

export function chapter(title: string, rows: readonly Row[]): Chapter {
  return {
    title,
    requirements: rows.map(([id, clause, text, state]) => ({ id, clause, text, ...state })),
  };
}
