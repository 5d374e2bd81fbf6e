/** The databases that msilo writes to, as each of its manuals recommends for messages that count. */

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { buildNosync } from '../lib/loadgen.mjs';
import { dropDirectory, ended, freePort, killTree, newDirectory, own } from '../lib/processes.mjs';

const postgresPrograms = '/usr/lib/postgresql/15/bin';
const versionTable =
  'create table version (id serial primary key not null, table_name varchar(32) not null, ' +
  'table_version integer default 0 not null, ' +
  'constraint version_table_name_idx unique (table_name))';

class Postgres {
  module = 'db_postgres';
  writers = 16;

  constructor({ commit = 'on' } = {}) {
    this.commit = commit;
  }

  async open() {
    this.directory = newDirectory();
    this.data = join(this.directory, 'data');
    this.port = await freePort();
    execFileSync('chown', ['postgres', this.directory]);
    const init = ['-D', this.data, '-A', 'trust', '-U', 'postgres', '--no-sync'];
    this.#as('postgres', `${postgresPrograms}/initdb`, [...init, '-E', 'UTF8', '--locale=C']);
    const settings = {
      port: this.port,
      listen_addresses: "'127.0.0.1'",
      unix_socket_directories: `'${this.directory}'`,
      fsync: 'on',
      synchronous_commit: this.commit,
      max_connections: 200,
      shared_buffers: '512MB',
      max_wal_size: '4GB',
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    appendFileSync(join(this.data, 'postgresql.conf'), lines.join(''));
    await this.start();
    this.#sql('create database kamailio', 'postgres');
    this.#sql(versionTable);
    this.#sql(readFileSync('/usr/share/kamailio/postgres/msilo-create.sql', 'utf8'));
    return this;
  }

  #as(user, program, args) {
    const command = ['-u', user, '--', program, ...args];
    return execFileSync('runuser', command, { stdio: ['ignore', 'pipe', 'pipe'] });
  }

  #sql(query, database = 'kamailio') {
    const at = ['-h', '127.0.0.1', '-p', String(this.port), '-U', 'postgres', '-Xqc', query];
    execFileSync('psql', [...at, database], { stdio: ['ignore', 'ignore', 'pipe'] });
  }

  async start() {
    const log = openSync(join(this.directory, 'log'), 'a');
    const as = ['--reuid=postgres', '--regid=postgres', '--clear-groups'];
    const server = [`${postgresPrograms}/postgres`, '-D', this.data];
    this.child = own(spawn('setpriv', [...as, ...server], { stdio: ['ignore', log, log] }));
    const at = ['-q', '-h', '127.0.0.1', '-p', String(this.port)];
    for (let i = 0; spawnSync(`${postgresPrograms}/pg_isready`, at).status !== 0; i++) {
      if (i > 3000) throw new Error('PostgreSQL does not come up');
      await setTimeout(10);
    }
  }

  get pids() {
    return [this.child.pid];
  }

  get url() {
    return `postgres://postgres:x@127.0.0.1:${this.port}/kamailio`;
  }

  async close() {
    killTree(this.child.pid, 'SIGINT');
    await ended([this.child.pid], 8000);
    dropDirectory(this.directory);
  }
}

class Sqlite {
  module = 'db_sqlite';
  /** More than one process meets "database is locked". */
  writers = 1;
  pids = [];

  constructor({ journal = 'delete', synced = true } = {}) {
    this.journal = journal;
    this.synced = synced;
  }

  async open() {
    this.directory = newDirectory();
    this.file = join(this.directory, 'silo.db');
    const of = '/usr/share/kamailio/db_sqlite';
    for (const table of ['standard', 'msilo']) {
      execFileSync('sqlite3', [this.file], { input: readFileSync(`${of}/${table}-create.sql`) });
    }
    if (this.journal === 'wal') execFileSync('sqlite3', [this.file, 'pragma journal_mode=wal']);
    if (!this.synced) this.environment = { LD_PRELOAD: buildNosync() };
    return this;
  }

  async start() {}

  get url() {
    return `sqlite:///${this.file}`;
  }

  get settings() {
    if (this.journal !== 'wal') return '';
    return `modparam("db_sqlite", "db_set_journal_mode", "${this.file}=WAL;")`;
  }

  async close() {
    dropDirectory(this.directory);
  }
}

export const databases = {
  postgresql: () => new Postgres(),
  'sqlite-wal': () => new Sqlite({ journal: 'wal' }),
  sqlite: () => new Sqlite(),
  'postgresql-async': () => new Postgres({ commit: 'off' }),
  'sqlite-wal-nosync': () => new Sqlite({ journal: 'wal', synced: false }),
};

/** Those that may lose what they have acknowledged when the power fails. */
export const notDurable = new Set(['postgresql-async', 'sqlite-wal-nosync']);

/** What has to be installed for it and is not. */
export function missingFor(name) {
  const needed = name.startsWith('postgresql')
    ? [`${postgresPrograms}/postgres`, '/usr/share/kamailio/postgres/msilo-create.sql']
    : ['/usr/bin/sqlite3', '/usr/share/kamailio/db_sqlite/msilo-create.sql'];
  return ['/usr/sbin/kamailio', ...needed].filter((file) => !existsSync(file));
}
