/** The store as JavaScript in a directory, for a process of its own. */

import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import ts from 'typescript';

/** Writes `src/store` as modules into `directory`/store, next to the packages they import. */
export async function transpileStore(directory: string, child: string): Promise<string> {
  await mkdir(join(directory, 'store', 'encryption'), { recursive: true });
  await symlink(resolve('node_modules'), join(directory, 'node_modules'));
  await writeFile(join(directory, 'package.json'), '{"type":"module"}');
  for (const name of await readdir('src/store', { recursive: true })) {
    if (!name.endsWith('.ts')) continue;
    const source = await readFile(join('src/store', name), 'utf8');
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
    });
    await writeFile(join(directory, 'store', name.replace(/ts$/, 'js')), outputText);
  }
  const script = join(directory, 'child.mjs');
  await cp(child, script);
  return script;
}
