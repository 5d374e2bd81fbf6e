/**
 * Writes the program in few files, `dist/main.js` and `dist/program`: most of a start was the
 * finding and reading of some five hundred modules (docs/adr/0023-program-in-few-files.md). The
 * library beside it stays as `tsc` writes it.
 */

import { readFileSync, rmSync } from 'node:fs';
import { build } from 'rolldown';

/** Packages of many small files; the others come from node_modules, when they are needed. */
const bundled = ['xstate', 'zod'];

await build({
  input: { main: 'src/main.ts', 'program/shard-program': 'src/server/shard-program.ts' },
  platform: 'node',
  tsconfig: 'tsconfig.build.json',
  external: (id) => /^[^./]/.test(id) && !bundled.some((name) => isWithin(id, name)),
  plugins: [ownFolder()],
  onLog(level, log) {
    if (level === 'warn') throw new Error(log.message);
  },
  output: {
    dir: 'dist',
    chunkFileNames: 'program/[name].js',
    // A stack trace is read by people: names stay, and `--enable-source-maps` finds the sources.
    minify: false,
    minifyInternalExports: false,
    sourcemap: true,
  },
});

function isWithin(id, name) {
  return id === name || id.startsWith(`${name}/`);
}

/** Nothing of an earlier build stays in `dist/program`; the licences of others are put there. */
function ownFolder() {
  return {
    name: 'own-folder',
    generateBundle(_options, bundle) {
      rmSync('dist/program', { recursive: true, force: true });
      const modules = Object.values(bundle).flatMap(({ moduleIds = [] }) => moduleIds);
      const packages = modules.flatMap((id) => /^.*\/node_modules\/[^/]+/.exec(id) ?? []);
      const source = [...new Set(packages)].sort().map(licenceOf).join('\n');
      this.emitFile({ type: 'asset', fileName: 'program/LICENSES.txt', source });
    },
  };
}

function licenceOf(folder) {
  const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  return `${name} ${version}\n\n${readFileSync(`${folder}/LICENSE`, 'utf8')}`;
}
