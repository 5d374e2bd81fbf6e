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

function code(name: string): string {
  return name.includes('`') ? `\`\` ${name} \`\`` : `\`${name}\``;
}
