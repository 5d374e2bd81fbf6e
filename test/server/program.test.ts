/** What stands in the files of the program, and what of them a start reads. Counts, never times. */

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { mainPath, startServerProcess } from '../server-process.js';

const execute = promisify(execFile);
const programFolder = fileURLToPath(new URL('../../dist/program/', import.meta.url));

test('a server reads few files, and nothing of what it was not asked for', async () => {
  const folder = temporaryFolder();
  const coverage = join(folder, 'read');
  const server = await startServerProcess({
    directory: join(folder, 'store'),
    env: { NODE_V8_COVERAGE: coverage },
  });
  expect(await server.end('SIGTERM')).toBe(0);
  const read = filesRead(coverage);
  expect(read.some((file) => file.endsWith('/dist/main.js'))).toBe(true);
  expect(read.length).toBeLessThan(100);
  const of = (name: string): string[] => read.filter((file) => file.includes(name));
  for (const name of ['fastify', 'prom-client', 'ws', 'yaml', 'zod', 'xstate', 'drachtio-srf']) {
    expect(of(`/node_modules/${name}/`)).toEqual([]);
  }
  for (const command of ['client', 'connect', 'demo', 'doctor', 'mailbox', 'store', 'verify']) {
    expect(of(`/dist/program/${command}.js`)).toEqual([]);
  }
});

test('a command of the operator reads nothing of a server', async () => {
  const coverage = temporaryFolder();
  const env = { ...process.env, NODE_V8_COVERAGE: coverage };
  await execute(process.execPath, [mainPath, 'account', '--help'], { env });
  const read = filesRead(coverage);
  expect(read.length).toBeLessThan(15);
  expect(read.filter((file) => file.includes('/node_modules/'))).toEqual([]);
});

test('whoever is inside the program has its licence beside it', () => {
  const licences = readFileSync(join(programFolder, 'LICENSES.txt'), 'utf8');
  const names = new Set(sources().flatMap((source) => packageOf(source) ?? []));
  expect([...names]).toEqual(expect.arrayContaining(['zod', 'xstate', 'commander', 'pino']));
  for (const name of names) expect(licences).toMatch(new RegExp(`^${name} \\d`, 'm'));
});

test('the maps of the program have every source of it, and its words', () => {
  const own = sources().filter((source) => packageOf(source) === undefined);
  expect(own.some((source) => source.endsWith('src/main.ts'))).toBe(true);
  expect(own.some((source) => source.endsWith('src/server/shard-program.ts'))).toBe(true);
  expect(own.filter((source) => source.endsWith('.js'))).toEqual([]);
});

test('cluster.shards: whoever embeds a server starts the shards of the program', async () => {
  const store = JSON.stringify(join(temporaryFolder(), 'store'));
  const script = `
    import { settingsOf, startServer } from 'poste-restante';
    const settings = settingsOf({
      store: { directory: ${store} },
      sip: { listen: [{ transport: 'udp', host: '127.0.0.1', port: 0 }] },
      msrp: { port: 0 }, cluster: { shards: 2 }, log: { level: 'error' },
    });
    const server = await startServer(settings);
    console.log(JSON.stringify(server.shards().map(({ isUp }) => isUp)));
    await server.stop();
  `;
  const cwd = fileURLToPath(new URL('../../', import.meta.url));
  const given = ['--input-type=module', '--eval', script];
  const { stdout } = await execute(process.execPath, given, { cwd });
  expect(JSON.parse(stdout)).toEqual([true, true]);
});

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'poste-restante-program-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The files that a process has read as modules, as V8 tells at its end. */
function filesRead(coverage: string): string[] {
  return readdirSync(coverage).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(join(coverage, file), 'utf8')) as {
      readonly result: readonly { readonly url: string }[];
    };
    return result.map(({ url }) => url).filter((url) => url.startsWith('file:'));
  });
}

function sources(): string[] {
  const maps = readdirSync(programFolder).filter((file) => file.endsWith('.map'));
  return [`${mainPath}.map`, ...maps.map((file) => join(programFolder, file))].flatMap((file) => {
    const map = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly sources: readonly string[];
      readonly sourcesContent: readonly (string | null)[];
    };
    for (const content of map.sourcesContent) expect(content).toBeTypeOf('string');
    return map.sources;
  });
}

function packageOf(source: string): string | undefined {
  return /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1];
}
