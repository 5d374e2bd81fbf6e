/** The tests that carry ids of requirements: in TypeScript, in flows and in vectors. */

import { readFileSync, readdirSync } from 'node:fs';

export interface NamedTest {
  /** Path from the root of the repository. */
  readonly file: string;
  readonly name: string;
  readonly ids: readonly string[];
}

const root = new URL('../../', import.meta.url);
const idPattern = /\b[A-Z]{2,5}-\d{2}\b/g;
/** A string that follows the opening of a test; what `each` was given may lie between. */
const titles = /\b(?:test|it|describe)(?:\.\w+)*\(\s*(?:(['"`])((?:(?!\1)[^\\]|\\.)*)\1)/g;
const eachTitles = /\)\(\s*(['"`])((?:(?!\1)[^\\]|\\.)*)\1\s*,/g;

/** All of them in the order of the files; ids outside of `known` are no ids. */
export function namedTests(known: ReadonlySet<string>): NamedTest[] {
  const files = readdirSync(new URL('test/', root), { recursive: true, encoding: 'utf8' }).sort();
  return files.flatMap((name) => {
    const file = `test/${name}`;
    return namesIn(file).flatMap((title) => {
      const ids = idsOf(title).filter((id) => known.has(id));
      return ids.length === 0 ? [] : [{ file, name: title, ids }];
    });
  });
}

function namesIn(file: string): string[] {
  if (/\.test\.ts$|contract.*\.ts$/.test(file)) return titlesOf(read(file));
  if (file.endsWith('.flow'))
    return (
      read(file)
        .match(/^# .*$/gm)
        ?.map((line) => line.slice(2)) ?? []
    );
  if (!/^test\/vectors\/.*\.json$/.test(file)) return [];
  const about = /"about": "((?:[^"\\]|\\.)*)"/.exec(read(file))?.[1];
  return about === undefined ? [] : [about];
}

function titlesOf(source: string): string[] {
  const found = [...source.matchAll(titles), ...source.matchAll(eachTitles)];
  const inOrder = found.sort((one, other) => one.index - other.index);
  return [...new Set(inOrder.map((match) => match[2]!))];
}

/** `SIP-01 to SIP-10` stands for both ends only. */
function idsOf(title: string): string[] {
  return [...new Set(title.match(idPattern) ?? [])];
}

function read(file: string): string {
  return readFileSync(new URL(file, root), 'utf8');
}
