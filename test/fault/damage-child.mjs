/**
 * Opens stores that were damaged, reads them whole and checks them, each in its turn. One line for
 * each: what came of it. A process of its own, for LevelDB may end it.
 */

import { writeSync } from 'node:fs';
import process from 'node:process';
import { openLevelStore } from '../../dist/store/level.js';
import { openMaintenance, repairStore } from '../../dist/store/maintenance.js';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const { directories, accounts, messages } = JSON.parse(process.argv[2]);

for (const directory of directories) writeSync(1, `${JSON.stringify(await look(directory))}\n`);

async function look(directory) {
  const outcome = { refused: '', lost: 0, findings: [], codes: [], contents: [], missing: 0 };
  const store = await open(directory).catch(async (error) => {
    outcome.refused = String(error.code);
    await repairStore(directory);
    return open(directory);
  });
  for (const account of accounts) {
    for (let serial = 1; serial <= messages; serial++) {
      await read(store, account, serial, outcome);
    }
  }
  outcome.lost = store.stats().lostOctets;
  await store.close();
  const maintenance = await openMaintenance(directory);
  await maintenance
    .verify(({ code, where }) => outcome.findings.push(`${code} ${where}`))
    .catch((error) => {
      // A block that cannot be read ends it, with a code.
      if (error.code !== 'STORE_DAMAGED') throw error;
      outcome.findings.push(error.code);
    });
  await maintenance.close();
  return outcome;
}

async function read(store, account, serial, outcome) {
  try {
    const [row] = await store.get(account, [['ua', serial]]);
    const content = await store.content(account, serial);
    if (row === undefined || !content) outcome.missing++;
    else {
      const octets = await content.read(0, content.size);
      outcome.contents.push([serial, octets.toString('base64')]);
    }
  } catch (error) {
    outcome.codes.push(String(error.code));
    outcome.missing++;
  }
}

function open(directory) {
  return openLevelStore({ directory, durability: 'os', log: silent });
}
