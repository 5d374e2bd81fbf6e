/** Poste Restante as a process of its own, built, with a directory that outlives a kill. */

import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import {
  answering,
  dropDirectory,
  ended,
  freePort,
  killTree,
  newDirectory,
  own,
  treeOf,
} from './processes.mjs';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export class Ours {
  name = 'ours';

  /** `options` are those of the command line; `node` are those of Node. */
  constructor({ options = [], node = [] } = {}) {
    this.options = options;
    this.node = node;
  }

  async open() {
    this.directory = newDirectory();
    this.port = await freePort();
    await this.start();
    return this;
  }

  /** Resolves with the milliseconds until it answers. */
  async start() {
    const began = performance.now();
    const args = [`--port=${this.port}`, '--msrp-port=0', `--dir=${join(this.directory, 'store')}`];
    const log = openSync(join(this.directory, 'log'), 'a');
    const command = [...this.node, main, ...args, '--log-level=warn', ...this.options];
    this.child = own(spawn(process.execPath, command, { stdio: ['ignore', log, log] }));
    await answering(this.port);
    return performance.now() - began;
  }

  get pids() {
    return [this.child.pid];
  }

  async kill() {
    const tree = treeOf(this.child.pid);
    killTree(this.child.pid);
    await ended(tree);
  }

  async close() {
    const tree = treeOf(this.child.pid);
    killTree(this.child.pid, 'SIGTERM');
    await ended(tree, 5000);
    dropDirectory(this.directory);
  }
}
