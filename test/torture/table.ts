/** The page of the torture tests: what was sent, what may be answered, what was. */

export interface Row {
  readonly file: string;
  readonly note: string;
  readonly level: string;
  readonly expected: string;
  /** By the name of the column. */
  readonly got: Map<string, string>;
}

export function tableOf(title: string, rows: readonly Row[]): string {
  return `# ${title}\n${rows.length}\n`;
}
