/**
 * Writes the program in few files, `dist/main.js` and `dist/program`: most of a start was the
 * finding and reading of some five hundred modules (docs/adr/0023-program-in-few-files.md). The
 * library beside it stays as `tsc` writes it.
 */

import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { build } from 'rolldown';

/**
 * What every start needs and what is JavaScript alone, with all that it depends on. The others are
 * native, find files beside their own, or are loaded only when they are needed.
 */
const bundled = ['commander', 'pino', 'xstate', 'zod'];

await build({
  input: { main: 'src/main.ts', 'program/shard-program': 'src/server/shard-program.ts' },
  platform: 'node',
  tsconfig: 'tsconfig.build.json',
  // Builtin modules are not in question.
  external: (id, importer = '') =>
    /^[^./]/.test(id) && !importer.includes('/node_modules/') && !bundled.includes(id),
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

/** Nothing of an earlier build stays in `dist/program`; the licences of others are put there. */
function ownFolder() {
  return {
    name: 'own-folder',
    generateBundle(_options, bundle) {
      rmSync('dist/program', { recursive: true, force: true });
      const modules = Object.values(bundle).flatMap(({ moduleIds = [] }) => moduleIds);
      const packages = modules.flatMap(
        (id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id) ?? [],
      );
      const source = [...new Set(packages)].sort().map(licenceOf).join('\n');
      this.emitFile({ type: 'asset', fileName: 'program/LICENSES.txt', source });
    },
  };
}

function licenceOf(folder) {
  const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  if (file === undefined) throw new Error(`${name} comes without its licence`);
  return `${name} ${version}\n\n${readFileSync(`${folder}/${file}`, 'utf8')}`;
}
