/** The figures of a run of faults, one line for each test, for `run.mjs` to make a page of. */

import { appendFileSync } from 'node:fs';

export type Figures = Readonly<Record<string, number | string>>;

/** Says them, and writes them down when the run asks for it. */
export function note(fault: string, figures: Figures): void {
  const line = `${JSON.stringify({ fault, ...figures })}\n`;
  process.stdout.write(line);
  const path = process.env['FAULT_LOG'];
  if (path !== undefined) appendFileSync(path, line);
}
