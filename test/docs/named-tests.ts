/** The tests that carry ids of requirements: in TypeScript, in flows and in vectors. */

import { readFileSync, readdirSync } from 'node:fs';

export interface NamedTest {
  /** Path from the root of the repository. */
  readonly file: string;
  readonly name: string;
  readonly ids: readonly string[];
}

const root = new URL('../../', import.meta.url);
/** `SIP-01`, `S1-EXP-KEEP`, `IMSpec-DMT-S-002`, `U5`; what follows it may stand for its last part. */
const idPattern = /\b(U\d{1,2}|[A-Z]\w*(?:-[A-Z0-9]+)+)\b((?:, -[A-Z0-9]+\b)*)/g;
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

export function testsById(tests: readonly NamedTest[]): ReadonlyMap<string, NamedTest[]> {
  const byId = new Map<string, NamedTest[]>();
  for (const test of tests) {
    for (const id of test.ids) byId.set(id, [...(byId.get(id) ?? []), test]);
  }
  return byId;
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

/** `SIP-01 to SIP-10` stands for both ends only; `S1-EXP-KEEP, -EQUAL` for two of one family. */
function idsOf(title: string): string[] {
  const ids = [...title.matchAll(idPattern)].flatMap(([, first, more]) => {
    const family = first!.slice(0, first!.lastIndexOf('-'));
    return [first!, ...(more!.match(/-[A-Z0-9]+/g) ?? []).map((last) => family + last)];
  });
  return [...new Set(ids)];
}

function read(file: string): string {
  return readFileSync(new URL(file, root), 'utf8');
}
