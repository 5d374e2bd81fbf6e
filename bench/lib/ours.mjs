/** Poste Restante as a process of its own, built, with a directory that outlives a kill. */

import { spawn } from 'node:child_process';
import { openSync, writeFileSync } from 'node:fs';
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

  /** `options` are those of the command line; `node` are those of Node; `settings` those of a file. */
  constructor({ options = [], node = [], settings } = {}) {
    this.options = options;
    this.node = node;
    this.settings = settings;
  }

  async open() {
    await this.place();
    await this.start();
    return this;
  }

  /** Where it is to be, before it is there. */
  async place() {
    this.directory = newDirectory();
    this.store = join(this.directory, 'store');
    this.port = await freePort();
    if (!this.settings) return;
    this.file = join(this.directory, 'settings.json');
    writeFileSync(this.file, JSON.stringify(this.settings));
  }

  /** Resolves with the milliseconds until it answers, or until `isThere(port)` resolves. */
  async start(isThere = answering) {
    const began = performance.now();
    const args = [`--port=${this.port}`, '--msrp-port=0', `--dir=${this.store}`];
    if (this.file) args.push(`--config=${this.file}`);
    const log = openSync(join(this.directory, 'log'), 'a');
    // Figures are those of one process, unless the options ask for more.
    const always = ['--log-level=warn', '--shards=1'];
    const command = [...this.node, main, ...args, ...always, ...this.options];
    this.child = own(spawn(process.execPath, command, { stdio: ['ignore', log, log] }));
    await isThere(this.port);
    return performance.now() - began;
  }

  get pids() {
    return [this.child.pid];
  }

  /** Ends in good order; its directory stays. */
  async stop() {
    const tree = treeOf(this.child.pid);
    killTree(this.child.pid, 'SIGTERM');
    await ended(tree, 60_000);
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
