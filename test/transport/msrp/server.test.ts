/** The settings of a server reach its MSRP endpoint. */

import { once } from 'node:events';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { settingsOf } from '../../../src/config.js';
import { startServer } from '../../../src/server.js';
import { createMemoryStore } from '../../../src/store/memory.js';
import { freePort } from '../../loopback-port.js';
import { authorities } from './certificates.js';
import { RawPeer, recordingLog } from './raw-peer.js';

const file = (name: string): string =>
  fileURLToPath(new URL(`certificates/${name}`, import.meta.url));

const sip = { listen: [{ transport: 'tcp' as const, port: 0 }] };
const parts = () => ({ store: createMemoryStore(), log: recordingLog() });

test('MSRP-14: a server with a certificate serves msrps', async () => {
  const port = await freePort();
  const tls = { port, certificate: file('server.pem'), key: file('server.key') };
  const server = await startServer(settingsOf({ sip, msrp: { port: 0, tls } }), parts());
  const socket = connect({ host: '127.0.0.1', port, ca: authorities });
  await once(socket, 'secureConnect');
  const peer = new RawPeer(socket);
  const paths = `To-Path: msrps://127.0.0.1:${port}/nobody;tcp\r\nFrom-Path: msrps://h:9/x;tcp\r\n`;
  peer.write(`MSRP tx01 SEND\r\n${paths}Message-ID: msga\r\n-------tx01$\r\n`);
  expect(await peer.status('tx01')).toBe(481);
  socket.destroy();
  await server.stop(0);
});

test('MSRP-14: a certificate that cannot be read is told before anything is open', async () => {
  const tls = { certificate: file('none.pem'), key: file('server.key') };
  const settings = settingsOf({ sip, msrp: { port: 0, tls } });
  const code = 'CONFIG_UNREADABLE';
  await expect(startServer(settings, parts())).rejects.toMatchObject({ code });
});
