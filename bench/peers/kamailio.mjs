/** Kamailio with its module msilo: what an operator would take otherwise. */

import { spawn } from 'node:child_process';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import {
  answering,
  dropDirectory,
  ended,
  freePort,
  killTree,
  newDirectory,
  own,
  treeOf,
} from '../lib/processes.mjs';
import { databases } from './databases.mjs';

const template = new URL('kamailio.cfg.in', import.meta.url);

export class Kamailio {
  /** `children`: worker processes; by default as many as its database bears. */
  constructor(database, { children } = {}) {
    this.name = `kamailio/${database}`;
    this.database = databases[database]();
    this.children = children ?? this.database.writers;
  }

  async open() {
    await this.database.open();
    this.directory = newDirectory();
    this.port = await freePort();
    const values = {
      CHILDREN: this.children,
      TCPCHILDREN: this.children,
      DOMAIN: 'example.test',
      PORT: this.port,
      DBMODULE: this.database.module,
      DBURL: this.database.url,
      EXTRA: this.database.settings ?? '',
      CHECKTIME: 5,
      DUMPVIA: `sip:127.0.0.1:${this.port};transport=udp`,
    };
    const text = readFileSync(template, 'utf8');
    this.config = join(this.directory, 'kamailio.cfg');
    writeFileSync(
      this.config,
      text.replace(/@(\w+)@/g, (all, name) => String(values[name] ?? all)),
    );
    await this.#run();
    return this;
  }

  async #run() {
    const log = openSync(join(this.directory, 'log'), 'a');
    const memory = ['-m', '2048', '-M', '256'];
    const at = ['-P', join(this.directory, 'pid'), '-Y', this.directory, '-w', this.directory];
    const args = ['-f', this.config, '-DD', '-E', ...memory, ...at];
    const env = { ...process.env, ...this.database.environment };
    this.child = own(spawn('kamailio', args, { stdio: ['ignore', log, log], env }));
    await answering(this.port);
  }

  /** Resolves with the milliseconds until it answers; with its database, which was killed too. */
  async start() {
    const began = performance.now();
    await this.database.start();
    await this.#run();
    return performance.now() - began;
  }

  get pids() {
    return [this.child.pid, ...this.database.pids];
  }

  async kill() {
    const trees = this.pids.flatMap(treeOf);
    for (const pid of this.pids) killTree(pid);
    await ended(trees);
  }

  async close() {
    const tree = treeOf(this.child.pid);
    killTree(this.child.pid, 'SIGTERM');
    await ended(tree, 4000);
    await this.database.close();
    dropDirectory(this.directory);
  }
}
