/** The load generator, built from its C source on first use. */

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bench = fileURLToPath(new URL('..', import.meta.url));
const source = join(bench, 'loadgen', 'loadgen.c');
const build = join(bench, 'build');
const program = join(build, 'loadgen');

/** Builds what is missing or older than its source. Throws where there is no C compiler. */
export function buildLoadgen() {
  compile(source, program, ['-Wall', '-Wextra', '-Wno-format-truncation']);
}

/** Makes fsync do nothing, for the peer's figure without durability. */
export function buildNosync() {
  const library = join(build, 'nosync.so');
  compile(join(bench, 'peers', 'nosync.c'), library, ['-shared', '-fPIC']);
  return library;
}

function compile(from, to, options) {
  if (existsSync(to) && statSync(to).mtimeMs >= statSync(from).mtimeMs) return;
  mkdirSync(build, { recursive: true });
  execFileSync('cc', ['-O2', ...options, '-o', to, from], { stdio: 'inherit' });
}

/** Resolves with the line of JSON that it prints, when it is done or `signal` ends it. */
export function loadgen(mode, options, { signal } = {}) {
  const args = Object.entries(options).flatMap(([name, value]) => {
    if (value === false || value === undefined) return [];
    return value === true ? [`--${name}`] : [`--${name}`, String(value)];
  });
  return new Promise((resolve, reject) => {
    const child = spawn(program, [mode, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    signal?.addEventListener('abort', () => child.kill('SIGINT'));
    child.stdout.on('data', (data) => (text += data));
    child.on('error', reject);
    child.on('close', (code) => {
      try {
        resolve(JSON.parse(text.trim().split('\n').at(-1)));
      } catch {
        reject(new Error(`loadgen ${mode} ${args.join(' ')}: exit ${code}: ${text}`));
      }
    });
  });
}
