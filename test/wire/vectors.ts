/** Vectors: one case a file, text as lines, with what a parser makes of it. */

import { readdirSync, readFileSync } from 'node:fs';

/** A line, or one that is repeated. `{x:9}` inside a line stands for nine x. */
type Line = string | { readonly line: string; readonly times: number };

interface VectorFile<E> {
  readonly about: string;
  /** Joined by CRLF. */
  readonly lines: readonly Line[];
  readonly charset?: 'utf8' | 'latin1';
  /** What is parsed; for an error its code. */
  readonly expect?: E;
  readonly error?: string;
  /** Nothing may follow: the end of the stream belongs to the case. */
  readonly open?: boolean;
  /** What precedes the last event depends on how the octets are split. */
  readonly partial?: boolean;
  /** What else the parser is given. */
  readonly contentType?: string;
}

export interface Vector<E> extends VectorFile<E> {
  readonly name: string;
  readonly bytes: Buffer;
}

export function vectors<E>(format: string): Vector<E>[] {
  const folder = new URL(`../vectors/${format}/`, import.meta.url);
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  if (names.length === 0) throw new Error(`no vectors of ${format}`);
  return names.sort().map((name) => {
    const file = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as VectorFile<E>;
    const bytes = Buffer.from(textOf(file.lines), file.charset ?? 'utf8');
    return { ...file, name: `${name.replace(/\.json$/, '')}: ${file.about}`, bytes };
  });
}

export function vector<E>(format: string, name: string): Vector<E> {
  const found = vectors<E>(format).find((candidate) => candidate.name.startsWith(`${name}: `));
  if (found === undefined) throw new Error(`no vector ${format}/${name}`);
  return found;
}

export function textOf(lines: readonly Line[]): string {
  return lines
    .flatMap((line) =>
      typeof line === 'string' ? [expand(line)] : Array<string>(line.times).fill(line.line),
    )
    .join('\r\n');
}

/** The code of the WireError that is thrown; anything else is thrown on. */
export function codeOf(parse: () => unknown): string | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    if (error instanceof Error && error.name === 'WireError' && 'code' in error) {
      return String(error.code);
    }
    throw error;
  }
}

function expand(line: string): string {
  return line.replace(/\{(.):(\d+)\}/gs, (_, text: string, times: string) =>
    text.repeat(Number(times)),
  );
}
