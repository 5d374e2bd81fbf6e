/** A section of `docs/verification.md`: made by a run, never by hand. */
export interface Section {
  readonly title: string;
  /** Takes what it needs of time, and returns Markdown. */
  readonly write: () => string | Promise<string>;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
