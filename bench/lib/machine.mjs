/** What a figure was measured on. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, release, totalmem, type } from 'node:os';
import process from 'node:process';
import { fsyncTime } from './metered.mjs';

export function machine() {
  const { version } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return {
    version,
    revision: output('git', ['rev-parse', '--short', 'HEAD']),
    node: process.version,
    system: `${type()} ${release()} ${arch()}`,
    processors: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
    fsyncUs: fsyncTime(),
  };
}

/** Of the programs that were measured beside ours. */
export function peerVersions() {
  const first = (program, args) => output(program, args)?.split('\n')[0];
  return {
    kamailio: first('kamailio', ['-v']),
    postgresql: first('/usr/lib/postgresql/15/bin/postgres', ['--version']),
    sqlite: first('sqlite3', ['--version'])?.split(' ')[0],
  };
}

function output(program, args) {
  try {
    return execFileSync(program, args, { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  } catch {
    return undefined;
  }
}
