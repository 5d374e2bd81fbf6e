/** `poste-restante store`: check, mend, copy and bring back a store that no server has open. */

import { createReadStream } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { Command } from 'commander';
import { fetchOctets, OperatorError, withConnection } from './admin-connection.js';
import type { ConnectionOptions } from './admin-connection.js';
import { readSettings, settingsOf } from '../config.js';
import { fileKeysOf } from '../server/file-keys.js';
import { writeOctets } from './octet-file.js';
import { openMaintenance, repairStore } from '../store/maintenance.js';
import type { StoreMaintenance } from '../store/maintenance.js';
import { StoreError } from '../store/store-error.js';
import { sumOf } from '../store/verify.js';
import type { Finding, Totals } from '../store/verify.js';
import { AccountsError } from '../actors/accounts-error.js';
import { ClusterError } from '../cluster/calls.js';
import { AdminError } from '../admin/problem.js';
import { ConfigError } from '../config.js';
import { WireError } from '../wire/error.js';
import { reshard } from './reshard.js';
import type { ReshardOptions } from './reshard.js';
import { backupOf, restoreStores } from './store-copy.js';
import { storesOf, withStores } from './stores.js';
import type { StoreName } from './stores.js';
import { exportStore, importStore } from './store-transfer.js';
import type { TransferOptions } from './store-transfer.js';

/** Exit codes of the store commands. */
const exitCode = { ok: 0, findings: 1, unusable: 3 } as const;

/** Records removed by one run of `repair`; it says when there are more. */
const removedMax = 100_000;

const exitCodes = `
Exit codes: 0 done, 1 something was found, 2 wrong usage, 3 the store or the backup cannot be used.`;

export function storeCommand(): Command {
  const store = new Command('store')
    .description('check, mend, copy and bring back a store; a server must not have it open')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .addHelpText('after', exitCodes);
  withDirectory(store.command('verify'))
    .description('read every record and every content, and say what cannot be right')
    .action(run(verify));
  withDirectory(store.command('stats'))
    .description('count accounts, messages and octets')
    .action(run(stats));
  withDirectory(store.command('compact'))
    .description('give room back that deleted messages have left')
    .action(run(compact));
  withDirectory(store.command('repair'))
    .description('make files readable again, and take out records that are damaged')
    .option('--removed <file>', 'keep what was taken out (NDJSON); next to the store by default')
    .action(run(repair));
  withConnection(store.command('backup'))
    .description('write everything into one file, of a store at rest or of a server (--url, …)')
    .argument('<names...>', '[directory] file; without a directory a server is asked, - is stdout')
    .action(run(backup));
  withDirectory(store.command('restore'))
    .description('make a store of a backup; the directory must be empty or not there')
    .argument('<file>', 'the backup; - is standard input')
    .action(run(restore));
  withDirectory(store.command('rekey'))
    .description('wrap every data key with the current key, so that older ones can be taken away')
    .requiredOption('-c, --config <file>', 'the configuration of the server, with its keys')
    .action(run(rekey));
  withDirectory(store.command('reshard'))
    .description('divide the accounts among another number of shards; 1: a single store')
    .argument('<count>', 'how many shards')
    .option('-c, --config <file>', 'the configuration of the server, where the store is sealed')
    .action(run(resharded));
  withDirectory(store.command('export'))
    .description('write mailboxes out as one stream that any later version can bring in')
    .argument('<file>', 'the stream; - is standard output')
    .argument('[aors...]', 'accounts; all of them when there are none')
    .option('-c, --config <file>', 'settings of the server (YAML)')
    .action(run(exported));
  withDirectory(store.command('import'))
    .description('bring mailboxes in; what stands there already is passed over')
    .argument('<file>', 'the stream')
    .option('-c, --config <file>', 'settings of the server (YAML)')
    .action(run(imported));
  return store;
}

async function rekey(directory: string, { config }: { readonly config: string }): Promise<number> {
  const provider = fileKeysOf(settingsOf(readSettings(config)).store);
  if (!provider) throw new OperatorError('OPERATOR_USAGE', 'the configuration names no keys', 2);
  const counts = await withStores(directory, (store) => store.rewrap(provider));
  const rewrapped = counts.reduce((sum, count) => sum + count, 0);
  print({ event: 'rekeyed', current: provider.current, rewrapped });
  return exitCode.ok;
}

function withDirectory(command: Command): Command {
  return command.argument('<directory>', 'directory of the store');
}

/** Errors of the store are one line and an exit code. */
function run<Args extends unknown[]>(
  work: (...args: Args) => Promise<number>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    try {
      process.exitCode = await work(...args);
    } catch (error) {
      if (error instanceof OperatorError) {
        process.stderr.write(`poste-restante: ${error.code}: ${error.message}\n`);
        process.exitCode = error.exitCode === 2 ? 2 : exitCode.unusable;
        return;
      }
      if (!isCoded(error)) throw error;
      const code = error.message.startsWith(error.code) ? '' : `${error.code}: `;
      process.stderr.write(`poste-restante: ${code}${error.message}\n`);
      const isUsage = error instanceof ConfigError || error instanceof AdminError;
      process.exitCode = isUsage ? 2 : exitCode.unusable;
    }
  };
}

function isCoded(error: unknown): error is Error & { readonly code: string } {
  if (error instanceof StoreError || error instanceof WireError) return true;
  if (error instanceof AccountsError || error instanceof AdminError) return true;
  if (error instanceof ClusterError) return true;
  return error instanceof ConfigError || isSystemError(error);
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

async function withStore<Result>(
  directory: string,
  work: (store: StoreMaintenance) => Promise<Result>,
): Promise<Result> {
  const store = await openMaintenance(directory);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

async function verify(directory: string): Promise<number> {
  const totals = await withStores(directory, (store, name) =>
    store.verify(({ code, where, hint }) =>
      print({ event: 'finding', ...name, code, where, hint }),
    ),
  );
  const sum = sumOf(totals);
  print({ event: 'verified', ...sum });
  return sum.findings === 0 ? exitCode.ok : exitCode.findings;
}

async function compact(directory: string): Promise<number> {
  await withStores(directory, (store) => store.compact());
  return exitCode.ok;
}

async function stats(directory: string): Promise<number> {
  const totals = await withStores(directory, async (store) => {
    process.stderr.write(store.levels());
    return store.verify(() => undefined);
  });
  const { accounts, messages, contentOctets, octets, records } = sumOf(totals);
  const perContent = contentOctets === 0 ? undefined : octets / contentOctets;
  print({ event: 'stats', accounts, messages, contentOctets, records, octets, perContent });
  return exitCode.ok;
}

async function resharded(
  directory: string,
  count: string,
  options: ReshardOptions,
): Promise<number> {
  print({ event: 'resharded', ...(await reshard(directory, count, options)) });
  return exitCode.ok;
}

interface RepairOptions {
  readonly removed?: string;
}

async function repair(directory: string, options: RepairOptions): Promise<number> {
  let worst: number = exitCode.ok;
  for (const { directory: one, name } of await storesOf(directory)) {
    worst = Math.max(worst, await repairOne(one, name, options));
  }
  return worst;
}

async function repairOne(
  directory: string,
  name: StoreName,
  options: RepairOptions,
): Promise<number> {
  const isReadable = await withStore(directory, (store) => isWhole(store)).catch(
    (error: unknown) => {
      if (error instanceof StoreError && error.code === 'STORE_DAMAGED') return false;
      throw error;
    },
  );
  if (!isReadable) await repairStore(directory);
  const removed = options.removed ?? `${directory.replace(/\/+$/, '')}.removed.ndjson`;
  return withStore(directory, async (store) => {
    const { keys, totals } = await removable(store, removed);
    if (keys.length > 0) await store.remove(keys);
    const left = totals.findings - keys.length;
    print({ event: 'repaired', ...name, readable: isReadable, removed: keys.length, left });
    return left === 0 ? exitCode.ok : exitCode.findings;
  });
}

/** Every block can be read, whatever stands in it; rejects with STORE_DAMAGED. */
async function isWhole(store: StoreMaintenance): Promise<true> {
  await store.verify(() => undefined);
  return true;
}

/** What nobody can read, and what nobody knows; a message without content stays to be seen. */
async function removable(
  store: StoreMaintenance,
  removed: string,
): Promise<{ readonly keys: readonly Buffer[]; readonly totals: Totals }> {
  const findings: Finding[] = [];
  const totals = await store.verify((finding) => {
    print({ event: 'finding', code: finding.code, where: finding.where, hint: finding.hint });
    const { code } = finding;
    if (code !== 'STORE_DAMAGED' && code !== 'STORE_ORPHAN') return;
    if (findings.length < removedMax) findings.push(finding);
  });
  const lines: string[] = [];
  for (const { code, key, where } of findings) {
    const value = (await store.get(key))?.toString('base64');
    lines.push(`${JSON.stringify({ code, where, key: key.toString('base64'), value })}\n`);
  }
  if (lines.length > 0) await appendFile(removed, lines.join(''), { mode: 0o600 });
  return { keys: findings.map(({ key }) => key), totals };
}

async function backup(names: readonly string[], options: ConnectionOptions): Promise<number> {
  const [first, second] = names;
  if (first === undefined || names.length > 2) {
    throw new OperatorError('OPERATOR_USAGE', 'name a directory and a file, or a file alone', 2);
  }
  if (second === undefined) return copy(await fetchOctets(options, '/v1/backup'), first);
  return copy(backupOf(first), second);
}

async function copy(octets: AsyncIterable<Buffer>, file: string): Promise<number> {
  await writeOctets(octets, file);
  return exitCode.ok;
}

async function restore(directory: string, file: string): Promise<number> {
  const octets: AsyncIterable<Buffer> = file === '-' ? process.stdin : createReadStream(file);
  print({ event: 'restored', ...(await restoreStores(directory, octets)) });
  return exitCode.ok;
}

async function exported(
  directory: string,
  file: string,
  aors: readonly string[],
  options: TransferOptions,
): Promise<number> {
  await exportStore(directory, file, aors, options);
  return exitCode.ok;
}

async function imported(
  directory: string,
  file: string,
  options: TransferOptions,
): Promise<number> {
  print({ event: 'imported', ...(await importStore(directory, file, options)) });
  return exitCode.ok;
}

function print(object: object): void {
  process.stdout.write(`${JSON.stringify(object)}\n`);
}
