/** Kamailio with its module msilo as the server under test. */

import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { allCases } from '../../../src/verify/run/cases.js';
import { planPaths } from '../../../src/verify/run/plan.js';
import { runTarget, type RunReport } from '../../../src/verify/run/run.js';
import { runSettings } from '../../../src/verify/run/settings.js';
import { isInstalled } from '../../server-process.js';
import { hasModules, startKamailio, type Kamailio } from '../kamailio.js';
import { freePort } from '../../loopback-port.js';

const configuration = fileURLToPath(new URL('msilo.cfg', import.meta.url));
/** Empty tables for db_text, as its package brings them. */
const tables = '/usr/share/kamailio/dbtext/kamailio';

export const canRunMsilo =
  isInstalled('kamailio') && existsSync(tables) && hasModules(configuration);

/** What the tester says of it, over that transport. */
export async function judgeMsilo(transport: 'udp' | 'tcp'): Promise<RunReport> {
  const directory = mkdtempSync(join(tmpdir(), 'poste-msilo-'));
  cpSync(tables, join(directory, 'tables'), { recursive: true });
  // The module leaves these columns out, which its table for text files does not allow for.
  const silo = join(directory, 'tables', 'silo');
  const columns = readFileSync(silo, 'utf8');
  writeFileSync(silo, columns.replace(/\b(callid\(string|status\(int)\)/g, '$1,null)'));
  const port = await freePort();
  let kamailio: Kamailio | undefined;
  try {
    kamailio = await startKamailio({
      configuration,
      listen: [`udp:127.0.0.1:${port}`, `tcp:127.0.0.1:${port}`],
      port,
      definitions: [
        `TABLES="text://${join(directory, 'tables')}"`,
        `PROXY="sip:127.0.0.1:${port};transport=${transport}"`,
      ],
    });
    const target = { host: '127.0.0.1', port, transport };
    const settings = runSettings(target, { timeoutMs: 1500, quietMs: 1000 });
    return await runTarget({ settings, paths: planPaths().paths, cases: allCases });
  } finally {
    await kamailio?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
