/** Tests as the lists of a page: each file once, its tests below. */

import type { NamedTest } from './named-tests.js';

export function listed(tests: readonly Pick<NamedTest, 'file' | 'name'>[]): string[] {
  const files = new Map<string, string[]>();
  for (const { file, name } of tests) files.set(file, [...(files.get(file) ?? []), name]);
  return [...files].flatMap(([file, names]) => [
    `- \`${file}\``,
    ...names.map((name) => `  - ${code(name)}`),
  ]);
}

export function escaped(text: string): string {
  return text.replaceAll('*', '\\*');
}

/** As the formatter wants it: spaces only beside a backtick at an end. */
function code(name: string): string {
  if (!name.includes('`')) return `\`${name}\``;
  const pad = name.startsWith('`') || name.endsWith('`') ? ' ' : '';
  return `\`\`${pad}${name}${pad}\`\``;
}
